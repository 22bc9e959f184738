"""What a body holds, whatever its headers say: compressed or not, one JSON value or several."""

from __future__ import annotations

import re
import zlib
from json import JSONDecoder
from typing import Any

from allos.wire.json_fields import repaired_json

BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*\"\w|\[\s*[{\]]|data:|event:|: ?\w|<!?\w)")
_BETWEEN = re.compile(  # values of an event stream, or one a line, or in a row
    r"(?:\s|,|\[DONE\]|:[^\n]*|(?:event|id|retry):[^\n]*|data:)*", re.IGNORECASE
)


class Inflater:
    """Decompresses a body that is gzip without saying so; any other passes unchanged."""

    def __init__(self) -> None:
        self._unzip: Any = None
        self._is_known = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the next bytes of the body.

        Raises
        ------
        zlib.error
            It is damaged.
        """
        if not self._is_known and chunk:
            self._is_known = True
            if chunk.startswith(_GZIP):
                self._unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return chunk if self._unzip is None else self._unzip.decompress(chunk)


def inflated(content: bytes) -> bytes:
    """Return a body decompressed, where it is gzip without saying so."""
    try:
        return Inflater().feed(content)
    except zlib.error:
        return content


def looks_encoded(start: bytes, encoding: str) -> bool:
    """Whether a body can begin so in a content encoding; only some of them have a mark."""
    if encoding in ("gzip", "x-gzip"):
        return start.startswith(_GZIP)
    if encoding == "zstd":
        return start.startswith(b"\x28\xb5\x2f\xfd")
    # Neither deflate nor brotli has a mark, but none begins with a word of JSON or of a stream.
    return _PLAIN.match(start) is None


def json_values(content: bytes) -> list[Any]:
    """Return the JSON values in a body: one, a list of them, or several in a row.

    Text after the last value, and text that holds none, is left out.
    """
    content = content.removeprefix(BOM)
    try:
        value = repaired_json(content)
    except ValueError:
        return _in_a_row(content.decode("utf-8", "replace"))
    if isinstance(value, str) and value.startswith("{"):  # JSON within JSON
        return json_values(value.encode())
    return value if isinstance(value, list) else [value]


def _in_a_row(text: str) -> list[Any]:
    values: list[Any] = []
    decoder = JSONDecoder(strict=False)
    at = 0
    while found := _BETWEEN.match(text, at):
        try:
            value, at = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values
