from __future__ import annotations

import pandas as pd

from allos.errors import ServerError
from allos.messages import Message
from allos.response import ProviderResponse
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.call_states import CallState, CallStates
from allos.runs.batching.data_rows import DataRows
from allos.runs.grid import Grid, build_columns


def states(kept: tuple[int, ...] = ()) -> CallStates:
    rows = DataRows(pd.DataFrame({"a": ["p", "q", "r"]}))
    columns = build_columns(["groq/x", "groq/y"], [{}], {})
    return CallStates(
        BatchPlan(Grid([(Message("user", "{{ a }}"),)], columns, rows=rows), rows), kept
    )


def answer(status: str = "ok", **facts: object) -> ProviderResponse:
    error = ServerError("down") if status == "error" else None
    return ProviderResponse(metadata={"status": status, **facts}, error=error)


def test_a_call_is_started_once_and_ends_once() -> None:
    """What is kept, given up or started already is not started."""
    calls = states(kept=(0,))

    assert not calls.start(0)
    assert calls.start(1)
    assert not calls.start(1)
    assert (calls.left, calls.started) == (5, 1)
    calls.end(1, answer(output_tokens=7, cost_usd=0.5, attempts=1))
    assert (calls[0], calls[1], calls[2]) == (CallState.KEPT, CallState.OK, CallState.WAITING)
    assert (calls.left, calls.started) == (4, 0)
    assert calls.ended() == [0, 1]


def test_counts_by_column() -> None:
    """Errors by kind, tokens, cost, and calls whose cost is unknown."""
    calls = states()
    for position, response in (
        (0, answer(output_tokens=7, cost_usd=0.5, attempts=1)),
        (2, answer("error", attempts=3)),
        (4, answer("cancelled")),
    ):
        calls.start(position)
        calls.end(position, response)
    counts = calls.columns[0]

    assert (counts.ok, counts.failed, counts.cancelled, counts.left) == (1, 1, 1, 0)
    assert counts.errors == {"ServerError": 1}
    assert (counts.output_tokens, counts.cost_usd, counts.unknown_cost) == (7, 0.5, 1)
    assert counts.tokens_per_second is not None
    assert counts.left_s is None
    assert calls.columns[1].left == 3


def test_spared_calls_are_none_that_have_ended() -> None:
    """They can be asked for after all."""
    calls = states(kept=(0,))
    calls.start(1)
    spared = calls.give_up(lambda column: True, CallState.SPARED)

    assert spared == [2, 3, 4, 5]
    assert (calls.ended(), calls.left) == ([0], 1)
    assert [each.spared for each in calls.columns] == [2, 2]
    assert [each.left for each in calls.columns] == [0, 1]
    calls.restore_spared()
    assert (calls.left, [each.spared for each in calls.columns]) == (5, [0, 0])
    assert calls.start(2)


def test_waiting_calls_are_given_up_by_column() -> None:
    """Those under way go on."""
    calls = states()
    calls.start(1)

    assert calls.give_up(lambda column: column == 1, CallState.NOT_SENT) == [3, 5]
    assert calls.columns[1].not_sent == 2
    assert calls.left == 4
    assert not calls.start(3)
