"""Changing texts before they are written: the hook of `allos.log.redact`."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from allos.log.columns import STORED_NAMES
from allos.log.json_text import to_json_text
from allos.log.pending_rows import Row
from allos.log.rows import pack, unpack
from allos.log.store.protocol import Rating, RawJson, Vote

T = TypeVar("T", Row, Rating, Vote)

FAILED = "(not logged: the redaction failed)"
_TEXTS = frozenset(
    {"system", "prompt", "content", "reasoning", "refusal", "error_message", "note", "conversation"}
)
_JSON = frozenset(
    {"messages", "variables", "tool_calls", "parts", "citations", "logprobs", "response_extra"}
    | {"params", "retry_log", "tags", "metadata"}
)


def redacted(item: T, function: Callable[[str], str]) -> T:
    """Item with its texts changed; where the function fails, without them."""
    try:
        return _changed(item, function)
    except Exception as error:  # noqa: BLE001  # a function of the user's
        with contextlib.suppress(RuntimeWarning):  # where warnings are errors
            warnings.warn(
                f"the redaction of the log failed ({error!r}): texts are not logged",
                RuntimeWarning,
                stacklevel=2,
            )
        return _changed(item, lambda _: FAILED)


def _changed(item: T, function: Callable[[str], str]) -> T:
    def text_of(text: str) -> str:
        found: object = function(text)
        if not isinstance(found, str):
            raise TypeError(f"it returned {type(found).__name__} instead of a string")
        return found

    def value_of(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if name in _TEXTS:
            return text_of(value)
        return _json(value, text_of) if name in _JSON else value

    if not isinstance(item, Row):
        return type(item)(*map(value_of, item._fields, item))
    values = dict(zip(STORED_NAMES, map(value_of, STORED_NAMES, item.values), strict=True))
    before = item.values[STORED_NAMES.index("content")]
    if values["content"] != before:
        values["logprobs"] = (
            None  # its tokens are pieces of the text: what is in them cannot be found
        )
    raw = item.raw and RawJson(
        item.raw.id, *(_raw(data, text_of) for data in (item.raw.request, item.raw.reply))
    )
    return Row(tuple(values.values()), raw)


def _json(text: str, function: Callable[[str], str]) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return function(text)
    return to_json_text(_mapped(value, function))


def _raw(data: bytearray | None, function: Callable[[str], str]) -> bytearray | None:
    text = unpack(data)
    return None if text is None else pack(_json(text, function))


def _mapped(value: Any, function: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return function(value)
    if isinstance(value, list):
        return [_mapped(each, function) for each in value]
    if isinstance(value, dict):
        return {key: _mapped(each, function) for key, each in value.items()}
    return value
