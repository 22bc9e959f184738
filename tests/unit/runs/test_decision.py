from __future__ import annotations

from typing import Any

from allos.runs.decision import Decision, Lead


def decision(**changes: Any) -> Decision:
    given = {"scorer": "exact", "rows": 212, "of_rows": 1000, "level": 0.95, "first": "m/a"}
    return Decision(**{**given, **changes})


def test_what_it_says() -> None:
    """Who is better than whom, and what was saved, as far as that is known."""
    better = Lead(over="m/b", difference=0.121, is_better=True)
    ahead = Lead(over="m/c", difference=0.02, is_better=False)
    won = decision(leads=[better], saved_calls=1576, saved_usd=0.42)

    assert str(won) == (
        "Decided after 212 of 1,000 rows: m/a is better than m/b (exact +0.121). "
        "Saved 1,576 calls, about $0.42."
    )
    assert (won.best, won.is_decided) == ("m/a", True)
    assert "m/b (exact +0.121) and m/d" in str(
        decision(leads=[better, Lead(over="m/d", difference=0.5, is_better=True)])
    )
    assert str(decision(leads=[better], saved_calls=1)).endswith("Saved 1 call.")
    assert str(decision(leads=[better])).endswith("No call was saved.")
    assert str(decision(rows=1000, leads=[better, ahead])) == (
        "Not decided, after 1,000 of 1,000 rows: m/a is better than m/b (exact +0.121), but cannot be told "
        "apart from m/c (exact +0.020)."
    )
    assert "m/a is ahead, but cannot be told apart from m/c" in str(decision(leads=[ahead]))
    assert str(decision(first=None, is_over=False)) == "Not decided yet, after 212 of 1,000 rows."
    assert decision(leads=[better, ahead]).best is None
    assert (
        str(decision(problem="scores of exact go to 5.")) == "Not decided: scores of exact go to 5."
    )
