from __future__ import annotations

import asyncio
import threading
from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.runs.score import score
from allos.session import Session, current_session


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"content": ["a", "b", "c"], "gold": ["a", "x", "c"], **columns})


def test_one_column_for_each_scorer_and_the_frame_is_not_changed() -> None:
    """Booleans are 0 and 1, numbers stay, None is unknown; versions are in the attributes."""

    def length(row: Any) -> int | None:
        return None if row["content"] == "b" else len(row["content"])

    data = frame()
    scored = score(data, ["exact", length], target="gold")

    assert list(data.columns) == ["content", "gold"]
    assert scored["exact"].tolist() == [1.0, 0.0, 1.0]
    assert scored["length"].isna().tolist() == [False, True, False]
    assert str(scored["length"].dtype) == "Float64"
    assert set(scored["outcome"]) == {"answered"}
    assert list(scored.attrs["scorers"]) == ["exact", "length"]


def test_sync_scorers_run_in_threads_async_ones_together() -> None:
    """All rows are under way at once, wherever the caller's own loop is."""
    together = threading.Barrier(3, timeout=10)

    def waits(row: Any) -> bool:
        together.wait()
        return True

    async def check() -> list[float]:
        arrived: list[str] = []
        all_arrived: list[asyncio.Event] = []

        async def waits_too(row: Any) -> bool:
            arrived.append(row["content"])
            if not all_arrived:
                all_arrived.append(asyncio.Event())
            if len(arrived) == 3:
                all_arrived[0].set()
            await all_arrived[0].wait()
            return True

        return list(score(frame(), waits_too)["waits_too"])

    assert score(frame(), waits)["waits"].tolist() == [1.0] * 3
    assert asyncio.run(check()) == [1.0] * 3


def test_scorers_run_in_the_callers_session() -> None:
    """What a scorer asks is a row of the caller's log, wherever it runs."""

    def sync(row: Any) -> bool:
        return current_session() is mine

    async def in_loop(row: Any) -> bool:
        return current_session() is mine

    with Session().active() as mine:
        scored = score(frame(), [sync, in_loop])

    assert scored["sync"].tolist() == scored["in_loop"].tolist() == [1.0] * 3


def test_a_failing_scorer_is_an_error_of_its_cell() -> None:
    """The other rows and scorers keep their scores; a second run without errors drops the column."""

    def picky(row: Any) -> Any:
        if row["content"] == "b":
            raise ValueError("no b")
        return "word" if row["content"] == "c" else 0.5

    scored = score(frame(), [picky, "exact"], target="gold")
    again = score(scored, [lambda row: 1, "exact"], target="gold")

    assert scored["picky"].tolist()[0] == 0.5
    assert scored["picky_error"].tolist()[1:] == [
        "ValueError: no b",
        "TypeError: a score must be a number, True, False or None, got str",
    ]
    assert scored["exact"].tolist() == [1.0, 0.0, 1.0]
    assert "exact_error" not in again


def test_a_failed_call_is_not_a_wrong_answer() -> None:
    """What was refused, cut or failed has no score, unless it is asked for."""
    data = pd.DataFrame(
        {
            "content": ["a", "", "a", None, None, "sorry"],
            "gold": ["a"] * 6,
            "status": ["ok", "ok", "ok", "error", "cancelled", "ok"],
            "finish_reason": ["stop", "content_filter", "length", None, "cancelled", "stop"],
            "refusal": [None, None, None, None, None, "I cannot"],
        }
    )
    scored = score(data, "exact", target="gold")
    counted = score(data, "exact", target="gold", count_failures=True)

    assert scored["outcome"].tolist() == [
        *("answered", "refused", "cut", "failed", "cancelled", "refused"),
    ]
    assert scored["exact"].isna().tolist() == [False] + [True] * 5
    assert counted["exact"].tolist() == [1.0] + [0.0] * 5


def test_the_answer_is_the_logs_where_the_data_has_such_a_column() -> None:
    """A batch of data with a column `content` has the answer in `content_log`."""
    data = frame(content_log=["a", "x", "no"])

    assert score(data, "exact", target="gold")["exact"].tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("scorers", "target", "message"),
    [
        ([], None, "at least one scorer"),
        (5, None, "must be a list of functions"),
        (["exact"], "gld", r"no column 'gld'\. Did you mean 'gold'"),
        (["exact", "exact"], "gold", "Two scorers have the name 'exact'"),
    ],
)
def test_wrong_arguments(scorers: Any, target: str | None, message: str) -> None:
    """One line each."""
    with pytest.raises(ConfigurationError, match=message):
        score(frame(), scorers, target=target)
