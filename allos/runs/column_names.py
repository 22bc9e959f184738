"""Names of columns as an argument: one, or several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def column_names(given: Any) -> list[Any]:
    """Names as a list; what is neither a name nor a list is taken for a name.

    Examples
    --------
    >>> column_names("model"), column_names(("model", "prompt")), column_names(5)
    (['model'], ['model', 'prompt'], [5])
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        return [given]
    return list(given)
