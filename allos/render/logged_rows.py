"""Responses and parameters from rows of a frame that has the log's columns.

pandas is used through the frame's own methods, so that nothing here imports it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos import errors
from allos.call_params import PARAM_COLUMNS
from allos.errors import AllosError
from allos.messages import ToolCall
from allos.render.media import part_label
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

_METADATA = (
    *("provider", "model", *PARAM_COLUMNS, "status", "finish_reason", "attempts", "request_id"),
    *(
        "latency_s",
        "total_time_s",
        "queue_s",
        "time_to_first_token_s",
        "tokens_per_second",
        "cost_usd",
        "usage_source",
    ),
    *("input_tokens", "output_tokens", "reasoning_tokens", "error_type", "error_message"),
)


ANSWER_COLUMNS = ("content", "reasoning", "refusal", "tool_calls", "parts", *_METADATA)
"""Columns that `response_of` makes a response of, apart from its id and its times."""


def records(frame: pd.DataFrame) -> list[Mapping[Any, Any]]:
    """Rows as dicts of plain Python values; null is None."""
    plain = frame.astype(object).where(frame.notna(), None)
    times = set(frame.select_dtypes(include=["datetime", "datetimetz"]).columns)
    rows: list[Mapping[Any, Any]] = []
    for row in plain.to_dict("records"):
        # pandas' times convert to another zone in another way than Python's.
        for name in times:
            row[name] = row[name] and row[name].to_pydatetime()
        rows.append(row)
    return rows


def response_of(row: Mapping[str, Any]) -> ProviderResponse:
    """Response that a row of the log was made of, as far as the log keeps it.

    Not in the log, and so not here: the value in `parsed`, `raw`, and the fields of an error besides
    its class and message.

    Examples
    --------
    >>> row = {"provider": "groq", "model": "m", "content": "Hello!", "status": "ok"}
    >>> response_of(row).metadata
    {'provider': 'groq', 'model': 'm', 'status': 'ok'}
    """
    return ProviderResponse(
        content=row.get("content") or "",
        reasoning=row.get("reasoning"),
        refusal=row.get("refusal"),
        tool_calls=[ToolCall(**facts) for facts in _json(row.get("tool_calls")) or []],
        metadata=_metadata(row),
        error=_error(row.get("error_type"), row.get("error_message")),
        id=row.get("id"),
        created_at=row.get("created_at"),
        completed_at=row.get("completed_at"),
        replayed=bool(row.get("replayed")),
    )


def _metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name in _METADATA if (value := row.get(name)) is not None}
    parts = _json(row.get("parts"))
    return {**known, "parts": parts} if parts else known


def variables_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Values that were put into the prompt, by name."""
    return {name: str(value) for name, value in (_json(row.get("variables")) or {}).items()}


def prompt_labels(row: Mapping[str, Any]) -> list[str]:
    """Labels of the images and files of the last user message; the log has no bytes."""
    messages = _json(row.get("messages")) or []
    content = next((m.get("content") for m in reversed(messages) if m["role"] == "user"), None)
    parts = content if isinstance(content, list) else []
    return [
        ", ".join(filter(None, (part.get("name"), part_label(part))))
        for part in parts
        if part.get("type") != "text"
    ]


def message_count(row: Mapping[str, Any]) -> int:
    """How many messages were sent, system messages not counted."""
    return sum(message["role"] != "system" for message in _json(row.get("messages")) or [])


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _error(name: str | None, message: str | None) -> AllosError | None:
    if name is None and message is None:
        return None
    kind = getattr(errors, name or "", None)
    if isinstance(kind, type) and issubclass(kind, AllosError):
        return kind(message or name)
    return AllosError(message or name)
