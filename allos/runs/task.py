"""One call of a run as plain data, which holds no key and can go to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from allos.messages import Message

_KEY_HOLDERS = frozenset({"api_key", "headers"})
"""Options whose values are, or may be, keys: they never become part of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One call of a run, as plain data: it can be pickled and sent to another process.

    What is not plain data stays with the run, in the column that `column` points to: a provider
    object, `api_key` and `headers`, a schema class, the functions of tools. `withheld` names it.
    """

    key: str
    """Names the task within its run; the same in every process for the same grid."""
    prompt: int = 0
    """Index of the prompt."""
    row: int = 0
    """Index of the row of the data; 0 without data."""
    column: int
    """Index into the run's table of columns."""
    sample: int = 0
    """Which repeat of its column this is, from 0."""
    repeat: int = 0
    """Which of the equal calls of the run this is, over all columns that ask the same."""
    messages: tuple[Message, ...]
    """The conversation, with the row's values put in."""
    model: str
    """``provider/model``."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the call and options of its provider, as far as they are plain data."""
    withheld: tuple[str, ...] = ()
    """Names of what only the run's column holds; ``"model"`` stands for a provider object."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The row's values that were put into the prompt, by name."""


def split_plain(options: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Split keywords into those that are plain data and the names of those that are not.

    Examples
    --------
    >>> split_plain({"temperature": 0, "api_key": "sk-example", "schema": dict})
    ({'temperature': 0}, ('api_key', 'schema'))
    """
    plain = {
        name: value
        for name, value in options.items()
        if name not in _KEY_HOLDERS and _is_plain(value)
    }
    return plain, tuple(name for name in options if name not in plain)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(item) for name, item in value.items())
    return value is None or isinstance(value, bool | int | float | str | bytes)
