"""``df.allos``: questions about a frame of responses. Registered with the first frame of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from allos.errors import ConfigurationError, did_you_mean
from allos.log import spreadsheets
from allos.money import money


@dataclass(frozen=True, slots=True)
class Cost:
    """What calls cost together; unknown costs are counted, never taken for 0.

    Examples
    --------
    >>> Cost(0.12, unknown=3, calls=10)
    $0.12 + 3 unknown
    >>> Cost(None, unknown=3, calls=3)
    unknown (3 calls)
    """

    usd: float | None
    """Sum of the known costs, US dollars; None when none is known."""
    unknown: int
    """Calls whose cost is unknown."""
    calls: int
    """All calls."""

    def __float__(self) -> float:
        """US dollars; raises where a cost is unknown."""
        if self.usd is None or self.unknown:
            raise ValueError(
                f"{self.unknown} of {self.calls} costs are unknown; .usd is the known part"
            )
        return self.usd

    def __str__(self) -> str:
        if self.usd is None:
            return f"unknown ({self.calls:,} call{'' if self.calls == 1 else 's'})"
        return money(self.usd) + (f" + {self.unknown:,} unknown" if self.unknown else "")

    __repr__ = __str__


@pd.api.extensions.register_dataframe_accessor("allos")
class ResponsesAccessor:
    """Questions about a frame of responses: ``df.allos``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`, of a comparison's `frame`, or a part of them.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def cost(self, by: str | Sequence[str] | None = None) -> Cost | pd.DataFrame:
        """Cost of the calls, with the unknown costs counted.

        A replayed answer and a call that was not sent cost nothing.

        Parameters
        ----------
        by : str or sequence of str, optional
            Columns to group by, such as ``"model"`` or ``["provider", "model"]``.

        Returns
        -------
        Cost or pandas.DataFrame
            With `by` a frame with one row per group, the dearest first: `calls`, `failed`,
            `input_tokens`, `output_tokens`, `cost_usd` (null when no cost is known) and `unknown_costs`.

        Raises
        ------
        ConfigurationError
            The frame has no such column, or no column `cost_usd`.

        Examples
        --------
        >>> frame = pd.DataFrame({"model": ["a", "a", "b"], "cost_usd": [0.1, None, None]})
        >>> frame.allos.cost()
        $0.1 + 2 unknown
        >>> frame.allos.cost(by="model")["unknown_costs"].to_dict()
        {'a': 1, 'b': 1}
        """
        costs = self._costs()
        if by is None:
            known = costs.dropna()
            total = float(known.sum()) if len(known) or not len(costs) else None
            return Cost(total, int(costs.isna().sum()), len(costs))
        names = [by] if isinstance(by, str) else list(by)
        facts = pd.DataFrame(
            {
                **{name: self._column(name) for name in names},
                "calls": 1,
                "failed": self._optional("status") == "error",
                "input_tokens": self._optional("input_tokens"),
                "output_tokens": self._optional("output_tokens"),
                "cost_usd": costs,
                "unknown_costs": costs.isna(),
            }
        )
        counts = {"calls": "Int64", "failed": "Int64", "unknown_costs": "Int64"}
        sums = {"input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "Float64"}
        facts = facts.astype(counts | sums)
        # Without a known value a sum is unknown, not 0.
        grouped = facts.groupby(names, dropna=False)[[*counts, *sums]].sum(min_count=1)
        order = ["calls", "failed", "input_tokens", "output_tokens", "cost_usd", "unknown_costs"]
        return grouped[order].sort_values(["cost_usd", "calls"], ascending=False)

    def to_csv(self, path: str | Path, *, index: bool = False) -> Path:
        """Write the frame as a CSV file that a spreadsheet program can open safely.

        A text that would be a formula there begins with an apostrophe; numbers stay as they are.

        Parameters
        ----------
        path : str or pathlib.Path
            Replaced if it exists.
        index : bool
            Whether the index becomes columns.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigurationError
            The file cannot be written.

        Examples
        --------
        ::

            allos.responses(since="today").allos.to_csv("today.csv")
        """
        return spreadsheets.write_csv(self._frame, path, index=index)

    def to_excel(self, path: str | Path, *, index: bool = False) -> Path:
        """Write the frame as an Excel workbook, in which every text is text; needs the extra `[excel]`.

        Times are in UTC, and a text longer than a cell of Excel (32,767 characters) is cut and says so.

        Parameters
        ----------
        path : str or pathlib.Path
            ``.xlsx``; replaced if it exists.
        index : bool
            Whether the index becomes columns.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigurationError
            The file cannot be written, or openpyxl is not installed.

        Examples
        --------
        ::

            allos.responses(since="today").allos.to_excel("today.xlsx")
        """
        return spreadsheets.write_excel(self._frame, path, index=index)

    def _costs(self) -> pd.Series[float]:
        """Cost of each row; null when unknown, 0 where nothing was sent."""
        costs = self._column("cost_usd").astype("Float64")
        replayed = self._optional("replayed").astype("boolean").fillna(False)
        unsent = self._optional("attempts").astype("Int64").eq(0).fillna(False)
        return costs.mask((replayed | unsent).astype(bool), 0.0)

    def _column(self, name: str) -> pd.Series[float]:
        if name not in self._frame.columns:
            names = [str(column) for column in self._frame.columns]
            raise ConfigurationError(
                f"The frame has no column {name!r}.{did_you_mean(str(name), names)} "
                "df.allos.cost() needs rows of allos.responses()."
            )
        return self._frame[name]

    def _optional(self, name: str) -> pd.Series[float]:
        """Return a column that may have been left out: null then."""
        if name in self._frame.columns:
            return self._frame[name]
        return pd.Series(pd.NA, index=self._frame.index, dtype="Int64")
