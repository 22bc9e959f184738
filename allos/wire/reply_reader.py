"""Reads the body of a success, as an event stream or as complete JSON, by what it holds.

Its content type and its content encoding are claims that gateways get wrong; what was asked for is
not always what a server sends.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from allos.errors import IncompleteStreamError, InvalidResponseError, ProviderError
from allos.events import Event
from allos.wire import error_mapping
from allos.wire.body_text import BOM, Inflater, json_values
from allos.wire.decoder import Decoder
from allos.wire.http_io import encode_json, with_header_facts
from allos.wire.sse import ServerEvent, SseDecoder

_BLANK = BOM + b" \t\r\n"


class ReplyReader:
    """Feed it a body as it arrives; it hands out the events that are complete.

    Parameters
    ----------
    decoder : Decoder
    headers : mapping
        Of the response.
    """

    def __init__(self, decoder: Decoder, headers: Mapping[str, str]) -> None:
        self.decoder = decoder
        self.headers = headers
        self.raw: Any = None
        """The complete response as JSON values."""
        self.error: Exception | None = None
        """Why the call failed, although some of the response came."""
        self._inflater = Inflater()
        self._sse = SseDecoder()
        self._unread: list[bytes] = []
        """The body, as long as nothing in it is of an event stream."""
        self._is_json: bool | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; those before an error count."""
        try:
            chunk = self._inflater.feed(chunk)
        except zlib.error as exc:
            self.error = InvalidResponseError(f"the answer's compression is damaged ({exc})")
            return []
        if self._sse.seen_field:
            return self._decode(self._sse.feed(chunk))
        self._unread.append(chunk)
        if self._is_json is None and (start := chunk.lstrip(_BLANK)):
            self._is_json = start.startswith((b"{", b"["))
        if self._is_json:
            return []
        return self._decode(self._sse.feed(chunk))

    def end(self) -> list[Event]:
        """Return what the end of the body completes, and settle `error`."""
        events: list[Event] = []
        if self.error is None and not self.decoder.closed:
            events += self._decode(self._sse.end())
            if not self._sse.seen_field:
                events += self._complete(b"".join(self._unread))
        events += self.decoder.end()
        if self.decoder.error is not None:
            self.error = self.decoder.error
        elif self.raw is None and self.decoder.done:
            self.error = None  # what ends after the API's own end signal has nothing left to lose
        elif self.error is None and self.raw is None and not self.decoder.done:
            self.error = IncompleteStreamError(
                "the stream ended before the answer was complete", retryable=True
            )
        if self.error is not None:
            with_header_facts(self.error, self.headers)
        return events

    def _decode(self, arrived: list[ServerEvent]) -> list[Event]:
        events: list[Event] = []
        decoder = self.decoder
        for name, data in arrived:
            try:
                found = decoder.decode_event(name, data)
                if decoder.joiner is not None:
                    found = decoder.joiner.join(found)
                events.extend(found)  # one by one: an error keeps them
            except IncompleteStreamError as exc:
                lines = data.split(b"\n")
                if len(lines) == 1:
                    self.error = exc
                    return events
                # A server that leaves out the blank lines between events.
                events += self._decode([ServerEvent(name, line) for line in lines])
            except Exception as exc:  # noqa: BLE001 - handed on
                self.error = exc
            if decoder.error is not None:
                self.error = decoder.error
            if self.error is not None or decoder.closed:
                break
        return events

    def _complete(self, content: bytes) -> list[Event]:
        """Events of a body that is no event stream: one JSON value, or one for each event."""
        values = json_values(content)
        if not values:
            self.error = error_mapping.no_answer(content, self.headers)
            return []
        if len(values) > 1:
            return self._decode([ServerEvent("", encode_json(value)) for value in values])
        (self.raw,) = values
        if not isinstance(self.raw, dict):
            self.error = InvalidResponseError(
                "the service answered with JSON that is not an object"
            )
            return []
        events: list[Event] = []
        try:
            # What a failed response holds (its id, its tokens, some text) comes before its error.
            events.extend(self.decoder.decode_response(self.raw))
        except ProviderError as exc:
            self.error = exc
        if isinstance(error := self.error or self.decoder.error, ProviderError):
            error.status_code = error.status_code or 200
        return events
