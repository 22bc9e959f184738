from __future__ import annotations

import copy
import hashlib
import pickle
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos import parts
from allos.errors import ConfigurationError
from allos.parts import File, Image, as_part, base64_of, data_uri, image_type
from tests.support.pictures import GIF, JPEG, PDF, PNG, WEBP, stand_in

KINDS = {"image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP}


@pytest.mark.parametrize(("kind", "data"), KINDS.items())
def test_type_is_detected_from_the_bytes(tmp_path: Path, kind: str, data: bytes) -> None:
    """Whatever a file is called, its first bytes say what it is."""
    path = tmp_path / "picture.txt"
    path.write_bytes(data)
    image = Image(path=path)

    assert image.media_type == kind == image_type(data)
    assert image.data == data
    assert image == Image(path=str(path)) == Image(data=data)


@given(st.binary(max_size=40))
def test_only_images_are_images(data: bytes) -> None:
    """Bytes are an image only when they begin like one."""
    kind = image_type(data)

    assert kind is None or data[:3] in {known[:3] for known in KINDS.values()}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one of path=, data= and url="),
        ({"data": PNG, "url": "https://x.org/a.png"}, "exactly one"),
        ({"path": "nowhere.png"}, "File not found: 'nowhere.png'"),
        ({"path": "."}, "'.' cannot be read"),
        ({"data": b""}, "is empty"),
        ({"data": "iVBORw0"}, "data must be bytes, got str"),
        ({"data": b"BM" + bytes(40)}, "not a PNG, JPEG, GIF or WEBP"),
        ({"data": PDF}, r"For a PDF use File\(path"),
        ({"data": PNG, "media_type": "image/jpeg"}, "is image/png, not image/jpeg"),
        ({"path": 5}, "path must be a string or path-like, got int"),
        ({"path": "a\0b"}, "cannot be read: embedded null byte"),
        ({"url": 5}, "url must be a string, got int"),
        ({"data": PNG, "detail": 5}, "detail must be a string, got int"),
        ({"data": PNG, "media_type": 5}, "media_type must be a string, got int"),
        ({"url": "cat.png"}, "url must be an http or https URL"),
        ({"url": "file:///etc/passwd"}, "url must be an http or https URL"),
    ],
)
def test_invalid_images(options: dict[str, Any], words: str) -> None:
    """An invalid image raises one line when it is created, before anything is sent."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        Image(**options)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "cat.png", 5, object()])
def test_invalid_figures_and_pil_images(value: Any) -> None:
    """The class methods say what they take."""
    with pytest.raises(ConfigurationError, match="from_figure expects a matplotlib figure"):
        Image.from_figure(value)
    with pytest.raises(ConfigurationError, match="from_pil expects a PIL image"):
        Image.from_pil(value)


@pytest.mark.parametrize("kind", [Image, File])
def test_text_is_never_a_path(kind: Any) -> None:
    """A bare text is refused: `path=` has to be written."""
    with pytest.raises(ConfigurationError, match="path="):
        kind("cat.png")
    assert as_part("cat.png") == "cat.png"


def test_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a large file has the limit, and no more than that is read."""
    monkeypatch.setattr(parts, "MAX_IMAGE_BYTES", 2000)
    monkeypatch.setattr(parts, "MAX_FILE_BYTES", 2000)
    path = tmp_path / "big.png"
    path.write_bytes(PNG + bytes(2000))

    with pytest.raises(ConfigurationError, match=r"big.png' is larger than the limit of 2 kB"):
        Image(path=path)
    with pytest.raises(ConfigurationError, match="The file is larger"):
        File(data=b"x" * 2001)
    assert Image(data=PNG + bytes(2000 - len(PNG))).size_bytes == 2000


def test_other_formats_go_with_their_name() -> None:
    """A format that is not known goes out under the name that the caller gives."""
    assert Image(data=b"BM" + bytes(40), media_type="image/bmp").media_type == "image/bmp"
    assert File(data=b"PK\0\0", name="a.docx", media_type="application/x").text is None


def test_repr_is_short() -> None:
    """A part shows its kind and size, never its bytes."""
    assert repr(Image(data=PNG + bytes(34_000))) == "Image(png, 34 kB)"
    assert repr(Image(data=PNG + bytes(3_400_000))) == "Image(png, 3.4 MB)"
    assert repr(File(data=PDF, name="paper.pdf")) == f"File('paper.pdf', pdf, {len(PDF)} bytes)"
    assert repr(File(data=b"a,b")) == "File('file.txt', text, 3 bytes)"
    assert len(repr(Image(url="https://x.org/" + "a" * 900))) < 80


