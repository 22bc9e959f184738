"""The signature of votes that were cast in an exported page, without a kernel.

Each log has a secret key, in a file beside it. A page gets a key of its own, made of the log's key and the
page's id, and signs its votes with it. So the log can tell that votes come from a page that it wrote, and
that nobody without the page has changed them. It cannot tell who voted: whoever has the page has its key.
"""

from __future__ import annotations

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from allos.errors import LogError

_KEY_BYTES = 32


def page_key(log_path: Path, page: str) -> str:
    """Key with which one page signs, in hexadecimal; the log's own is made when there is none.

    Parameters
    ----------
    log_path : pathlib.Path
        File of the log.
    page : str
        Id of the page.

    Raises
    ------
    LogError
        The log's key cannot be read or written.
    """
    return _sign(_log_key(log_path), page)


def signature(key: str, text: str) -> str:
    """HMAC-SHA256 of a text, in hexadecimal. See RFC 2104.

    Examples
    --------
    >>> signature("6b6579", "text")[:8]
    '6afa9046'
    """
    return _sign(bytes.fromhex(key), text)


def is_signed(log_path: Path, page: str, text: str, found: str) -> bool:
    """Whether a text was signed with the key of a page of this log."""
    expected = signature(page_key(log_path, page), text)
    return hmac.compare_digest(expected.encode(), found.encode(errors="replace"))


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(errors="surrogatepass"), sha256).hexdigest()


def _log_key(log_path: Path) -> bytes:
    path = log_path.with_name(f"{log_path.name}.votes-key")
    try:
        key = _read(path) or _create(path)
    except (OSError, ValueError) as exc:
        raise LogError(f"the key of votes cannot be read or written: {path}: {exc}") from None
    return key


def _read(path: Path) -> bytes | None:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    if len(key) != _KEY_BYTES:
        raise ValueError("it is damaged")
    return key


def _create(path: Path) -> bytes:
    """Create the file whole, so that no process reads a half; the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not path.exists():
                os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    key = _read(path)
    if key is None:
        raise FileNotFoundError(path)
    return key
