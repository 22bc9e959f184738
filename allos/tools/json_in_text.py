"""JSON in an answer: models put words, fences and marks around it, and line breaks into strings.

What is read is JSON in every other respect: nothing is completed, quoted or guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_END_MARK = re.compile(
    r"(?:<\|[a-z_]{2,20}\|>|<｜[^｜]{2,30}｜>|</s>|<end_of_turn>|<turn\|>|\[/INST\]|\x00)\Z",
    re.IGNORECASE,
)
"""End marks of chat templates, which a server should have removed."""
_END_MARK_CHARS = 40
"""More than the length of any."""

_FENCED = re.compile(r"(```|~~~)[ \t]*(?:json[\w-]*)?(.*?)(?:\1|\Z)", re.DOTALL | re.IGNORECASE)
_STARTS = re.compile(r"[{\[]")
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f]")
_ESCAPES = re.compile(  # in this order: both halves of a character, one half, any other escape
    r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>\\u[dD][89a-fA-F]..)|\\.", re.DOTALL
)

# Finds out where JSON ends: numbers, which have limits of their own, are left alone.
_decode = json.JSONDecoder(strict=False, parse_int=str, parse_float=str).raw_decode


def json_texts(answer: str) -> Iterator[str]:
    r"""Return the JSON texts in an answer, in the order in which they should be tried.

    Parameters
    ----------
    answer : str
        Text of a model.

    Yields
    ------
    str
        Valid JSON: the whole answer or, if that is none, the content of code fences, then every object
        and array with words around it. Parts of an object or array are not returned on their own,
        whether it is valid or damaged.

    Examples
    --------
    >>> [*json_texts('Sure:\n```json\n{"a": 1}\n```')]
    ['{"a": 1}']
    >>> [*json_texts('{"a": "two\nlines"}<|im_end|>')]
    ['{"a": "two\\nlines"}']
    >>> [*json_texts('[1] is a source, {"a": [2]} the answer')]
    ['[1]', '{"a": [2]}']
    """
    text = _without_end_marks(answer.removeprefix("\ufeff")).strip()
    if (whole := _whole(text)) is not None:
        yield whole
        return
    found = set()
    if not text.startswith(("{", "[")):
        for fence in _FENCED.finditer(text):
            content = fence[2].strip()
            if (fenced := _whole(content)) is not None:
                found.add(fenced)
                yield fenced
    for value in _values(text):
        if value not in found:
            yield value


def first_match(answer: str, parse: Callable[[str], T]) -> T:
    """Return what `parse` makes of the first JSON text of an answer that it does not reject.

    Raises
    ------
    ValueError
        There is none: the reason of the longest one, or that the answer is not JSON.
    """
    reasons: dict[int, ValueError] = {}
    for text in json_texts(answer):
        try:
            return parse(text)
        except ValueError as exc:
            reasons.setdefault(len(text), exc)
    if reasons:
        raise reasons[max(reasons)]
    try:
        json.loads(answer)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"it is not valid JSON ({exc})") from None
    raise ValueError("it is not valid JSON")


def _without_end_marks(text: str) -> str:
    """The text without what some models go on to write; there may be thousands of them."""
    end = len(text)
    while True:
        tail = text[max(0, end - _END_MARK_CHARS) : end]
        kept = tail.rstrip()
        mark = _END_MARK.search(kept)
        if mark is None and (kept or not tail):
            return text[:end]
        end -= len(tail) - (mark.start() if mark else 0)


def _whole(text: str) -> str | None:
    """The text, if it is JSON."""
    try:
        _, end = _decode(text)
    except (ValueError, RecursionError):
        return None
    return _escaped(text) if end == len(text) else None


def _values(text: str) -> Iterator[str]:
    """Objects and arrays in a text, from left to right."""
    at = 0
    while start := _STARTS.search(text, at):
        begin = start.start()
        try:
            _, end = _decode(text, begin)
        except json.JSONDecodeError as exc:
            # A bracket in prose breaks at once; otherwise it is damaged JSON, of which no part counts.
            is_prose = not text[begin + 1 : exc.pos].strip()
            past = begin + 1 if is_prose else _end_of_brackets(text, begin)
            if past is None:
                return
            at = past
        except RecursionError:
            return
        else:
            yield _escaped(text[begin:end])
            at = end


def _end_of_brackets(text: str, begin: int) -> int | None:
    """Position behind the bracket that closes the one at `begin`; None where none does."""
    depth = 0
    for token in _TOKENS.finditer(text, begin):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def _escaped(text: str) -> str:
    """JSON with the control characters in its strings escaped, and half characters as U+FFFD."""
    if "\\u" in text:
        text = _ESCAPES.sub(lambda found: r"\ufffd" if found["half"] else found[0], text)
    if not _CONTROLS.search(text):
        return text
    return _STRINGS.sub(
        lambda string: _CONTROLS.sub(lambda found: json.dumps(found[0])[1:-1], string[0]), text
    )
