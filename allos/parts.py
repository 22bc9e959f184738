"""Images and files as parts of a message.

Values of the ground. The one touch of a disk is `path=`: the file is read when the part is made, so
a part holds what was meant at that moment, and a mistyped path is told before anything is sent. A
text is never taken for a path: `path=` has to be written.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from allos.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Never

MAX_IMAGE_BYTES = 20_000_000
"""Largest image that is taken. Services stop at 5 to 50 MB and say so themselves."""

MAX_FILE_BYTES = 32_000_000
"""Largest file that is taken."""

_SHORT = 60
_PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
_NEAREST_MODE = {"I": "I;16", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Image:
    """An image for a model to look at: PNG, JPEG, GIF or WEBP. Equal images have equal bytes.

    Parameters
    ----------
    path : str or os.PathLike
        A file; it is read now.
    data : bytes
        The image itself. Exactly one of `path`, `data` and `url` is given.
    url : str
        An ``http`` or ``https`` address, which the service fetches; not every service does.
    media_type : str or None
        Told by the first bytes, never by the name; to be given for another format only.
    detail : str or None
        How closely to look, for OpenAI's APIs: ``"low"``, ``"high"``, ``"auto"``.

    Raises
    ------
    ConfigurationError
        No such file, too large (20 MB), or no image that is known.

    Examples
    --------
    >>> Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(400))
    Image(png, 408 bytes)
    >>> Image(url="https://example.org/cat.jpg")
    Image(url='https://example.org/cat.jpg')
    """

    data: bytes | None
    """The image; None for one named by its address."""
    url: str | None
    media_type: str | None
    """``image/png`` and the like; None for one named by its address."""
    detail: str | None
    content_hash: str
    """SHA-256 of the bytes, or of the address, as 64 hexadecimal digits."""

    def __init__(
        self,
        *unnamed: Never,
        path: str | os.PathLike[str] | None = None,
        data: bytes | None = None,
        url: str | None = None,
        media_type: str | None = None,
        detail: str | None = None,
    ) -> None:
        _check_texts(media_type=media_type, detail=detail)
        what = "Image takes exactly one of path=, data= and url="
        _exactly_one(what, unnamed, path, data, url)
        if url is not None:
            if not isinstance(url, str):
                raise ConfigurationError(f"url= takes an address, not {type(url).__name__}.")
            if not url.lower().startswith(("http://", "https://")):
                raise ConfigurationError(
                    f"Image(url=...) takes an http or https address, not {_cut(url)!r}. "
                    "A file is Image(path=...)."
                )
            _set(self, None, url, media_type, detail, _sha256(url.encode()))
            return
        name, raw = _bytes(path, data, MAX_IMAGE_BYTES, "image")
        known = image_type(raw)
        if known is None and media_type is None:
            hint = " A PDF is File(path=...)." if _is_pdf(raw) else ""
            raise ConfigurationError(
                f"{name} is no PNG, JPEG, GIF or WEBP image.{hint} "
                "Another format needs media_type=, and a service that takes it."
            )
        if known is not None and media_type not in (None, known):
            raise ConfigurationError(f"{name} is {known}, not {media_type}; leave media_type out.")
        _set(self, raw, None, known or media_type, detail, _sha256(raw))

    @classmethod
    def from_pil(cls, image: Any, *, detail: str | None = None) -> Image:
        """Image from a `PIL.Image.Image`, as PNG.

        Examples
        --------
        ::

            Image.from_pil(PIL.Image.open("cat.tiff"))
        """
        if not hasattr(image, "mode") or not hasattr(image, "save"):
            raise ConfigurationError(
                f"from_pil takes a PIL image, not {type(image).__name__}. A file is Image(path=...)."
            )
        if image.mode not in _PNG_MODES:
            image = image.convert(_NEAREST_MODE.get(image.mode, "RGB"))
        target = BytesIO()
        image.save(target, format="PNG")
        return cls(data=target.getvalue(), detail=detail)

    @classmethod
    def from_figure(cls, figure: Any, *, detail: str | None = None) -> Image:
        """Image from a matplotlib figure, as PNG in the figure's own size and resolution.

        Examples
        --------
        ::

            fig, ax = plt.subplots()
            Image.from_figure(fig)
        """
        if not hasattr(figure, "savefig") or not hasattr(figure, "dpi"):
            raise ConfigurationError(
                f"from_figure takes a matplotlib figure, not {type(figure).__name__}. "
                "A file is Image(path=...)."
            )
        target = BytesIO()
        # Without the drawing program's name in it, the same figure is the same bytes.
        figure.savefig(target, format="png", dpi=figure.dpi, metadata={"Software": None})
        return cls(data=target.getvalue(), detail=detail)

    @property
    def size_bytes(self) -> int | None:
        """Size of the image; None for one named by its address."""
        return None if self.data is None else len(self.data)

    def __repr__(self) -> str:
        if self.data is None:
            return f"Image(url={_cut(self.url or '')!r})"
        kind = (self.media_type or "").rpartition("/")[2]
        return f"Image({kind}, {_size(len(self.data))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image):
            return NotImplemented
        return (self.content_hash, self.detail) == (other.content_hash, other.detail)

    def __hash__(self) -> int:
        return hash((self.content_hash, self.detail))


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class File:
    """A file for a model to read: a PDF, or text.

    A PDF goes out as a document. Text in UTF-8 (code, CSV, Markdown ...) goes out as text, marked
    with its name, so every service takes it.

    Parameters
    ----------
    path : str or os.PathLike
        A file; it is read now.
    data : bytes
        The file itself. Exactly one of `path` and `data` is given.
    name : str or None
        What the model is told that the file is called; the path's last part unless given.
    media_type : str or None
        Told by the bytes; to be given for a file that is neither PDF nor text.

    Raises
    ------
    ConfigurationError
        No such file, too large (32 MB), or neither PDF nor text.

    Examples
    --------
    >>> File(data=b"a,b\\n1,2\\n", name="numbers.csv")
    File('numbers.csv', text, 8 bytes)
    """

    data: bytes
    name: str
    media_type: str
    text: str | None
    """The text of a text file; None for anything else."""
    content_hash: str
    """SHA-256 of the bytes, as 64 hexadecimal digits."""

    def __init__(
        self,
        *unnamed: Never,
        path: str | os.PathLike[str] | None = None,
        data: bytes | None = None,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        _exactly_one("File takes exactly one of path= and data=", unnamed, path, data)
        shown, raw = _bytes(path, data, MAX_FILE_BYTES, "file")
        if image_type(raw) is not None:
            raise ConfigurationError(f"{shown} is an image: Image(path=...) or Image(data=...).")
        text = None if _is_pdf(raw) else _text(raw)
        if text is None and media_type is None and not _is_pdf(raw):
            raise ConfigurationError(
                f"{shown} is neither a PDF nor text in UTF-8. "
                "Another format needs media_type=, and a service that takes it."
            )
        if name is None:
            default = "file.txt" if text is not None else "file.pdf" if _is_pdf(raw) else "file"
            name = default if path is None else os.path.basename(os.fspath(path))
        media_type = media_type or ("application/pdf" if text is None else "text/plain")
        _set(self, raw, name, media_type, text, _sha256(raw))

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return len(self.data)

    def __repr__(self) -> str:
        kind = "text" if self.text is not None else self.media_type.rpartition("/")[2]
        return f"File({_cut(self.name)!r}, {kind}, {_size(len(self.data))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str, str]:
        return self.content_hash, self.name, self.media_type


Part: TypeAlias = str | Image | File
"""What the content of a message is made of."""


def as_part(value: object) -> Part | None:
    """Part from a value that is one, or that is a picture; None for anything else.

    Parameters
    ----------
    value : object
        A text, an `Image`, a `File`, a PIL image, a matplotlib figure or axes. A text is a text,
        never a path.

    Examples
    --------
    >>> as_part("cat.png")
    'cat.png'
    >>> as_part(3) is None
    True
    """
    if isinstance(value, str | Image | File):
        return value
    # Known by name: neither library is loaded by asking.
    for base in type(value).__mro__:
        home = base.__module__
        if home == "PIL.Image" and base.__name__ == "Image":
            return Image.from_pil(value)
        if home == "matplotlib.figure" and base.__name__ == "Figure":
            return Image.from_figure(value)
        if home.startswith("matplotlib.axes.") and base.__name__ == "Axes":
            return Image.from_figure(value.get_figure(root=True))  # type: ignore[attr-defined]  # known by name
    return None


def base64_of(part: Image | File) -> str:
    """Bytes of a part in base64."""
    return b64encode(part.data or b"").decode("ascii")


def data_uri(part: Image | File) -> str:
    """Part as a ``data:`` address; an image named by its address keeps it."""
    if isinstance(part, Image) and part.url is not None:
        return part.url
    return f"data:{part.media_type};base64,{base64_of(part)}"


def image_type(data: bytes) -> str | None:
    """Media type of an image by its first bytes; None for what is no image that services take.

    Examples
    --------
    >>> image_type(b"GIF89a...")
    'image/gif'
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]  # readers allow for some bytes before it


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _exactly_one(words: str, unnamed: tuple[object, ...], *given: object) -> None:
    if unnamed:
        raise ConfigurationError(f"{words}, by name: path='cat.png' for a file.")
    if sum(value is not None for value in given) != 1:
        raise ConfigurationError(f"{words}.")


