"""``df.allos``: questions about a frame of responses; `allos._accessor` registers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from allos import analysis, charts
from allos.analysis.arguments import scores_of
from allos.analysis.frames import by_names, check_columns, is_free
from allos.analysis.model_settings import note_of, with_settings
from allos.errors import ConfigurationError, did_you_mean
from allos.log import spreadsheets
from allos.money import money
from allos.runs.column_names import column_names
from allos.runs.frame_view import FrameView

if TYPE_CHECKING:
    from allos.analysis.frames import By
    from allos.providers import Provider
    from allos.runs.judging.judgement import Judgement
    from allos.runs.rerun import Rerun


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

        A replayed answer, a call that was not sent and the embedded model cost nothing.

        Parameters
        ----------
        by : str or sequence of str, optional
            Columns to group by, such as ``"model"``, ``["provider", "model"]`` or ``"setting"``.

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
        names = column_names(by)
        given = with_settings(self._frame, names)
        facts = pd.DataFrame(
            {
                **{name: _column_of(given, name) for name in names},
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
        found = grouped[order].sort_values(["cost_usd", "calls"], ascending=False)
        found.attrs.update(note_of(given))
        return found

    def setting_labels(self) -> pd.Series[str]:
        """Setting of each row, what ``by="setting"`` groups by; see `allos.analysis.setting_labels`."""
        return analysis.setting_labels(self._frame)

    # ---- the summaries of `allos.analysis` -------------------------------------------------------

    def summary(
        self, by: By = "model", *, per: Literal["call", "prompt"] = "call", prompt: str = "prompt"
    ) -> pd.DataFrame:
        """Calls in one row per group; see `allos.analysis.summary`."""
        return analysis.summary(self._frame, by, per=per, prompt=prompt)

    def cost_report(self, by: By = "model") -> pd.DataFrame:
        """Cost by group and what it was spent on; see `allos.analysis.cost_report`."""
        return analysis.cost_report(self._frame, by)

    def errors(self, by: By = ("provider", "model")) -> pd.DataFrame:
        """Failed calls by their kind; see `allos.analysis.errors`."""
        return analysis.errors(self._frame, by)

    def timeline(self, every: str | None = None, by: By = None) -> pd.DataFrame:
        """Calls by period of time; see `allos.analysis.timeline`."""
        return analysis.timeline(self._frame, every, by)

    def drift(
        self,
        later: pd.DataFrame,
        by: By = "model",
        *,
        prompt: str = "prompt",
        score: str | None = None,
    ) -> pd.DataFrame:
        """Change from this frame to a later one; see `allos.analysis.drift`."""
        return analysis.drift(self._frame, later, by, prompt=prompt, score=score)

    def pareto(
        self,
        quality: str = "rating",
        against: str = "cost_usd",
        by: By = "model",
        *,
        prompt: str = "prompt",
    ) -> pd.DataFrame:
        """Quality against cost or latency; see `allos.analysis.pareto`."""
        return analysis.pareto(self._frame, quality, against, by, prompt=prompt)

    def disagreement(
        self,
        by: By = "model",
        *,
        prompt: str = "prompt",
        answer: str = "content",
        score: str | None = None,
    ) -> pd.DataFrame:
        """Prompts by how much answers differ; see `allos.analysis.disagreement`."""
        return analysis.disagreement(self._frame, by, prompt=prompt, answer=answer, score=score)

    # ---- statistics of `allos.analysis`; options are theirs ---------------------------------------

    def score_summary(self, *, score: str, **options: Any) -> pd.DataFrame:
        """Mean scores with intervals; see `allos.analysis.score_summary`."""
        return analysis.score_summary(self._frame, score=score, **options)

    def paired(self, *, score: str, a: Any, b: Any, **options: Any) -> pd.DataFrame:
        """Difference of two models on the same prompts; see `allos.analysis.paired`."""
        return analysis.paired(self._frame, score=score, a=a, b=b, **options)

    def compare_all(self, *, score: str, **options: Any) -> pd.DataFrame:
        """Differences of all pairs of models; see `allos.analysis.compare_all`."""
        return analysis.compare_all(self._frame, score=score, **options)

    def pass_at_k(self, *, score: str, **options: Any) -> pd.DataFrame:
        """How likely one of k answers passes; see `allos.analysis.pass_at_k`."""
        return analysis.pass_at_k(self._frame, score=score, **options)

    def pass_all_k(self, *, score: str, **options: Any) -> pd.DataFrame:
        """How likely all of k answers pass; see `allos.analysis.pass_all_k`."""
        return analysis.pass_all_k(self._frame, score=score, **options)

    def variance_split(self, *, score: str, **options: Any) -> pd.DataFrame:
        """What scores vary by: prompts, repeats or judges; see `allos.analysis.variance_split`."""
        return analysis.variance_split(self._frame, score=score, **options)

    def leaderboard(self, level: float = 0.95, **options: Any) -> pd.DataFrame:
        """Models ranked, of a frame of votes; see `allos.analysis.leaderboard`."""
        return analysis.leaderboard(self._frame, level, **options)

    # ---- pictures -----------------------------------------------------------------------------------

    def show(self, columns: Sequence[Any] | None = None) -> FrameView:
        """Table to sort, filter and page through in a notebook; needs the extra `[table]`.

        Parameters
        ----------
        columns : sequence of str, optional
            Which columns. By default all; of the log's the ten that ``allos.responses()`` shows, and why calls
            failed, where some did.

        Returns
        -------
        FrameView
            `rows` has the rows that are selected in it, with all columns. A page gets the first 10,000 rows,
            and of a long text its beginning.

        Raises
        ------
        ConfigurationError
            The frame has no such column.

        Examples
        --------
        ::

            table = allos.responses(since="week").allos.show()
            table.rows
        """
        return FrameView(self._frame, columns)

    def plot_latency(
        self,
        by: By = "model",
        *,
        measure: Literal["latency_s", "time_to_first_token_s"] = "latency_s",
    ) -> Any:
        """Chart of how long each answered call took; needs the extra `[plot]`.

        Parameters
        ----------
        by : str, iterable of str or None
            Columns to group by.
        measure : {'latency_s', 'time_to_first_token_s'}
            What is drawn, in seconds.

        Returns
        -------
        altair.LayerChart
            An Altair chart with a dot for each call; `rows` has the rows of those that are selected.

        Raises
        ------
        ConfigurationError
            The frame has no such column, nothing is known, or Altair is not installed.

        Examples
        --------
        ::

            allos.responses(since="week").allos.plot_latency()
        """
        if measure not in ("latency_s", "time_to_first_token_s"):
            raise ConfigurationError(
                f"plot_latency(): measure= must be 'latency_s' or 'time_to_first_token_s', got {measure!r:.80}"
            )
        frame = with_settings(self._frame, by)
        names = by_names(frame, by, "plot_latency")
        check_columns(frame, [measure], "plot_latency")
        return charts.latencies(frame, names, measure)

    def plot_heatmap(self, *, score: str, by: By = "model", prompt: str = "prompt") -> Any:
        """Chart of a score, prompts by models; needs the extra `[plot]`.

        Parameters
        ----------
        score : str
            Column with a number or pass/fail per answer. Repeats are averaged.
        by : str, iterable of str or None
            Columns whose values are compared.
        prompt : str
            Column that says which answers belong to one prompt.

        Returns
        -------
        altair.LayerChart
            An Altair chart; `rows` has the answers behind the cells that are selected.

        Raises
        ------
        ConfigurationError
            The frame has no such column, no score is known, or Altair is not installed.

        Examples
        --------
        ::

            answers.allos.plot_heatmap(score="right")
        """
        frame = with_settings(self._frame, by)
        names = by_names(frame, by, "plot_heatmap")
        check_columns(frame, [score, prompt], "plot_heatmap")
        scores = pd.Series(scores_of(frame, score)[0], name=score)
        return charts.heat_map(frame, scores, names, prompt)

    def plot_cost(self, by: By = "model") -> Any:
        """Chart of what calls cost, by group; the same as ``cost_report(by).plot()``."""
        return self.cost_report(by).plot()

    # ---- asking a judge, asking again -------------------------------------------------------------

    def rerun(
        self, *, model: str | Provider | Sequence[str | Provider] | None = None, **options: Any
    ) -> Rerun:
        """Ask the prompts of these responses again; see `allos.rerun`."""
        from allos.runs.rerun import rerun

        return rerun(self._frame, model=model, **options)

    def judge(self, *, rubric: str, model: str | Provider, **options: Any) -> Judgement:
        """Let a model judge these answers; see `allos.judge`."""
        from allos.runs.judge import judge

        return judge(self._frame, rubric=rubric, model=model, **options)

    # ---- files ------------------------------------------------------------------------------------

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
        """Cost of each row; null when unknown, 0 where it was free."""
        return self._column("cost_usd").astype("Float64").mask(is_free(self._frame), 0.0)

    def _column(self, name: str) -> pd.Series[float]:
        return _column_of(self._frame, name)

    def _optional(self, name: str) -> pd.Series[float]:
        """Return a column that may have been left out: null then."""
        if name in self._frame.columns:
            return self._frame[name]
        return pd.Series(pd.NA, index=self._frame.index, dtype="Int64")


def _column_of(frame: pd.DataFrame, name: str) -> pd.Series[float]:
    if name not in frame.columns:
        names = [str(column) for column in frame.columns]
        raise ConfigurationError(
            f"The frame has no column {name!r}.{did_you_mean(str(name), names)} "
            "df.allos.cost() needs rows of allos.responses()."
        )
    return frame[name]
