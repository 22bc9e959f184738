"""Rows that are whole conversations: exported chats, and the examples of evals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.errors import ConfigurationError
from allos.messages import Message, MessageRole, as_messages

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("messages", "input")
"""Where the conversation is: in chat exports, and in the samples of OpenAI evals."""
EXPECTED = "ideal"
"""Column of the expected answer, as in OpenAI evals."""


class Chats(NamedTuple):
    """Conversations of a table, to be answered."""

    conversations: tuple[tuple[Message, ...], ...]
    frame: pd.DataFrame
    """The data; what an exported chat ends with is its column `ideal`."""


def chats_of(frame: pd.DataFrame, system: str | None) -> Chats:
    """Conversations of the rows, each without the answer that it ends with.

    Raises
    ------
    ConfigurationError
        The data has no conversations, or a row is none.
    """
    name = next((name for name in _COLUMNS if name in frame.columns), None)
    if name is None:
        raise ConfigurationError(
            "Without prompt= the data must have a column 'messages' with lists of messages. "
            "Nothing was sent."
        )
    conversations, expected = [], []
    for label, value in zip(frame.index, frame[name].tolist(), strict=True):
        try:
            turns = _turns(value)
        except (ValueError, TypeError, KeyError) as exc:
            raise ConfigurationError(
                f"{name!r} at index {label!r} is not a list of messages ({exc}): expected "
                "[{'role': 'user', 'content': '...'}, ...]. Nothing was sent."
            ) from None
        is_answered = len(turns) > 1 and turns[-1].role is MessageRole.ASSISTANT
        expected.append(turns[-1].text if is_answered else None)
        conversations.append(as_messages(turns[:-1] if is_answered else turns, system))
    if EXPECTED not in frame.columns and any(text is not None for text in expected):
        frame = frame.copy()
        frame[EXPECTED] = expected
    return Chats(tuple(conversations), frame)


def _turns(value: Any) -> list[Message]:
    found = json.loads(value) if isinstance(value, str) else value
    if isinstance(value, str) and not isinstance(found, list):
        raise ValueError("it is a text")
    if not isinstance(found, Sequence) and hasattr(found, "tolist"):
        found = found.tolist()
    turns = [_turn(turn) for turn in found]
    if not turns:
        raise ValueError("it is empty")
    return turns


def _turn(turn: Mapping[str, Any]) -> Message:
    content = turn["content"]
    if not isinstance(content, str):
        content = [_text(part) for part in content]
    return Message(MessageRole(turn["role"]), content)


def _text(part: Mapping[str, Any]) -> str:
    if part.get("type") not in ("text", "input_text", "output_text"):
        raise ValueError(f"a part of type {part.get('type')!r} is not supported, only text")
    return str(part["text"])
