"""Images and files as parts of a message.

With `path=` the file is read when the part is created, so a part is a snapshot, and a wrong path raises
before anything is sent. A string is never interpreted as a path without `path=`.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from allos.errors import ConfigurationError
from allos.redaction import without_credentials

if TYPE_CHECKING:
    from typing import Never

MAX_IMAGE_BYTES = 20_000_000
"""Largest accepted image. Limits of services are 5 to 50 MB, with their own errors."""

MAX_FILE_BYTES = 32_000_000
"""Largest accepted file."""

_SHORT = 60
_PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
_NEAREST_MODE = {"I": "I;16", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Image:
    """An image for a model: PNG, JPEG, GIF or WEBP. Images are equal if their bytes are.

    Parameters
    ----------
    path : str or os.PathLike
        Path of a file, which is read at once.
    data : bytes
        The bytes of the image. Pass exactly one of `path`, `data` and `url`.
    url : str
        An ``http`` or ``https`` URL, which the service fetches; not supported by all services.
    media_type : str or None
        Detected from the first bytes, never from the name; only needed for other formats.
    detail : str or None
        Detail level of OpenAI's APIs: ``"low"``, ``"high"``, ``"auto"``.

    Raises
    ------
    ConfigurationError
        Missing file, too large (20 MB), or not a known image format.

    Examples
    --------
    >>> Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(400))
    Image(png, 408 bytes)
    >>> Image(url="https://example.org/cat.jpg")
    Image(url='https://example.org/cat.jpg')
    """

    data: bytes | None
    """Bytes of the image; None for a URL."""
    url: str | None
    media_type: str | None
    """Such as ``image/png``; None for a URL."""
    detail: str | None
    content_hash: str
    """SHA-256 of the bytes, or of the URL, as 64 hexadecimal digits."""

    def __init__(
        self,
        *unnamed: Never,
        path: str | os.PathLike[str] | None = None,
        data: bytes | None = None,
        url: str | None = None,
        media_type: str | None = None,
        detail: str | None = None,
    ) -> None:
        _check_strings(media_type=media_type, detail=detail)
        message = "Image requires exactly one of path=, data= and url="
        _exactly_one(message, unnamed, path, data, url)
        if url is not None:
            if not isinstance(url, str):
                raise ConfigurationError(f"url must be a string, got {type(url).__name__}.")
            if not url.lower().startswith(("http://", "https://")):
                raise ConfigurationError(
                    f"url must be an http or https URL, got {_shorten(url)!r}. "
                    "For a file use Image(path=...)."
                )
            _set_fields(self, None, url, media_type, detail, _sha256(url.encode()))
            return
        name, raw = _read_bytes(path, data, MAX_IMAGE_BYTES, "image")
        known = image_type(raw)
        if known is None and media_type is None:
            hint = " For a PDF use File(path=...)." if _is_pdf(raw) else ""
            raise ConfigurationError(
                f"{name} is not a PNG, JPEG, GIF or WEBP image.{hint} "
                "Other formats need media_type=, and a service that supports them."
            )
        if known is not None and media_type not in (None, known):
            raise ConfigurationError(f"{name} is {known}, not {media_type}; leave media_type out.")
        _set_fields(self, raw, None, known or media_type, detail, _sha256(raw))

    @classmethod
    def from_pil(cls, image: Any, *, detail: str | None = None) -> Image:
        """Create an image from a `PIL.Image.Image`, as PNG.

        Examples
        --------
        ::

            Image.from_pil(PIL.Image.open("cat.tiff"))
        """
        if not hasattr(image, "mode") or not hasattr(image, "save"):
            raise ConfigurationError(
                f"from_pil expects a PIL image, got {type(image).__name__}. For a file use Image(path=...)."
            )
        if image.mode not in _PNG_MODES:
            image = image.convert(_NEAREST_MODE.get(image.mode, "RGB"))
        target = BytesIO()
        image.save(target, format="PNG")
        return cls(data=target.getvalue(), detail=detail)

    @classmethod
    def from_figure(cls, figure: Any, *, detail: str | None = None) -> Image:
        """Create an image from a matplotlib figure, as PNG with the figure's size and resolution.

        Examples
        --------
        ::

            fig, ax = plt.subplots()
            Image.from_figure(fig)
        """
        if not hasattr(figure, "savefig") or not hasattr(figure, "dpi"):
            raise ConfigurationError(
                f"from_figure expects a matplotlib figure, got {type(figure).__name__}. "
                "For a file use Image(path=...)."
            )
        target = BytesIO()
        # Without the software's name and version, equal figures have equal bytes.
        figure.savefig(target, format="png", dpi=figure.dpi, metadata={"Software": None})
        return cls(data=target.getvalue(), detail=detail)

    @property
    def size_bytes(self) -> int | None:
        """Size of the image; None for a URL."""
        return None if self.data is None else len(self.data)

    def __repr__(self) -> str:
        if self.data is None:
            return f"Image(url={_shorten(without_credentials(self.url or ''))!r})"
        kind = (self.media_type or "").rpartition("/")[2]
        return f"Image({kind}, {format_size(len(self.data))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image):
            return NotImplemented
        return (self.content_hash, self.detail) == (other.content_hash, other.detail)

    def __hash__(self) -> int:
        return hash((self.content_hash, self.detail))


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class File:
    """A file for a model: a PDF or text.

    A PDF is sent as a document. Text in UTF-8 (code, CSV, Markdown ...) is sent as text with its name,
    so all services accept it.

    Parameters
    ----------
    path : str or os.PathLike
        Path of a file, which is read at once.
    data : bytes
        The bytes of the file. Pass exactly one of `path` and `data`.
    name : str or None
        Name of the file for the model; default: the file name of the path.
    media_type : str or None
        Detected from the bytes; only needed for a file that is neither PDF nor text.

    Raises
    ------
    ConfigurationError
        Missing file, too large (32 MB), or neither PDF nor text.

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
        _exactly_one("File requires exactly one of path= and data=", unnamed, path, data)
        label, raw = _read_bytes(path, data, MAX_FILE_BYTES, "file")
        if image_type(raw) is not None:
            raise ConfigurationError(
                f"{label} is an image: use Image(path=...) or Image(data=...)."
            )
        text = None if _is_pdf(raw) else _decode_text(raw)
        if text is None and media_type is None and not _is_pdf(raw):
            raise ConfigurationError(
                f"{label} is neither a PDF nor UTF-8 text. "
                "Other formats need media_type=, and a service that supports them."
            )
        if name is None:
            default = "file.txt" if text is not None else "file.pdf" if _is_pdf(raw) else "file"
            name = default if path is None else os.path.basename(os.fspath(path))
        media_type = media_type or ("application/pdf" if text is None else "text/plain")
        _set_fields(self, raw, name, media_type, text, _sha256(raw))

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return len(self.data)

    def __repr__(self) -> str:
        kind = "text" if self.text is not None else self.media_type.rpartition("/")[2]
        return f"File({_shorten(self.name)!r}, {kind}, {format_size(len(self.data))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str, str]:
        return self.content_hash, self.name, self.media_type


