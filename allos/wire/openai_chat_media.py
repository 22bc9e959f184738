"""What a message of Chat Completions holds beside text: images, audio and parts of unknown types."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from allos.wire.json_fields import text

_UNKNOWN = "chat.unknown"


def content_part(value: Any) -> dict[str, Any]:
    """Return a part of the content as an object with a type; a text is the URL of an image.

    Examples
    --------
    >>> content_part("data:image/png;base64,iVBORw0KGgo=")["type"]
    'image_url'
    """
    if isinstance(value, str):
        return {"type": "image_url", "image_url": {"url": value}}
    if not isinstance(value, dict):
        return {"type": _UNKNOWN, "content": value}
    if text(value.get("type")):
        return value
    kind = "image_url" if "image_url" in value or "b64_json" in value else _UNKNOWN
    return {"type": kind, **value}


class AudioPieces:
    """Joins the pieces of a spoken answer."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._data: list[str] = []
        self._transcript: list[str] = []

    def add(self, audio: dict[str, Any]) -> str | None:
        """Add a piece; return what it adds to the words."""
        if data := text(audio.get("data")):
            self._data.append(data)
        if spoken := text(audio.get("transcript")):
            self._transcript.append(spoken)
        facts = {name: value for name, value in audio.items() if value is not None}
        self._facts |= {n: value for n, value in facts.items() if n not in ("data", "transcript")}
        return spoken

    def part(self) -> dict[str, Any] | None:
        """Return the part of all pieces; None where there were none."""
        if not (self._facts or self._data or self._transcript):
            return None
        part = {"type": "audio", **self._facts}
        if self._data:
            part["data"] = _joined(self._data)
        if self._transcript:
            part["transcript"] = "".join(self._transcript)
        return part


def _joined(pieces: list[str]) -> str:
    """Join base64 whose pieces may be padded one by one."""
    if not any(piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    try:
        return b64encode(b"".join(map(b64decode, pieces))).decode("ascii")
    except ValueError:  # not base64: as it came
        return "".join(pieces)
