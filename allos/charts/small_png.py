"""PNG with a palette: a chart has few colours, and its picture is stored in every notebook that shows it.

The picture of a chart takes a tenth of the bytes so. What other programs write is left as it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_RGBA = (8, 6, 0, 0, 0)
"""Depth, colour type, compression, filter method and interlacing: see https://www.w3.org/TR/png-3/#11IHDR."""
_PALETTE = (8, 3, 0, 0, 0)
_NONE, _SUB, _UP = 0, 1, 2
_COLOURS = 256
_STEPS = (1, 5, 15, 51)
"""Of each of red, green and blue; white stays white, and with the last there are 216 colours at most."""


def with_palette(png: bytes) -> bytes:
    """Return the picture with at most 256 colours.

    Parameters
    ----------
    png : bytes
        As vl-convert makes it: 8 bits for each of red, green, blue and alpha, nothing transparent.

    Returns
    -------
    bytes
        The same picture, no channel off by more than what tells 256 colours apart; `png` itself where it is
        of another kind.
    """
    pixels = _pixels(png)
    if pixels is None or (pixels[..., 3] != 255).any():
        return png
    parts = pixels[..., :3].astype(np.uint32)
    for step in _STEPS:
        rounded = parts if step == 1 else (parts + step // 2) // step * step
        packed = rounded[..., 0] << 16 | rounded[..., 1] << 8 | rounded[..., 2]
        colours, place = np.unique(packed, return_inverse=True)
        if len(colours) <= _COLOURS:
            break
    rows = place.reshape(packed.shape).astype(np.uint8)
    unfiltered = np.pad(rows, ((0, 0), (1, 0)))  # each row begins with the number of its filter
    palette = b"".join(struct.pack(">I", int(colour))[1:] for colour in colours)
    height, width = rows.shape
    made = [
        (b"IHDR", _HEADER.pack(width, height, *_PALETTE)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(unfiltered.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in made)


def _pixels(png: bytes) -> np.ndarray | None:
    """Rows of pixels of four bytes; None where the picture is of another kind."""
    chunks = list(_chunks(png))
    width, height, *kind = _HEADER.unpack(chunks[0][1])
    if tuple(kind) != _RGBA:
        return None
    packed = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    lines = np.frombuffer(packed, np.uint8).reshape(height, 1 + 4 * width)
    filters, pixels = lines[:, 0], lines[:, 1:].reshape(height, width, 4).copy()
    if not np.isin(filters, (_NONE, _SUB, _UP)).all():
        return None
    # Bytes are stored as differences from the left or from above, modulo 256.
    is_sub = filters == _SUB
    pixels[is_sub] = np.cumsum(pixels[is_sub], axis=1, dtype=np.uint8)
    for row in np.flatnonzero(filters == _UP).tolist():
        pixels[row] += pixels[row - 1] if row else 0
    return pixels


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
