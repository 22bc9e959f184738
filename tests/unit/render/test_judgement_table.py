from __future__ import annotations

import math
from typing import Any

from allos.render.data_table import table_html, table_text
from allos.render.judgement_table import (
    JudgementView,
    judgement_table,
    reliability_lines,
    reliability_table,
)

PAIR = {
    "model_a": "m/<script>",
    "model_b": "m/b",
    "n_prompts": 4,
    "a_better": 5,
    "tie": 1,
    "b_better": 2,
    "bad": 0,
    "win_rate": 0.69,
    "low": 0.5,
    "high": 0.8,
    "flip_rate": 0.25,
}
FACTS: dict[str, Any] = {
    "items": 4,
    "verdicts": 8,
    "refusals": 1,
    "errors": 2,
    "cancelled": 0,
    "swapped": 4,
    "flips": 1,
    "flip_rate": 0.25,
    "flip_low": 0.05,
    "flip_high": 0.7,
    "first_rate": 0.6,
    "planted": 2,
    "obeyed": 1,
    "obey_rate": 0.5,
    "obey_low": 0.1,
    "obey_high": 0.9,
}


def a_view(**changes: Any) -> JudgementView:
    given: dict[str, Any] = {"rows": [PAIR], "reliability": FACTS, "is_pairwise": True, **changes}
    return JudgementView(judge="m/judge", **given)


def test_pairs_and_their_flips() -> None:
    """Counts, the win rate with its interval, and what should not change a verdict but does."""
    table = judgement_table(a_view(notes=["A note."]))
    text = table_text(table)

    assert table.title == "m/judge: 8 verdicts on 4 pairs in both orders"
    assert [str(cell) for cell in table.rows[0]] == [
        *("m/<script>", "m/b", "4", "5", "1", "2", "69%", "50% to 80%", "25%")
    ]
    assert (
        "1 of 4 verdicts flipped when the answers were swapped (25%, 95 % interval 5% to 70%)"
        in text
    )
    assert "1 of 2 changed the verdict as they say (50%, 95 % interval 10% to 90%)" in text
    assert "No verdict: 1 refusal, 2 errors. A note." in text
    assert "<script>" not in table_html(table)
    assert max(map(len, text.splitlines()[:5])) <= 100


def test_both_bad_where_there_is_one() -> None:
    """The column is there when it says something."""
    rows = [{**PAIR, "bad": 3}]

    assert "both bad" in judgement_table(a_view(rows=rows)).heads
    assert "both bad" not in judgement_table(a_view()).heads


def test_scores() -> None:
    """A pointwise judge has models and means, and no order that could matter."""
    rows = [
        {"model": "m/a", "n_prompts": 1, "n_answers": 1, "mean": 4.0, "low": None, "high": None}
    ]
    facts = {**FACTS, "planted": 0, "obey_low": None}
    facts = {name: value for name, value in facts.items() if name != "swapped"}
    table = judgement_table(a_view(rows=rows, reliability=facts, is_pairwise=False))

    assert table.rows[0] == ["m/a", "1", "1", "4.00", ""]
    assert "Order" not in table.note
    assert "Planted instructions: not tested." in table.note


def test_reliability_alone() -> None:
    """One row for each thing that should not matter; one that was not tested says so."""
    table = reliability_table({**FACTS, "obey_rate": None, "obey_low": None}, 0.9)
    order, planted = ([getattr(cell, "text", cell) for cell in row] for row in table.rows)

    assert order[:3] == ["the order of the answers", "25%", "5% to 70%"]
    assert planted[1:3] == ["not tested", ""]
    assert "90 % interval" in table.heads
    assert "No verdict: 1 refusal, 2 errors." in table.note
    pointwise = {name: value for name, value in FACTS.items() if name != "swapped"}
    assert len(reliability_table(pointwise, 0.95).rows) == 1


def test_what_is_unknown() -> None:
    """No verdict in both orders: the flip rate is unknown, not 0."""
    facts = {**FACTS, "swapped": 0, "obey_low": math.nan}
    lines = reliability_lines(facts)

    assert lines[0] == "Order: unknown, no pair has a verdict in both orders."
    assert lines[1].endswith("as they say (50%).")
