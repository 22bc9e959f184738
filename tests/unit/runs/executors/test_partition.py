"""Parts of a batch as plain data: what goes along, and what does not."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import allos
from allos.database_url import DatabaseURL
from allos.messages import Message
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.calls import BatchOptions
from allos.runs.batching.data_rows import DataRows
from allos.runs.executors import partition as partitions
from allos.runs.executors.partition import Partition, Request
from allos.runs.grid import Grid, build_columns
from allos.session import Session

URL = "postgresql://ann:s3cret-password@127.0.0.1:1/team?options=-crole%3Dstudy&sslpassword=s3cret-two"


def plan(**shared: Any) -> BatchPlan:
    rows = DataRows(pd.DataFrame({"text": ["a", "b", "a", "a"], "unused": "private"}))
    columns = build_columns(["groq/x", "groq/x"], [{}], {"api_key": "sk-by-hand", **shared})
    return BatchPlan(Grid([(Message("user", "Hi {{ text }}"),)], columns, rows=rows, n=2), rows)


def request(whole: BatchPlan, session: Session, processes: int = 1) -> Request:
    return partitions.request_of(
        "bat_1",
        whole,
        BatchOptions(),
        session,
        spent_by_session={},
        since=None,
        processes=processes,
    )


def part(whole: BatchPlan, rows: list[int], **options: Any) -> Partition:
    made = partitions.partition_of(request(whole, Session(), **options), whole, rows)
    copy: Partition = pickle.loads(pickle.dumps(made))
    return copy


def test_calls_keep_their_keys() -> None:
    """Also of equal rows, and of a column that is there twice: the worker's plan has the whole's keys."""
    whole = plan()
    there = partitions.plan_of(part(whole, [2, 3]))
    calls = [whole.position(row, column, n) for row in (2, 3) for column in (0, 1) for n in (0, 1)]

    assert [there.key(at) for at in range(len(there))] == [whole.key(at) for at in calls]
    assert there.task(0).messages == whole.task(calls[0]).messages


def test_defaults_of_this_process_go_along() -> None:
    """A worker may have others; what is asked must not depend on who asks."""
    allos.configure(temperature=0.7)
    there = partitions.plan_of(part(plan(max_tokens=5), [0]))

    assert there.task(0).params == {"temperature": 0.7, "max_tokens": 5}


def test_a_limit_is_divided_among_processes() -> None:
    """Each has its share, and at least one call."""
    params = part(plan(requests_per_minute=100, max_in_flight=3), [0], processes=4).request.columns[
        0
    ]

    assert params["params"] == {"requests_per_minute": 25, "max_in_flight": 1}


@pytest.mark.parametrize("url", [URL, URL.replace("ann:s3cret-password@", "ann@")])
def test_a_partition_holds_no_secret_and_no_other_data(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """No key, no password of the log, no column that the prompt does not use."""
    session = Session()
    store = SimpleNamespace(
        address=DatabaseURL(url), leases=lambda run_id: {}, run_notes=lambda run_id: {}
    )
    session.log._store = store  # type: ignore[assignment]
    monkeypatch.setattr(type(session.log), "is_logging", True)
    whole = plan()
    made = partitions.partition_of(request(whole, session), whole, [0, 1])
    sent = pickle.dumps(made)

    assert b"s3cret" not in sent
    assert b"sk-by-hand" not in sent
    assert b"private" not in sent
    assert repr(made) == "Partition(2 rows of bat_1)"
    assert b"postgresql://ann@127.0.0.1:1/team?options=-crole%3Dstudy" in sent


def test_a_worker_adds_the_password_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own setting, where host, user and database are the same; else none."""
    opened: list[Any] = []
    session = Session()
    monkeypatch.setattr(type(session.log), "open", lambda _, address: opened.append(address))
    shared = partitions.SharedLog(address=DatabaseURL(URL).without_secrets(), host="elsewhere")
    partitions.open_shared(shared, session)
    monkeypatch.setenv("ALLOS_LOG", URL)
    partitions.open_shared(shared, session)

    assert [each.has_secret for each in opened] == [False, True]