def _bytes(
    path: str | os.PathLike[str] | None, data: bytes | None, limit: int, what: str
) -> tuple[str, bytes]:
    """What to call the source in a message, and its bytes."""
    if path is None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ConfigurationError(f"data= takes bytes, not {type(data).__name__}.")
        shown, raw = f"The {what}", bytes(data)
    else:
        if not isinstance(path, str | os.PathLike):
            raise ConfigurationError(f"path= takes the path of a file, not {type(path).__name__}.")
        shown = f"{os.fspath(path)!r}"
        try:
            with open(os.path.expanduser(path), "rb") as file:
                # Never more than can be used, whatever the file is.
                raw = file.read(limit + 1)
        except FileNotFoundError:
            raise ConfigurationError(f"There is no file {shown} ({_looked_in()}).") from None
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or exc
            raise ConfigurationError(f"{shown} cannot be read: {why}.") from None
    if not raw:
        raise ConfigurationError(f"{shown} is empty.")
    if len(raw) > limit:
        raise ConfigurationError(
            f"{shown} is larger than the limit of {_size(limit)} for a {what}."
        )
    return shown, raw


def _check_texts(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, str | None):
            raise ConfigurationError(f"{name}= takes a text, not {type(value).__name__}.")


def _looked_in() -> str:
    try:
        return f"looked in {os.getcwd()}"
    except OSError:
        return "the working folder itself was deleted"


def _set(part: Image | File, *values: object) -> None:
    for name, value in zip(part.__dataclass_fields__, values, strict=True):
        object.__setattr__(part, name, value)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"
