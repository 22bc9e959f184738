"""Small pictures and documents, and stand-ins for the libraries that make them."""

from __future__ import annotations

import struct
import zlib
from typing import Any


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """A red PNG of this size."""
    row = b"\0" + b"\xff\0\0" * width
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(row * height))
        + _chunk(b"IEND", b"")
    )


PNG = png(1, 1)
"""One red pixel."""
JPEG = b"\xff\xd8\xff\xe0" + bytes(16)
GIF = b"GIF89a" + bytes(16)
WEBP = b"RIFF\x1a\0\0\0WEBPVP8 " + bytes(16)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def stand_in(module: str, name: str, base: type[Any]) -> type[Any]:
    """Class that is called as a library's own, so that no library is needed to have one."""
    return type(name, (base,), {"__module__": module})
