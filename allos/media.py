"""Images, audio and other media inside the JSON of an answer, whatever API it came from.

Services put them into data URLs, or in base64 into a field of their own (`data`, `result`, `b64_json`).
What an image is, its first bytes decide, never a label: SVG and everything else that can act is none.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from allos.parts import MAX_IMAGE_BYTES, Image, image_type

_DATA_URL = re.compile(r"data:([^,;]{0,100})[^,]{0,200}?;base64,", re.I)
_BASE64_FIELDS = frozenset({"data", "result", "b64_json"})
_TYPE_FIELDS = ("media_type", "mime_type", "mimeType")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_MAX_DEPTH = 16
_LIKE_STANDARD = str.maketrans("+/", "-_", " \t\r\n=")


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes in an answer, or where they are."""

    media_type: str | None
    """Of an image by its bytes, of anything else as the service says; None where neither tells."""
    data: bytes | None
    url: str | None = None
    """An ``http`` or ``https`` URL in place of the bytes. Nothing fetches it."""


def find_media(value: Any) -> Iterator[Media]:
    """Yield the media in a JSON value, in order.

    Examples
    --------
    >>> part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    >>> [found.media_type for found in find_media(part)]
    ['image/png']
    """
    return _walk(value, "", None, 0)


def _walk(value: Any, name: str, declared: str | None, depth: int) -> Iterator[Media]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        declared = _declared(value)
        for key, inner in value.items():
            yield from _walk(inner, str(key), declared, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, name, declared, depth + 1)
    elif isinstance(value, str):
        found = _DATA_URL.match(value)
        if found is not None:
            yield from _decoded(value[found.end() :], found[1].lower())
        elif name in _BASE64_FIELDS:
            yield from _decoded(value, declared)
        elif name in ("url", "image_url") and value.lower().startswith(("http://", "https://")):
            yield Media(declared, None, value)


def _declared(part: Mapping[str, Any]) -> str | None:
    kind = next((part[name] for name in _TYPE_FIELDS if isinstance(part.get(name), str)), None)
    if kind is None and "audio" in str(part.get("type")):
        form = part.get("format")
        kind = f"audio/{form}" if isinstance(form, str) else "audio/pcm"
    return kind.lower() if kind is not None else None


def _decoded(text: str, declared: str | None) -> Iterator[Media]:
    plain = text.translate(_LIKE_STANDARD)
    try:
        data = urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except ValueError:
        return
    actual = image_type(data) or _audio_type(data)
    is_known = declared is not None and _MEDIA_TYPE.fullmatch(declared) is not None
    if actual is not None or is_known:
        yield Media(actual or declared, data)


def _audio_type(data: bytes) -> str | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "audio/wav"
    if data.startswith((b"ID3", b"\xff\xfb")):
        return "audio/mpeg"
    return {b"OggS": "audio/ogg", b"fLaC": "audio/flac"}.get(data[:4])


def images_in(parts: Iterable[Any]) -> tuple[Image, ...]:
    """Images in parts of an answer, each once; those beyond the limit of `Image` are left out."""
    found = (media.data for media in find_media(list(parts)))
    images = (
        Image(data=data)
        for data in found
        if data is not None and image_type(data) and len(data) <= MAX_IMAGE_BYTES
    )
    return tuple(dict.fromkeys(images))


def describe_parts(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Facts of parts, without their bytes: `type`, and for media `media_type`, `size_bytes`, `sha256`.

    Parameters
    ----------
    parts : iterable of mapping
        As the service sent them. One with several media gives several entries.

    Examples
    --------
    >>> describe_parts([{"type": "web_search_call", "id": "ws_1"}])
    [{'type': 'web_search_call'}]
    """
    return [entry for part in parts for entry in _entries(part)]


def _entries(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    facts = {name: part[name] for name in ("type", "name") if isinstance(part.get(name), str)}
    found = [
        {**facts, **({"media_type": media.media_type} if media.media_type else {}), **_where(media)}
        for media in find_media(dict(part))
        if media.data is not None or str(facts.get("type")).startswith(("image", "output_image"))
    ]
    return found or [facts]


def _where(media: Media) -> dict[str, Any]:
    if media.data is None:
        return {"url": media.url}
    return {"size_bytes": len(media.data), "sha256": hashlib.sha256(media.data).hexdigest()}


def pixel_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of an image; None where its first bytes do not tell.

    Examples
    --------
    >>> pixel_size(b"GIF89a\\x02\\x00\\x03\\x00")
    (2, 3)
    """
    kind = image_type(data)
    if kind == "image/png" and len(data) >= 24:
        return _number(data[16:20]), _number(data[20:24])
    if kind == "image/gif" and len(data) >= 10:
        return _number(data[7:5:-1]), _number(data[9:7:-1])
    if kind == "image/webp":
        return _webp_size(data)
    return _jpeg_size(data) if kind == "image/jpeg" else None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _webp_size(data: bytes) -> tuple[int, int] | None:
    # https://developers.google.com/speed/webp/docs/riff_container
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + _number(data[26:23:-1]), 1 + _number(data[29:26:-1])
    if kind == b"VP8L" and len(data) >= 25:
        bits = _number(data[24:20:-1])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        return _number(data[27:25:-1]) & 0x3FFF, _number(data[29:27:-1]) & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    # Segments up to the start of a frame, SOF0 to SOF15 without DHT, JPG and DAC (ITU T.81, B.1.1.3).
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
        at += 2 + _number(data[at + 2 : at + 4])
    return None
