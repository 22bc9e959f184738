"""Results of `allos.analysis`: intervals in one column, probabilities and ranks for reading, and the method below."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
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
_PAIRS = {"low": ("interval", "high"), "rank_low": ("rank", "rank_high")}
"""First of two columns that are shown as one: its head, and the second."""
_QUIET_WHERE_ALL_ZERO = frozenset({"unknown", "unpaired", "too_few", "both_bad", "ties"})
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
    if rows > most:
        title += f", the first {most}"
    shown = frame.head(most)
    if name in _RESULTS_OF_CALLS:
        return replace(figures_table.table(shown), title=title)
    hidden = {second for first, (_, second) in _PAIRS.items() if first in frame.columns}
    hidden |= {
        each
        for each in _QUIET_WHERE_ALL_ZERO.intersection(map(str, frame.columns))
        if (frame[each] == 0).all()
    }
    hidden |= {"p_value"} if "p_adjusted" in frame.columns else set()
    hidden |= {str(each) for each in frame.columns if rows and frame[each].isna().all()}
    columns = [column for column in frame.columns if str(column) not in hidden]
    heads = [
        _PAIRS[column][0] if column in _PAIRS else figures_table.head_of(str(column))
        for column in columns
    ]
    is_rate = name.startswith("pass_") or "Wilson" in str(frame.attrs.get("method", ""))
    numbers = {
        head
        for column, head in zip(columns, heads, strict=True)
        if column in _PAIRS or frame[column].dtype.kind in "iuf"
    }
    return DataTable(
        title=title,
        heads=heads,
        rows=[[_cell(column, row, is_rate) for column in columns] for row in records(shown)],
        numbers=frozenset(numbers),
        short=frozenset(heads) - numbers - _PROSE,
        prose=_PROSE.intersection(heads),
        note=_note(frame),
    )


def _title(name: str, rows: int) -> str:
    counts = [plural(rows, noun) for noun in _NOUNS]
    return _TITLES.get(name, name).replace("{}", "{0}").format(*counts)


def _note(frame: ResultFrame) -> str:
    if frame.attrs.get("allos_note"):
        return str(frame.attrs["allos_note"])
    notes = frame.attrs.get("notes") or ()
    notes = [notes] if isinstance(notes, str) else list(map(str, notes))
    level = frame.attrs.get("level")
    method = [f"{100 * level:g} % intervals"] if level and "low" in frame.columns else []
    method += [str(frame.attrs[key]) for key in ("method", "correction") if frame.attrs.get(key)]
    return " ".join(notes + ([f"{', '.join(method)}."] if method else []))


def _cell(column: Any, row: Mapping[Any, Any], is_rate: bool) -> TableCell | str:
    value = row[column]
    if column in ("a", "b", "difference") and "measure" in row:
        # What `drift` compares is in the unit of the row's measure.
        measure = str(row["measure"])
        share = "share" if measure in _SHARES else measure
        return figures_table.cell_of(share, {share: value})
    if str(column).endswith(("_usd", "_s")) or column == "share":
        return figures_table.cell_of(str(column), row)
    if column == "low" and not _is_unknown(value):
        return TableCell(
            f"{_figure(value, is_rate)} to {_figure(row['high'], is_rate)}", tone="quiet"
        )
    if column == "rank_low":
        high = row["rank_high"]
        return f"{value}" if value == high else f"{value} to {high}"
    if _is_unknown(value):
        return TableCell("unknown", tone="quiet")
    if column in _PROBABILITIES:
        return "< 0.001" if value < _SHORTEST_P else f"{value:.2g}"
    if hasattr(value, "tzinfo"):
        return moment(value)
    if isinstance(value, bool):
        return TableCell("yes", tone="strong") if value else TableCell("no", tone="quiet")
    if isinstance(value, float):
        return _figure(value, is_rate and column == "mean")
    return f"{value:,}" if isinstance(value, int) else excerpt(value, 60)


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _figure(value: float | None, is_rate: bool) -> str:
    if value is None or _is_unknown(value):
        return "unknown"
    if is_rate:
        return f"{value:.0%}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")
