"""Text of data, and of the single values in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BUDGET_TOKENS = 1000
"""About how many tokens a table or an array may use."""

CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class DataText:
    """Text of an object for a model."""

    text: str
    left_out: tuple[str, ...] = ()
    """What was cut, such as ``"6 of 5,000 values sent"``; the text says so as well."""
    inner: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The same of what a container holds, each with how it is reached: ``['a']``."""

    def notes(self, source: str) -> list[str]:
        """Return a note for the reader of each thing that was cut.

        Parameters
        ----------
        source : str
            The expression that the object came from.

        Examples
        --------
        >>> DataText("[1, 2]", ("2 of 9 values sent",)).notes("x")
        ['x: 2 of 9 values sent']
        """
        cut = [("", self.left_out), *self.inner]
        return [f"{source}{path}: {', '.join(words)}" for path, words in cut if words]


def value_text(value: Any) -> str:
    """Return one value as it stands in a list: strings in quotes, numbers without their type.

    Examples
    --------
    >>> import numpy
    >>> value_text(numpy.float32(0.1)), value_text("a"), value_text(None)
    ('0.1', "'a'", 'None')
    """
    if isinstance(value, str):
        return repr(str(value))  # NumPy's strings show their type
    if isinstance(value, bytes):
        return repr(bytes(value))
    if isinstance(value, list | tuple):
        items = ", ".join(map(value_text, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{value_text(name)}: {value_text(each)}' for name, each in value.items())}}}"
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        return value_text(value.tolist())  # an array in a list
    return str(value)


def count_fitting(pieces: list[str], budget: int, separator: int = 1) -> int:
    """Return how many of the pieces fit into a budget of characters, with their separators."""
    for count, piece in enumerate(pieces):
        budget -= len(piece) + separator
        if budget < 0:
            return count
    return len(pieces)


def plural(number: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(48210, "row")
    ('1 row', '48,210 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
