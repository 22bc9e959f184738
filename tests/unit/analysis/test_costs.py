from __future__ import annotations

import pandas as pd

from allos.analysis import cost_report


def test_what_money_was_spent_on() -> None:
    """Failed calls, cut answers, retries and free calls are told apart; unknown costs are counted."""
    frame = pd.DataFrame(
        {
            "model": ["a", "a", "a", "a", "b"],
            "status": ["ok", "cancelled", "ok", "ok", "ok"],
            "finish_reason": ["length", "cancelled", "stop", "stop", "stop"],
            "attempts": [1, 2, 1, 1, 1],
            "replayed": [False, False, True, False, False],
            "cost_usd": [0.6, 0.2, 5.0, None, 0.2],
            "output_tokens": [10, 5, 5, None, 7],
        }
    )
    first, second = cost_report(frame).to_dict("records")

    assert first["model"] == "a"
    assert round(first["cost_usd"], 9) == 0.8
    assert (first["unknown_costs"], first["unanswered_cost_usd"]) == (1, 0.2)
    assert (first["cut"], first["retried"], first["free"]) == (1, 1, 1)
    assert (first["output_tokens"], round(first["share"], 9)) == (20, 0.8)
    assert round(second["share"], 9) == 0.2


def test_of_unknown_costs_there_is_no_share() -> None:
    """Without one known cost, cost, share and cost per call are null."""
    row = cost_report(pd.DataFrame({"model": ["a"], "cost_usd": [None]})).iloc[0]

    assert row[["cost_usd", "share", "cost_per_call_usd"]].isna().all()
    assert row["unknown_costs"] == 1
