"""What the statistics take: frames with named columns, scores, and levels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from allos.errors import ConfigurationError, did_you_mean

_MOST_COLUMNS = 12
"""More columns than this are not listed in an error: a log has eighty."""
_PASS_FAIL = {"pass": 1.0, "fail": 0.0, "true": 1.0, "false": 0.0}


def require_columns(frame: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return the frame, once it is one, has rows and has these columns."""
    if not isinstance(frame, pd.DataFrame):
        raise ConfigurationError(f"Expected a pandas DataFrame, {not_a_frame(frame)}.")
    if not len(names) or len(set(names)) < len(names):
        raise ConfigurationError(f"Expected names of different columns; got {list(names)!r}.")
    for name in names:
        if name in frame.columns and isinstance(frame[name], pd.DataFrame):
            raise ConfigurationError(f"The frame has more than one column {name!r}.")
        if name not in frame.columns:
            known = [str(column) for column in frame.columns]
            raise ConfigurationError(
                f"The frame has no column {name!r}.{did_you_mean(str(name), known)} "
                f"{_columns(known)}"
            )
    if frame.empty:
        raise ConfigurationError("The frame has no rows, so there is nothing to analyse.")
    return frame


def _columns(names: Sequence[str]) -> str:
    if len(names) > _MOST_COLUMNS:
        return f"frame.columns has all {len(names)}."
    return f"Its columns: {', '.join(names) or 'none'}."


def not_a_frame(value: object) -> str:
    """What was given in place of a DataFrame, and how to make one of it, as the end of a sentence."""
    package = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if package == "builtins" or not hasattr(value, "to_pandas"):
        return f"got {name}"
    return f"got {package}.{name}: its method to_pandas() makes one"


def names_of(by: str | Iterable[str]) -> list[str]:
    """Names of the columns to group by."""
    if isinstance(by, str):
        return [by]
    if not isinstance(by, Iterable):
        raise ConfigurationError(
            f"by must be the name of a column, or a list of names; got {by!r:.80}."
        )
    return list(by)


def require_positive(name: str, value: object) -> None:
    """Raise for what is not a finite number of at least 0."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:  # type: ignore[operator]  # it is a number
        raise ConfigurationError(f"{name} must be a number >= 0; got {value!r:.80}.")


def values_of(value: Any) -> list[Any]:
    """What was given as one or several, as a list."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def require_level(level: object, name: str = "level") -> float:
    """Return a level of confidence, or a power, once it is between 0 and 1."""
    if (
        isinstance(level, bool)
        or not isinstance(level, int | float | np.floating)
        or not 0 < level < 1
    ):
        raise ConfigurationError(
            f"{name} must be a number between 0 and 1, such as 0.95; got {level!r}."
        )
    return float(level)


def codes_of(frame: pd.DataFrame, names: str | Sequence[str]) -> tuple[np.ndarray, pd.Index]:
    """Number each distinct value of a column, or of several together; none may be missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Has the columns.
    names : str or sequence of str
        The columns.

    Returns
    -------
    codes : numpy.ndarray
        One integer per row.
    values : pandas.Index
        The value of each code, in order of first appearance.
    """
    columns = [names] if isinstance(names, str) else list(names)
    for name in columns:
        missing = int(frame[name].isna().sum())
        if missing:
            raise ConfigurationError(
                f"{missing:,} row{' has' if missing == 1 else 's have'} no {name!r}; "
                f"leave them out with frame.dropna(subset=[{name!r}])."
            )
    try:
        if len(columns) == 1:
            codes, values = pd.factorize(frame[columns[0]])
            if isinstance(values.dtype, pd.CategoricalDtype):
                values = values.astype(values.dtype.categories.dtype)
            return codes, pd.Index(values)
        grouped = frame.groupby(columns, sort=False, observed=True)
        return grouped.ngroup().to_numpy(), pd.MultiIndex.from_frame(
            frame[columns].drop_duplicates()
        )
    except TypeError:
        raise ConfigurationError(
            f"The values of {', '.join(map(repr, columns))} cannot be grouped: they must be "
            "strings or numbers, not lists or dicts."
        ) from None


def scores_of(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, bool]:
    """Scores as floats, with NaN where unknown, and whether they are pass or fail.

    Parameters
    ----------
    frame : pandas.DataFrame
        Has the column.
    name : str
        Column of numbers, booleans, or the words ``pass`` and ``fail``.

    Returns
    -------
    scores : numpy.ndarray
        A new array; pass is 1, fail is 0.
    is_pass_fail : bool
        Whether every known score is 0 or 1.
    """
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        column = column.map(_number, na_action="ignore")
    try:
        scores = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        scores = None
    if scores is None:
        raise ConfigurationError(f"The scores in {name!r} must be numbers or pass/fail.")
    scores = np.array(scores, dtype=float)
    if np.isinf(scores).any():
        raise ConfigurationError(f"The column {name!r} has infinite scores; a mean needs numbers.")
    known = scores[~np.isnan(scores)]
    return scores, bool(len(known)) and bool(((known == 0) | (known == 1)).all())


def _number(value: Any) -> Any:
    """Return one score that is an object: a number, a boolean, or a word for pass or fail."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _PASS_FAIL:
            return _PASS_FAIL[word]
        raise ConfigurationError(
            f"{value[:40]!r} is not a valid score; expected a number, True or False, 'pass' or 'fail'."
        )
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"A score of type {type(value).__name__} is not valid; "
            "expected a number, True or False, 'pass' or 'fail'."
        ) from None
