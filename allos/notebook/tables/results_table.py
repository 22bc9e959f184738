"""Results of `allos.analysis`: values with their intervals, probabilities and ranks for reading, and the method below.

What is the same in all rows, and what says nothing, is not a column: a table is to fit beside a notebook.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from allos.notebook.tables import figures_table
from allos.notebook.tables.values import excerpt, moment, plural, records
from allos.render.data_table import DataTable, TableCell
from allos.render.judgement_table import reliability_table

if TYPE_CHECKING:
    from allos.analysis.results import ResultFrame

_TITLES = {
    "leaderboard": "{5} ranked by votes",
    "judge_corrected": "Scores of a judge, corrected by people",
    "label_next": "{6} to label next",
    "score_summary": "Scores of {}",
    "pass_at_k": "Chance that at least one of k answers passes",
    "pass_all_k": "Chance that all of k answers pass",
    "paired": "Difference on the same prompts",
    "compare_all": "Differences on the same prompts, {1}",
    "pareto": "Quality against what it takes, {}",
    "drift": "Before (a) and after (b)",
    "timeline": "Calls over time, {2}",
    "disagreement": "{3} by how much answers differ",
    "summary": "Calls of {}",
    "cost_report": "Cost of {}",
    "errors": "Failed calls, {4}",
    "agreement": "Agreement of the raters",
    "power": "What so many prompts can show",
    "style_effects": "What style is worth",
    "variance_split": "What scores vary by",
}
_NOUNS = ("group", "pair", "period", "prompt", "kind", "model", "row")
_RESULTS_OF_CALLS = frozenset({"summary", "cost_report", "timeline"})
_PROBABILITIES = frozenset({"p_value", "p_adjusted"})
_CENTRES = ("mean", "rating", "difference", "win_rate")
"""Of an interval; both are shown in one column."""
_HEADS = {"rank_low": "rank", "n_prompts": "prompts", "n_answers": "answers"}
_QUIET_WHERE_ALL_ZERO = frozenset({"unknown", "unpaired", "too_few", "both_bad", "ties"})
_FAILURES = ("refused", "cut", "failed", "cancelled")
"""Why answers have no score, which is said where these are counted."""
_NAMES = frozenset({"model", "setting", "a", "b", "model_a", "model_b"})
"""Columns of names, which may be long: they wrap where a page is narrow, and are never cut."""
_NAME_CHARS = 120
_PROSE = frozenset(
    {"note", "prompt", "content", "rationale", "advice", "message", "most_different"}
)
_SHARES = frozenset({"error_rate", "same_answer"})
_SHORTEST_P = 0.001


def table(frame: ResultFrame) -> DataTable:
    """Table of a result; its title and notes are those of its `attrs` where it has some."""
    name, rows = frame.result_of, len(frame)
    if name == "judge_reliability" and rows == 1:
        return reliability_table(records(frame)[0], float(frame.attrs.get("level", 0.95)))
    most = pd.get_option("display.max_rows") or rows
    title = str(frame.attrs.get("allos_title") or _title(name, rows))
    shown = frame.head(most)
    same = _same_in_all(frame)
    if "scorer" in same:
        title += f", {same['scorer']}"
    if rows > most:
        title += f", the first {most}"
    if name in _RESULTS_OF_CALLS:
        note = frame.attrs.get("allos_note") or _note(frame, same)
        return replace(figures_table.table(shown), title=title, note=str(note))
    hidden = _hidden(frame) | set(same)
    columns = [column for column in frame.columns if str(column) not in hidden]
    style = _Style.of(frame)
    heads = [_head(str(column), columns) for column in columns]
    numbers = {
        head
        for column, head in zip(columns, heads, strict=True)
        if column == "rank_low" or frame[column].dtype.kind in "iuf"
    }
    names = {head for column, head in zip(columns, heads, strict=True) if column in _NAMES}
    return DataTable(
        title=title,
        heads=heads,
        rows=[[_cell(column, row, style) for column in columns] for row in records(shown)],
        numbers=frozenset(numbers - names),
        short=frozenset(heads) - numbers - _PROSE - names,
        prose=_PROSE.intersection(heads),
        names=frozenset(names),
        note=_note(frame, same),
    )


def _title(name: str, rows: int) -> str:
    counts = [plural(rows, noun) for noun in _NOUNS]
    return _TITLES.get(name, name).replace("{}", "{0}").format(*counts)


def _same_in_all(frame: ResultFrame) -> dict[str, str]:
    """What is said once, since it is the same in all rows: the scorer, and the test."""
    return {
        name: str(frame[name].iloc[0])
        for name in ("scorer", "test")
        if name in frame.columns and len(frame) and frame[name].nunique(dropna=False) == 1
    }


def _hidden(frame: ResultFrame) -> set[str]:
    """Columns that are shown in another one, or say nothing."""
    known = set(map(str, frame.columns))
    hidden = {"high", "rank_high"} if "low" in known else {"rank_high"}
    hidden |= {"low"} if known.intersection(_CENTRES) else set()
    hidden |= {name for name in _QUIET_WHERE_ALL_ZERO & known if (frame[name] == 0).all()}
    hidden |= set(_FAILURES) if {"unknown", *_FAILURES} <= known else set()
    hidden |= {"p_value"} if "p_adjusted" in known else set()
    if {"n_prompts", "n_answers"} <= known:
        once = 2 if "p_value" in known else 1  # of each of two models, or of one
        if (frame["n_answers"] == once * frame["n_prompts"]).all():
            hidden.add("n_answers")
    if len(frame):
        hidden |= {str(name) for name in frame.columns if frame[name].isna().all()}
    return hidden


def _head(column: str, columns: Sequence[Any]) -> str:
    if column == "unknown" and ("n_answers" in columns or "n_prompts" in columns):
        return "no score"
    if column == "low":
        return "interval"
    return _HEADS.get(column) or figures_table.head_of(column)


def _note(frame: ResultFrame, same: Mapping[str, str]) -> str:
    if frame.attrs.get("allos_note"):
        return str(frame.attrs["allos_note"])
    notes = frame.attrs.get("notes") or ()
    notes = [notes] if isinstance(notes, str) else list(map(str, notes))
    level = frame.attrs.get("level")
    has_intervals = "low" in frame.columns
    method = [f"{100 * float(level):g} % intervals"] if level and has_intervals else []
    method += [str(frame.attrs[key]) for key in ("method", "correction") if frame.attrs.get(key)]
    method += [same["test"]] if "test" in same else []
    return " ".join(notes + ([f"{', '.join(method)}."] if method else []))


@dataclass(frozen=True, slots=True)
class _Style:
    """How the numbers of a result are written."""

    is_rate: bool
    decimals: int | None
    """Of values with an interval: as many as the intervals are wide; None: three digits."""

    @classmethod
    def of(cls, frame: ResultFrame) -> _Style:
        is_rate = frame.result_of.startswith("pass_") or "Wilson" in str(
            frame.attrs.get("method", "")
        )
        if not {"low", "high"} <= set(frame.columns):
            return cls(is_rate, None)
        widths = (frame["high"] - frame["low"]).astype(float)
        widths = widths[(widths > 0) & (widths < math.inf)]
        if not len(widths):
            return cls(is_rate, None)
        return cls(is_rate, min(4, max(0, 1 - math.floor(math.log10(float(widths.median()))))))

    def estimate(self, value: float | None) -> str:
        """A value that has an interval, or an end of it."""
        if value is None or _is_unknown(value):
            return "unknown"
        if self.is_rate:
            return f"{value:.0%}"
        if self.decimals is None or math.isinf(value):
            return _figure(value)
        text = f"{value:,.{self.decimals}f}"
        return (
            text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")
        )


def _cell(column: Any, row: Mapping[Any, Any], style: _Style) -> TableCell | str:
    value = row[column]
    if column in ("a", "b", "difference") and "measure" in row:
        # What `drift` compares is in the unit of the row's measure.
        measure = str(row["measure"])
        share = "share" if measure in _SHARES else measure

        def of_measure(each: Any) -> str:
            found = figures_table.cell_of(share, {share: each})
            return found.text if isinstance(found, TableCell) else found

        return (
            _with_interval(of_measure, value, row) if column == "difference" else of_measure(value)
        )
    if str(column).endswith(("_usd", "_s")) or column == "share":
        return figures_table.cell_of(str(column), row)
    if column in _CENTRES and "low" in row:
        return _with_interval(style.estimate, value, row)
    if column == "low" and not _is_unknown(value):
        return TableCell(f"{style.estimate(value)} to {style.estimate(row['high'])}", tone="quiet")
    if column == "rank_low":
        high = row["rank_high"]
        return f"{value}" if value == high else f"{value} to {high}"
    if column == "unknown" and not _is_unknown(value):
        return _without_score(int(value), row)
    if _is_unknown(value):
        return TableCell("unknown", tone="quiet")
    if column in _PROBABILITIES:
        return "< 0.001" if value < _SHORTEST_P else f"{value:.2g}"
    if hasattr(value, "tzinfo"):
        return moment(value)
    if isinstance(value, bool):
        return TableCell("yes", tone="strong") if value else TableCell("no", tone="quiet")
    if isinstance(value, float):
        return _figure(value)
    return (
        f"{value:,}"
        if isinstance(value, int)
        else excerpt(value, _NAME_CHARS if column in _NAMES else 60)
    )


def _with_interval(text: Callable[[Any], str], value: Any, row: Mapping[Any, Any]) -> str:
    low, high = row.get("low"), row.get("high")
    if _is_unknown(value) or _is_unknown(low) or _is_unknown(high):
        return text(value)
    return f"{text(value)} ({text(low)} to {text(high)})"


def _without_score(count: int, row: Mapping[Any, Any]) -> str:
    """How many answers have no score, and why as far as it is known."""
    whys = [f"{row[name]:,} {name}" for name in _FAILURES if row.get(name)]
    others = count - sum(row.get(name) or 0 for name in _FAILURES)
    if not whys:
        return f"{count:,}"
    return ", ".join([*whys, *([f"{others:,} others"] if others > 0 else [])])


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")