def test_equal_by_content() -> None:
    """Parts are equal when a model would see the same."""
    assert Image(data=PNG).content_hash == hashlib.sha256(PNG).hexdigest()
    assert len({Image(data=PNG), Image(data=bytearray(PNG)), Image(data=JPEG)}) == 2
    assert Image(data=PNG) != Image(data=PNG, detail="low")
    assert Image(data=PNG) != Image(url="https://x.org/a.png") != File(data=b"a")
    assert File(data=b"a", name="x") == File(data=b"a", name="x") != File(data=b"a", name="y")


@pytest.mark.parametrize("part", [Image(data=PNG, detail="low"), File(data=PDF, name="p.pdf")])
def test_values(part: Image | File) -> None:
    """Parts are frozen, and survive copying and pickling."""
    with pytest.raises(AttributeError):
        part.data = b""  # type: ignore[misc]
    for copied in (copy.copy(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert copied == part
        assert copied.data == part.data


def test_files(tmp_path: Path) -> None:
    """A PDF stays a document; text in UTF-8 is text; a file keeps its name."""
    pdf = tmp_path / "paper.bin"
    pdf.write_bytes(b"\n" + PDF)
    notes = tmp_path / "notes.md"
    notes.write_bytes("Grüße\r\n".encode())

    assert File(path=pdf).media_type == "application/pdf"
    assert (File(path=pdf).text, File(path=pdf).name) == (None, "paper.bin")
    assert File(path=notes).text == "Grüße\r\n"
    assert File(path=notes, name="other.md").name == "other.md"
    assert File(data=PDF).name == "file.pdf"
    with pytest.raises(ConfigurationError, match="is neither a PDF nor UTF-8 text"):
        File(data="Grüße".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"is an image: use Image\(path"):
        File(data=PNG)
    with pytest.raises(ConfigurationError, match="exactly one"):
        File(path=pdf, data=PDF)


def test_data_uri() -> None:
    """The bytes go out in base64, an address as it is."""
    assert data_uri(Image(data=GIF)) == f"data:image/gif;base64,{base64_of(Image(data=GIF))}"
    assert data_uri(Image(url="https://x.org/a.png?b=1")) == "https://x.org/a.png?b=1"


class _Pil:
    mode = "RGB"

    def convert(self, mode: str) -> _Pil:
        converted = _Pil()
        converted.mode = mode
        return converted

    def save(self, target: BytesIO, format: str) -> None:
        assert format == "PNG"
        target.write(PNG + self.mode.encode())


class _Figure:
    dpi = 72

    def savefig(self, target: BytesIO, **options: Any) -> None:
        assert options["format"] == "png"
        target.write(PNG)


class _Axes:
    def get_figure(self, root: bool) -> Any:
        return stand_in("matplotlib.figure", "Figure", _Figure)()


def test_pictures_of_libraries() -> None:
    """PIL images, figures and axes are known by their class's name; neither library is loaded."""
    loaded = set(sys.modules)
    pil = stand_in("PIL.Image", "Image", _Pil)
    child = type("PngImageFile", (pil,), {"mode": "CMYK"})

    assert as_part(pil()) == Image(data=PNG + b"RGB")
    assert as_part(child()) == Image(data=PNG + b"RGB"), "modes that PNG lacks are converted"
    assert as_part(stand_in("matplotlib.figure", "Figure", _Figure)()) == Image(data=PNG)
    assert as_part(stand_in("matplotlib.axes._axes", "Axes", _Axes)()) == Image(data=PNG)
    assert "PIL" not in set(sys.modules) - loaded
    assert "matplotlib" not in set(sys.modules) - loaded


PIL_MODES = (
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "PA",
    "RGBX",
    "RGBa",
    "La",
    "I;16",
)


@pytest.mark.parametrize("mode", PIL_MODES)
def test_images_of_pillow(mode: str) -> None:
    """An image of any mode becomes a PNG of its size, and equal images are equal."""
    pillow = pytest.importorskip("PIL.Image")
    picture = pillow.new(mode, (3, 2))
    part = as_part(picture)

    assert isinstance(part, Image)
    assert part.media_type == "image/png"
    assert pillow.open(BytesIO(part.data or b"")).size == (3, 2)
    assert part == as_part(picture.copy())


def test_figures_of_matplotlib() -> None:
    """A figure, its axes and a part of it are the whole figure, with equal bytes each time."""
    figures = pytest.importorskip("matplotlib.figure")
    pillow = pytest.importorskip("PIL.Image")
    figure = figures.Figure(figsize=(2, 1), dpi=100)
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.plot([1, 3, 2])
    polar = right.add_subplot(projection="polar")
    part = as_part(figure)

    assert isinstance(part, Image)
    assert pillow.open(BytesIO(part.data or b"")).size == (200, 100)
    assert as_part(axes) == as_part(polar) == as_part(left) == part


@pytest.mark.parametrize("value", [None, 3, b"x", Path("cat.png"), ["x"], object()])
def test_values_that_are_not_parts(value: object) -> None:
    """Anything else is not a part, paths included: only path= reads a file."""
    assert as_part(value) is None
