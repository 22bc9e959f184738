"""An evaluation as a table, in HTML and in text: scores with intervals, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from allos.render.comparison_costs import model_cost
from allos.render.data_table import DataTable, TableCell, table_html, table_text
from allos.render.format import UNKNOWN, seconds

_BAR_CHARS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """One model by one scorer."""

    scorer: str
    model: str
    n: int
    """Answers with a score."""
    mean: float | None
    """None where no answer has a score; then there is no interval either."""
    low: float | None = None
    high: float | None = None
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Rows without a score, by why."""
    cost_usd: float | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationView:
    """What the table of an evaluation shows."""

    id: str
    scores: Sequence[ScoreView]
    verdicts: Sequence[str] = ()
    is_decided: bool = False
    """Whether it was stopped since it was decided."""


def evaluation_html(view: EvaluationView) -> str:
    """Table of an evaluation."""
    return table_html(_table(view))


def evaluation_text(view: EvaluationView) -> str:
    """Table of an evaluation for a terminal."""
    return table_text(_table(view))


_STOPPED = (
    "The intervals are those of a number of rows that was chosen before; the line above holds for a stop at "
    "any time. "
)


def _table(view: EvaluationView) -> DataTable:
    return DataTable(
        title=" ".join(view.verdicts) or "Scores, with 95 % intervals",
        heads=("scorer", "model", "score", "95 % interval", "", "rows", "no score", "cost", "time"),
        rows=[_row(each) for each in view.scores],
        numbers=frozenset({"score", "rows", "cost", "time"}),
        short=frozenset({"95 % interval", "scorer", ""}),
        names=frozenset({"model"}),
        note=f"{_STOPPED if view.is_decided else ''}{view.id}: rows without a whole answer have no score. "
        ".frame has the answers, .table these scores, .comparisons the differences between models.",
    )


def _row(score: ScoreView) -> list[TableCell | str]:
    lost = ", ".join(f"{count:,} {why}" for why, count in score.unknown.items())
    mean, low, high = score.mean, score.low, score.high
    is_known = mean is not None and low is not None and high is not None
    return [
        TableCell(score.scorer, tone="quiet"),
        TableCell(score.model, tone="strong"),
        UNKNOWN if mean is None else f"{mean:.3f}",
        f"{low:.3f} to {high:.3f}" if is_known else UNKNOWN,
        TableCell(interval_bar(mean, low, high), tone="quiet"),
        f"{score.n:,}",
        TableCell(lost or "0", tone="problem" if lost else "quiet"),
        model_cost(score.model, score.cost_usd),
        seconds(score.latency_s),
    ]


def interval_bar(mean: float | None, low: float | None, high: float | None) -> str:
    """Interval on a line from 0 to 1, in characters; empty for scores on another scale.

    Examples
    --------
    >>> interval_bar(0.5, 0.25, 0.75)
    '·····━━━━━●━━━━━····'
    """
    if mean is None or low is None or high is None or min(low, mean) < 0 or max(high, mean) > 1:
        return ""
    first, middle, last = (min(_BAR_CHARS - 1, int(x * _BAR_CHARS)) for x in (low, mean, high))
    return "".join(
        "●" if at == middle else "━" if first <= at <= last else "·" for at in range(_BAR_CHARS)
    )
