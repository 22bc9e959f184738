"""What turns a response into events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from jiter import from_json

from allos.errors import ProviderError
from allos.events import Event
from allos.wire.json_fields import parse_damaged
from allos.wire.surrogates import HalfJoiner


class Decoder(ABC):
    """Decodes one response: event by event, or complete."""

    done: bool = False
    """The API's own end signal came."""
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
