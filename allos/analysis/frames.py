"""Columns of a frame of responses as arrays: checked names, numbers, groups.

What a frame leaves out is unknown, never 0: a column that is missing is all NaN where it may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from allos.analysis.arguments import not_a_frame
from allos.errors import ConfigurationError, did_you_mean
from allos.money import EMBEDDED

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.intp]
By: TypeAlias = "str | Iterable[str] | None"
"""Columns to group by; None: all rows are one group."""


def check_frame(frame: Any, function: str) -> None:
    """Raise for what is not a DataFrame."""
    if not isinstance(frame, pd.DataFrame):
        raise ConfigurationError(
            f"{function}() needs a DataFrame of responses, such as allos.responses(), "
            f"{not_a_frame(frame)}"
        )


def check_columns(frame: pd.DataFrame, names: Iterable[str], function: str) -> None:
    """Raise for the first column that the frame does not have, with the closest one that it has."""
    columns = [str(column) for column in frame.columns]
    for name in names:
        if name in frame.columns and isinstance(frame[name], pd.DataFrame):
            raise ConfigurationError(f"{function}(): the frame has more than one column {name!r}")
        if name not in frame.columns:
            raise ConfigurationError(
                f"{function}() needs a column {name!r}, which the frame does not have."
                f"{did_you_mean(str(name), columns)} allos.responses() returns all columns."
            )


def by_names(frame: pd.DataFrame, by: By, function: str) -> list[str]:
    """Names of the columns to group by, each once."""
    check_frame(frame, function)
    if by is None:
        return []
    if not isinstance(by, Iterable):
        raise ConfigurationError(
            f"{function}(): by= must be the name of a column or a list of names, got {by!r:.80}"
        )
    names = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    check_columns(frame, names, function)
    return names


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Column as numbers; NaN where it is null, no number, or missing altogether."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        column = pd.to_numeric(column, errors="coerce")
    found = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def equals(frame: pd.DataFrame, name: str, value: str) -> Bools:
    """Where a column has this value; nowhere when it is missing."""
    if name not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    found: Bools = (frame[name] == value).to_numpy(dtype=bool, na_value=False)
    return found


def is_true(frame: pd.DataFrame, name: str) -> Bools:
    """Where a boolean column is true; nowhere when it is missing."""
    found: Bools = numbers(frame, name) == 1
    return found


def costs(frame: pd.DataFrame) -> Floats:
    """Cost of each call, US dollars: NaN where unknown, 0 where it was free."""
    return np.where(is_free(frame), 0.0, numbers(frame, "cost_usd"))


def is_free(frame: pd.DataFrame) -> Bools:
    """Where nothing was sent (replayed, refused), or to the embedded model."""
    unsent = is_true(frame, "replayed") | (numbers(frame, "attempts") == 0)
    free: Bools = unsent | equals(frame, "provider", EMBEDDED)
    return free


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of a frame by the values of some columns."""

    keys: pd.DataFrame
    """The values, one row per group, in the order in which they appear."""
    codes: Codes
    """For each row of the frame the position of its group in `keys`."""

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.keys)

    def sizes(self, where: Bools | None = None) -> npt.NDArray[np.intp]:
        """Rows of each group, or those of them that meet a condition."""
        codes = self.codes if where is None else self.codes[where]
        return np.bincount(codes, minlength=self.count)

    def sums(self, values: Floats) -> Floats:
        """Sum of the known values of each group; NaN where none is known."""
        known = ~np.isnan(values)
        total = np.bincount(self.codes[known], values[known], minlength=self.count)
        return np.where(self.sizes(known) > 0, total, np.nan)

    def distinct(self, codes: Codes) -> npt.NDArray[np.intp]:
        """Number of distinct values of each group, given the code of each row's value."""
        if not len(codes):
            return np.zeros(self.count, dtype=np.intp)
        pairs = pair_codes(self.codes, codes)
        width = int(codes.max()) + 1
        return np.bincount(np.unique(pairs) // width, minlength=self.count)


def group(frame: pd.DataFrame, names: Sequence[str]) -> Groups:
    """Rows by the values of these columns, null among them; without columns one group."""
    codes: Codes = np.zeros(len(frame), dtype=np.intp)
    if not names:
        return Groups(pd.DataFrame(index=pd.RangeIndex(1)), codes)
    for name in names:
        found = value_codes(frame, name)
        codes = compact(pair_codes(codes, found))
    first = np.full(int(codes.max()) + 1 if len(codes) else 0, len(codes), dtype=np.intp)
    np.minimum.at(first, codes, np.arange(len(codes)))
    return Groups(frame[list(names)].iloc[first].reset_index(drop=True), codes)


def value_codes(frame: pd.DataFrame, name: str) -> Codes:
    """For each row a number from 0 that stands for its value; null is a value."""
    try:
        return pd.factorize(frame[name], use_na_sentinel=False)[0]
    except TypeError:  # lists, dictionaries
        return pd.factorize(frame[name].astype(str), use_na_sentinel=False)[0]


def pair_codes(first: Codes, second: Codes) -> Codes:
    """Numbers that stand for pairs of codes."""
    width = int(second.max()) + 1 if len(second) else 1
    return first * width + second


def compact(codes: Codes) -> Codes:
    """Return the codes numbered from 0 without gaps, in the order in which they appear."""
    return pd.factorize(codes)[0]


def integers(values: Any) -> Any:
    """Array as a nullable integer column; NaN is null."""
    array = np.asarray(values)
    if array.dtype.kind != "f":
        return pd.array(array, dtype="Int64")
    missing = np.isnan(array)
    filled = np.where(missing, 0, array).round().astype(np.int64)
    return pd.arrays.IntegerArray(filled, missing)


def floats(values: Floats) -> Any:
    """Array as a nullable number column; NaN is null."""
    array = np.asarray(values, dtype=np.float64)
    missing = np.isnan(array)
    return pd.arrays.FloatingArray(np.where(missing, 0.0, array), missing)
