"""Words of a magic's line: split at whitespace, quotes and JSON kept together."""

from __future__ import annotations

import json
from typing import NamedTuple

from allos.errors import ConfigurationError


class Word(NamedTuple):
    """One word of the line."""

    text: str
    """The word without its quotes."""
    quoted: bool
    """Whether it started with a quote: then it is text, never a name or a flag."""


def split_words(line: str) -> list[Word]:
    r"""Split a line at whitespace; quotes and JSON hold together, a backslash escapes a quote.

    Raises
    ------
    ConfigurationError
        A quote is not closed.

    Examples
    --------
    >>> [word.text for word in split_words('groq "Say hi" -s \'Be terse\'')]
    ['groq', 'Say hi', '-s', 'Be terse']
    >>> [word.text for word in split_words('--params {"top_p": 0.5, "stop": ["a b"]} -q')]
    ['--params', '{"top_p": 0.5, "stop": ["a b"]}', '-q']
    """
    found: list[Word] = []
    pos = 0
    while pos < len(line):
        if line[pos].isspace():
            pos += 1
            continue
        if (end := _brackets_end(line, pos)) is not None:
            found.append(Word(line[pos:end], False))
            pos = end
            continue
        text, quoted = "", line[pos] in "\"'"
        while pos < len(line) and not line[pos].isspace():
            char = line[pos]
            if char in "\"'" and (not text or text.endswith("=")):
                inner, pos = _unquote(line, pos)
                text += inner
            elif text.endswith("=") and (end := _brackets_end(line, pos)) is not None:
                text, pos = text + line[pos:end], end
            else:
                text += char
                pos += 1
        found.append(Word(text, quoted))
    return found


def _unquote(line: str, start: int) -> tuple[str, int]:
    """Text of the quote that starts here, and the position after it."""
    quote, text, pos = line[start], "", start + 1
    while pos < len(line):
        if line[pos] == "\\" and line[pos + 1 : pos + 2] in (quote, "\\"):
            text += line[pos + 1]
            pos += 2
        elif line[pos] == quote:
            return text, pos + 1
        else:
            text += line[pos]
            pos += 1
    raise ConfigurationError(f"A quote ({quote}) is not closed. Nothing was sent.")


def _brackets_end(line: str, start: int) -> int | None:
    """Position after the JSON object or array that starts here; None when there is none.

    Almost-JSON such as ``{top_p: 1}`` is kept together as well, so that the error can quote all of it.
    """
    if line[start] not in "{[":
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        depth, quote = 0, ""
        for end, char in enumerate(line[start:], start + 1):
            if quote:
                quote = "" if char == quote else quote
            elif char in "\"'":
                quote = char
            else:
                depth += (char in "{[") - (char in "}]")
            if not depth:
                return end
        return None
    return end
