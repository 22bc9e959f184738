from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from allos.charts.small_png import _chunk, _chunks, _pixels, with_palette
from tests.support.pictures import PNG


def _png(pixels: np.ndarray, filter_of: Callable[[int], int] = lambda row: row % 3) -> bytes:
    """RGBA picture whose rows are stored by these filters: none, the left pixel, the one above."""
    height, width, _ = pixels.shape
    rows = []
    for row in range(height):
        left = np.pad(pixels[row, :-1], ((1, 0), (0, 0)))
        above = pixels[row - 1] if row else np.zeros_like(pixels[0])
        kind = filter_of(row)
        stored = pixels[row] - {1: left, 2: above}.get(kind, 0)
        rows.append(bytes([kind]) + stored.astype(np.uint8).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(b"".join(rows))
    parts = [(b"IHDR", header), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b"")]
    return PNG[:8] + b"".join(_chunk(*part) for part in parts)


def _colours(png: bytes) -> np.ndarray:
    """Red, green and blue of each pixel of a picture with a palette."""
    chunks = dict(_chunks(png))
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[rows[:, 1:]]


def _picture(colours: int, size: int = 40) -> np.ndarray:
    chooser = np.random.default_rng(1)
    palette = chooser.integers(256, size=(colours, 4), dtype=np.uint8)
    palette[:, 3] = 255
    palette[0] = 255
    return palette[chooser.integers(colours, size=(size, size))]


def test_few_colours_are_kept() -> None:
    """Up to 256 colours a picture is the same, whatever its rows are stored by."""
    pixels = _picture(200)
    small = with_palette(_png(pixels))

    assert (_pixels(_png(pixels)) == pixels).all()
    assert (_colours(small) == pixels[..., :3]).all()


@pytest.mark.parametrize("colours", [300, 1500])
def test_many_colours_are_rounded(colours: int) -> None:
    """More colours than 256 move a little, and white does not."""
    pixels = _picture(colours)
    made = _colours(with_palette(_png(pixels))).astype(int)

    assert np.abs(made - pixels[..., :3]).max() <= 25
    assert (made[(pixels == 255).all(axis=-1)] == 255).all()


@pytest.mark.parametrize("kind", [3, 4])
def test_other_pictures_are_left_alone(kind: int) -> None:
    """A filter that is not known, no alpha, or a part that is transparent: the picture comes as it is."""
    clear = _picture(5)
    clear[3, 3, 3] = 0
    for png in (_png(_picture(5), lambda _: kind), _png(clear), PNG):
        assert with_palette(png) is png
