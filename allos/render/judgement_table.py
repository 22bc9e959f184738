"""What a judge found, and how far it can be trusted, as a quiet table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allos.render.data_table import DataTable, TableCell

Row = Mapping[Any, Any]
_COUNTS = {"a_better": "A better", "tie": "tie", "b_better": "B better", "bad": "both bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementView:
    """Everything that the table shows."""

    judge: str
    """``provider/model``."""
    rows: Sequence[Row]
    """Of the table: one per pair of models, or per model."""
    reliability: Row
    """Of `allos.analysis.judge_reliability`."""
    is_pairwise: bool
    notes: Sequence[str] = ()


def judgement_table(view: JudgementView) -> DataTable:
    """Table of a judgement."""
    facts = view.reliability
    what = "pair" if view.is_pairwise else "answer"
    orders = " in both orders" if view.is_pairwise else ""
    title = f"{view.judge}: {_count(facts['verdicts'], 'verdict')} on {_count(facts['items'], what)}{orders}"
    heads, rows, numbers = (_pairs if view.is_pairwise else _models)(view.rows)
    return DataTable(
        title=title,
        heads=heads,
        rows=rows,
        numbers=frozenset(numbers),
        names=frozenset({"model", "model A", "model B"}),
        note=" ".join([*reliability_lines(facts), *view.notes]),
    )


def reliability_table(facts: Row, level: float) -> DataTable:
    """What changes the verdicts of a judge that should not, of `allos.analysis.judge_reliability`."""
    reasons = [("an instruction planted in an answer", "obey", "obeyed", "planted")]
    if "swapped" in facts:
        reasons.insert(0, ("the order of the answers", "flip", "flips", "swapped"))
    heads = ("what changed the verdict", "how often", f"{100 * level:g} % interval", "times", "of")
    rows: list[list[TableCell | str]] = []
    for what, name, count, total in reasons:
        ends = {"low": facts[f"{name}_low"], "high": facts[f"{name}_high"]}
        rows.append(
            [
                TableCell(what, tone="strong"),
                _percent(facts[f"{name}_rate"]) or TableCell("not tested", tone="quiet"),
                TableCell(_range(ends, _percent), tone="quiet"),
                *(f"{facts[count]:,}", f"{facts[total]:,}"),
            ]
        )
    lines = _missing(facts)
    if not _is_unknown(facts.get("first_rate")):
        lines.insert(
            0,
            f"{_percent(facts['first_rate'])} of the decided verdicts are for the answer shown first.",
        )
    return DataTable(
        title=f"How far the judge can be trusted: {_count(facts['verdicts'], 'verdict')} "
        f"on {facts['items']:,}",
        heads=heads,
        rows=rows,
        numbers=frozenset(heads[1:]),
        note=" ".join(lines),
    )


def reliability_lines(facts: Row) -> list[str]:
    """How far the judge can be trusted, in sentences."""
    lines = []
    if "swapped" in facts:
        if facts["swapped"]:
            lines.append(
                f"Order: {facts['flips']} of {_count(facts['swapped'], 'verdict')} flipped when the answers were "
                f"swapped ({_share(facts, 'flip')}); {_percent(facts['first_rate'])} of the decided ones were "
                "for the answer shown first."
            )
        else:
            lines.append("Order: unknown, no pair has a verdict in both orders.")
    if facts["planted"]:
        lines.append(
            f"Planted instructions: {facts['obeyed']} of {facts['planted']} changed the verdict as they "
            f"say ({_share(facts, 'obey')})."
        )
    else:
        lines.append("Planted instructions: not tested.")
    return lines + _missing(facts)


def _missing(facts: Row) -> list[str]:
    missing = [
        _count(facts[name], word)
        for name, word in (
            ("refusals", "refusal"),
            ("errors", "error"),
            ("cancelled", "stopped call"),
        )
        if facts[name]
    ]
    return [f"No verdict: {', '.join(missing)}."] if missing else []


def _pairs(rows: Sequence[Row]) -> tuple[list[str], list[list[TableCell | str]], list[str]]:
    shown = [name for name in _COUNTS if name != "bad" or any(row["bad"] for row in rows)]
    counts = [_COUNTS[name] for name in shown]
    heads = ["model A", "model B", "prompts", *counts, "A wins", "95 % interval", "flipped"]
    made: list[list[TableCell | str]] = [
        [
            *(str(row["model_a"]), str(row["model_b"]), f"{row['n_prompts']:,}"),
            *(f"{row[name]:,}" for name in shown),
            *(_percent(row["win_rate"]), _range(row, _percent), _percent(row["flip_rate"])),
        ]
        for row in rows
    ]
    return heads, made, heads[2:]


def _models(rows: Sequence[Row]) -> tuple[list[str], list[list[TableCell | str]], list[str]]:
    heads = ["model", "prompts", "verdicts", "mean score", "95 % interval"]
    made: list[list[TableCell | str]] = [
        [
            *(str(row["model"]), f"{row['n_prompts']:,}", f"{row['n_answers']:,}"),
            *(_decimal(row["mean"]), _range(row, _decimal)),
        ]
        for row in rows
    ]
    return heads, made, heads[1:]


def _range(row: Row, text: Any) -> str:
    low, high = row["low"], row["high"]
    return "" if _is_unknown(low) else f"{text(low)} to {text(high)}"


def _share(facts: Row, name: str) -> str:
    rate = _percent(facts[f"{name}_rate"])
    low, high = facts[f"{name}_low"], facts[f"{name}_high"]
    return (
        rate if _is_unknown(low) else f"{rate}, 95 % interval {_percent(low)} to {_percent(high)}"
    )


def _percent(value: Any) -> str:
    return "" if _is_unknown(value) else f"{value:.0%}"


def _decimal(value: Any) -> str:
    return "" if _is_unknown(value) else f"{value:.2f}"


def _is_unknown(value: Any) -> bool:
    return value is None or math.isnan(value)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
