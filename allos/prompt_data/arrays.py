"""Arrays and sequences of values as text: nested lists, or the first values that fit."""

from __future__ import annotations

from math import prod
from typing import Any

from allos.prompt_data.text import CHARS_PER_TOKEN, DataText, count_fitting, value_text

_SHORTEST_VALUE = 3
"""Characters of a value with its comma and space, at least."""


def array_text(array: Any, budget_tokens: int) -> DataText:
    """Return the values of an array, cut along its first axis where they do not fit.

    Parameters
    ----------
    array : array-like
        Has `shape` and slices like a NumPy array, and a slice of it is an array for NumPy.
    budget_tokens : int
        Counted as four characters each.

    Examples
    --------
    >>> import numpy
    >>> array_text(numpy.eye(2), 100).text
    '[[1.0, 0.0], [0.0, 1.0]]'
    """
    shape = tuple(array.shape)
    if not shape:
        return DataText(value_text(nested_list(array)))
    size, row_size = prod(shape), prod(shape[1:])
    if not size:
        return DataText(f"[] (shape {shape})" if len(shape) > 1 else "[]")
    budget = budget_tokens * CHARS_PER_TOKEN
    possible = budget // (_SHORTEST_VALUE * row_size) + 1
    rows = [value_text(row) for row in nested_list(array[:possible])]
    sent = count_fitting(rows, budget, separator=2)
    if sent == shape[0]:
        return DataText(f"[{', '.join(rows)}]")
    form = f"{getattr(array, 'dtype', 'values')}, shape {shape}"
    if sent:
        return _cut(rows[:sent], sent * row_size, size, form)
    return values_text(_first_of_row(array[:1], budget), size, budget_tokens, form)


def values_text(values: Any, count: int, budget_tokens: int, form: str = "") -> DataText:
    """Return a sequence of values, or the first that fit.

    Parameters
    ----------
    values : sequence
        The first values, `possible_values(budget_tokens)` of them or all.
    count : int
        How many there are.
    budget_tokens : int
    form : str
        Type and shape, for the text of a part.
    """
    texts = [value_text(value) for value in values]
    sent = count_fitting(texts, budget_tokens * CHARS_PER_TOKEN, separator=2)
    if sent == count:
        return DataText(f"[{', '.join(texts)}]")
    if not sent:  # the first value alone is longer than the budget
        half = texts[0][: budget_tokens * CHARS_PER_TOKEN]
        text = f"Beginning of the first of {count:,} values:\n{half}"
        return DataText(text, (f"a part of 1 of {count:,} values sent",))
    return _cut(texts[:sent], sent, count, form)


def possible_values(budget_tokens: int) -> int:
    """Return more values than fit into a budget."""
    return budget_tokens * CHARS_PER_TOKEN // _SHORTEST_VALUE + 1


def nested_list(array: Any) -> Any:
    """Return an array as nested lists of Python's values; a masked value is None."""
    import numpy as np

    array = _on_cpu(array)
    if not isinstance(array, np.ndarray):
        array = np.asarray(array)
    if array.dtype.kind in "mM":  # as Python's values they would lose their unit
        return np.asarray(array).astype(str).tolist()
    if array.dtype.kind == "f" and array.dtype.itemsize != 8:
        # As Python's floats they would show digits that the array does not have.
        texts = [None if value is np.ma.masked else float(str(value)) for value in array.flat]
        exact = np.empty(array.size, dtype=object)
        exact[:] = texts
        return exact.reshape(array.shape).tolist()
    return array.tolist()


def _on_cpu(array: Any) -> Any:
    """Return a tensor without gradients and in the computer's memory; anything else as it is."""
    for step in ("detach", "cpu"):
        method = getattr(array, step, None)
        array = method() if callable(method) else array
    return array


def _first_of_row(row: Any, budget: int) -> Any:
    """Return the first values of a row that is too long, in the order of the last axis."""
    import numpy as np

    row = _on_cpu(row)
    flat = (row if np.ma.isMaskedArray(row) else np.asarray(row)).reshape(-1)
    return nested_list(flat[:budget])


def _cut(texts: list[str], sent: int, size: int, form: str) -> DataText:
    what = f" ({form})" if form else ""
    text = f"First {sent:,} of {size:,} values{what}:\n[{', '.join(texts)}]"
    return DataText(text, (f"{sent:,} of {size:,} values sent",))
