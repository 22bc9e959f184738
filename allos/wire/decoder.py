"""What turns a response into events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from jiter import from_json

from allos.errors import ProviderError
from allos.events import Event, Unplaced
from allos.wire import error_mapping
from allos.wire.json_fields import parse_damaged, parse_json
from allos.wire.surrogates import HalfJoiner

_END_MARKS = frozenset({b"[DONE]", b"DONE"})


class Decoder(ABC):
    """Decodes one response: event by event, or complete."""

    done: bool = False
    """The API's own end signal came."""
    may_go_on: bool = False
    """The end signal came with the first piece; some servers put one beside every piece."""
    closed: bool = False
    """Nothing more will come; stop reading."""
    error: ProviderError | None = None
    """The service's own report that the call failed, sent beside a piece of the response."""
    joiner: HalfJoiner | None = None
    """Joins the halves of characters in the events, once `parse` has met one."""

    @abstractmethod
    def decode_event(self, name: str, data: bytes) -> Iterable[Event]:
        """Return the events in one server-sent event; those before an error count."""

    @abstractmethod
    def decode_response(self, response: dict[str, Any]) -> Iterable[Event]:
        """Return the events in a complete response; those before an error count."""

    def flush(self) -> list[Event]:
        """Return what was held back, once no more will come."""
        return []

    def end(self) -> list[Event]:
        """Return what `flush` and the `joiner` had held back."""
        events = self.flush()
        if self.joiner is None:
            return events
        return [*self.joiner.end(), *self.joiner.join(events)]

    def parse(self, data: bytes) -> Any:
        """Parse the JSON of one event, and keep the halves of characters for the `joiner`.

        Raises
        ------
        IncompleteStreamError
            It is not JSON.
        """
        try:
            return from_json(data, cache_mode="keys")
        except ValueError:
            value = parse_damaged(data)
            self.joiner = self.joiner or HalfJoiner()
            return value

    def decode_other(self, name: str, data: bytes) -> list[Event]:
        """Return the events in an event whose data is no JSON object: an end mark, a sign of life.

        Raises
        ------
        ProviderError
            It is an error in words, or JSON that is cut off.
        """
        if not data:
            return []
        if data.strip(b" \"'").upper() in _END_MARKS or data.startswith(b"[DONE]"):
            self.done = self.closed = True
            return []
        if name == "error":
            raise error_mapping.from_body(data)
        inner = data[5:].lstrip() if data.startswith(b"data:") else b""
        if inner and not inner.startswith(b"data:"):  # a gateway's field before the service's own
            return [*self.decode_event(name, inner)]
        if data.startswith((b"[", b'"')):
            value = parse_json(data)
            if isinstance(value, str) and value.startswith("{"):  # JSON within JSON
                return [*self.decode_event(name, value.encode())]
            return [Unplaced("an event that is no object", value)]
        return [Unplaced("an event that is no JSON", data.decode("utf-8", "replace"))]