Part: TypeAlias = str | Image | File
"""A part of the content of a message."""


def as_part(value: object) -> Part | None:
    """Convert a value to a part; None if that is not possible.

    Parameters
    ----------
    value : object
        A string, an `Image`, a `File`, a PIL image, a matplotlib figure or axes. A string is never a
        path.

    Examples
    --------
    >>> as_part("cat.png")
    'cat.png'
    >>> as_part(3) is None
    True
    """
    if isinstance(value, str | Image | File):
        return value
    # Compared by name, so that neither library is imported.
    for base in type(value).__mro__:
        module = base.__module__
        if module == "PIL.Image" and base.__name__ == "Image":
            return Image.from_pil(value)
        if module == "matplotlib.figure" and base.__name__ == "Figure":
            return Image.from_figure(value)
        is_axes = module.startswith("matplotlib.axes.") and base.__name__ == "Axes"
        if is_axes or (module == "matplotlib.figure" and base.__name__ == "SubFigure"):
            return Image.from_figure(value.get_figure(root=True))  # type: ignore[attr-defined]  # compared by name
    return None


def base64_of(part: Image | File) -> str:
    """Bytes of a part in base64."""
    return b64encode(part.data or b"").decode("ascii")


def data_uri(part: Image | File) -> str:
    """Part as a ``data:`` URL; the URL of an image that has one."""
    if isinstance(part, Image) and part.url is not None:
        return part.url
    return f"data:{part.media_type};base64,{base64_of(part)}"


def image_type(data: bytes) -> str | None:
    """Media type of an image by its first bytes; None for anything but the supported formats.

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
    return b"%PDF-" in data[:1024]  # readers accept some bytes before it


def _decode_text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _exactly_one(message: str, unnamed: tuple[object, ...], *given: object) -> None:
    if unnamed:
        raise ConfigurationError(f"{message}, as a keyword: path='cat.png' for a file.")
    if sum(value is not None for value in given) != 1:
        raise ConfigurationError(f"{message}.")


def _read_bytes(
    path: str | os.PathLike[str] | None, data: bytes | None, limit: int, what: str
) -> tuple[str, bytes]:
    """Label of the source for error messages, and its bytes."""
    if path is None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ConfigurationError(f"data must be bytes, got {type(data).__name__}.")
        label, raw = f"The {what}", bytes(data)
    else:
        if not isinstance(path, str | os.PathLike):
            raise ConfigurationError(
                f"path must be a string or path-like, got {type(path).__name__}."
            )
        label = f"{os.fspath(path)!r}"
        try:
            with open(os.path.expanduser(path), "rb") as file:
                # Never more than the limit, whatever the file is.
                raw = file.read(limit + 1)
        except FileNotFoundError:
            raise ConfigurationError(f"File not found: {label} ({_search_location()}).") from None
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or exc
            raise ConfigurationError(f"{label} cannot be read: {reason}.") from None
    if not raw:
        raise ConfigurationError(f"{label} is empty.")
    if len(raw) > limit:
        raise ConfigurationError(
            f"{label} is larger than the limit of {format_size(limit)} for a {what}."
        )
    return label, raw


def _check_strings(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, str | None):
            raise ConfigurationError(f"{name} must be a string, got {type(value).__name__}.")


def _search_location() -> str:
    try:
        return f"the working directory is {os.getcwd()}"
    except OSError:
        return "the working directory was deleted"


def _set_fields(part: Image | File, *values: object) -> None:
    for name, value in zip(part.__dataclass_fields__, values, strict=True):
        object.__setattr__(part, name, value)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shorten(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def format_size(size_bytes: int) -> str:
    """Size in words, such as ``12 kB``."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"
