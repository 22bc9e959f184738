"""The arguments of a tool call, from the pieces that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from json import JSONDecoder, dumps
from typing import Any, NamedTuple

from allos.wire.json_fields import repaired_json


class ReadArguments(NamedTuple):
    """What became of the arguments of a call."""

    arguments: dict[str, Any]
    raw: str | None = None
    """The text that they came as, where it is no JSON object."""
    error: str | None = None
    """Why it is none."""


def read_arguments(pieces: Sequence[str], value: Any = None) -> ReadArguments:
    """Read the arguments of a call.

    Parameters
    ----------
    pieces : sequence of str
        Their JSON text, as it was cut. Some servers repeat it, from the start or as a whole.
    value : Any
        The arguments as a JSON value, where a service sent one; text that can be read goes before.

    Examples
    --------
    >>> read_arguments(['{"a"', ": 1}"]).arguments
    {'a': 1}
    >>> read_arguments(['{"a": 1}', '{"a": 1}']).arguments
    {'a': 1}
    >>> read_arguments(['{"a"']).raw
    '{"a"'
    """
    text = "".join(pieces)
    if isinstance(value, str):  # text in the place of a value
        text, value = text or value, None
    if not text.strip() or text.strip() == "null":
        return _of_value({} if value is None else value, text)
    try:
        found = _parsed(text)
    except ValueError as exc:
        found = value if isinstance(value, dict) else _repeated(pieces, text)
        if found is None:
            return ReadArguments({}, text, f"arguments are not valid JSON: {exc}")
    return _of_value(found, text)


def _of_value(value: Any, text: str) -> ReadArguments:
    if isinstance(value, str) and value.lstrip().startswith("{"):  # JSON within JSON
        try:
            value = _parsed(value)
        except ValueError as exc:
            return ReadArguments({}, text, f"arguments are not valid JSON: {exc}")
    if isinstance(value, dict):
        return ReadArguments(value)
    text = text or dumps(value, ensure_ascii=False)
    return ReadArguments({}, text, "arguments must be a JSON object")


def _parsed(text: str) -> Any:
    return repaired_json(text.encode("utf-8", "surrogatepass"))


def _repeated(pieces: Sequence[str], text: str) -> dict[str, Any] | None:
    """Return arguments that were sent more than once, behind a placeholder or piece upon piece."""
    values: list[Any] = []
    decoder, at = JSONDecoder(strict=False), 0
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            values += [] if value in ({}, None) else [value]
            at += len(text[at:]) - len(text[at:].lstrip())
    except (ValueError, RecursionError):
        whole = [piece for piece in pieces if piece]
        if len(whole) < 2 or not all(b.startswith(a) for a, b in pairwise(whole)):
            return None
        return _object(whole[-1])
    known = values[:1]
    return (
        known[0] if known and isinstance(known[0], dict) and values == known * len(values) else None
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = _parsed(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
