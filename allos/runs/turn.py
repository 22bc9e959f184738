"""One turn of a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from allos.messages import Message
from allos.response import ProviderResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and its answer, with the tool calls in between."""

    messages: tuple[Message, ...]
    response: ProviderResponse
    system: str | None
    """System message of this turn."""
    cell_id: str | None
    execution_count: int | None
    """None for a turn of an earlier process."""
