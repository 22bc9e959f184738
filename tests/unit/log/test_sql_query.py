from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos.log
from allos.errors import ConfigurationError, LogError
from tests.support.log_rows import a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open()
    record(*(a_response(n, metadata={"cost_usd": n / 4 if n else None}) for n in range(4)))
    return log_path


def test_columns_have_the_dtypes_of_the_log(log: Path) -> None:
    """A column of the log has its dtype under its own name; others are numbers or text."""
    frame = allos.log.sql(
        "select id, created_at, cost_usd, input_tokens, replayed, count(*) over () as calls,"
        " avg(cost_usd) over () as mean, 'x' as mark, null as empty from responses order by seq"
    )
    text = str(allos.responses()["id"].dtype)

    assert [str(dtype) for dtype in frame.dtypes] == [
        *(text, "datetime64[us, UTC]", "Float64", "Int64", "boolean"),
        *("Int64", "Float64", text, text),
    ]
    assert frame["cost_usd"].isna().tolist() == [True, False, False, False]
    assert frame["calls"].tolist() == [4] * 4


def test_no_rows_and_equal_names(log: Path) -> None:
    """Without rows there are columns all the same; two of one name are told apart."""
    frame = allos.log.sql("select id, created_at, 1 as a, 2 as a from responses where id = 'none'")

    assert list(frame.columns) == ["id", "created_at", "a", "a_2"]
    assert str(frame["created_at"].dtype) == "datetime64[us, UTC]"


def test_values_that_do_not_fit(log: Path) -> None:
    """A name of the log over other values: they are kept, with the dtype that they fit."""
    frame = allos.log.sql("select 'monday' as created_at, 1.5 as input_tokens, 7 as model")

    assert frame.iloc[0].tolist() == ["monday", 1.5, 7]


def test_values_are_given_apart(log: Path) -> None:
    """``?`` and ``:name`` take values, so that no text of a user becomes SQL."""
    by_place = allos.log.sql("select id from responses where content = ?", ["Answer 2"])
    by_name = allos.log.sql("select id from responses where content = :c", {"c": "Answer 2"})

    assert by_place.equals(by_name)
    assert len(by_place) == 1


@pytest.mark.parametrize(
    ("query", "params", "message"),
    [
        ("delete from responses", (), "only reads the log"),
        ("update responses set content = 'x'", (), "only reads the log"),
        ("attach 'x.sqlite' as x", (), "only reads the log"),
        ("pragma writable_schema = 1", (), "only reads the log"),
        ("select 1; select 2", (), "only reads the log"),
        ("begin", (), "only reads the log"),
        ("-- nothing", (), "only reads the log"),
        ("selct 1", (), "SQLite does not accept the query"),
        ("select x from responses", (), "no such column: x"),
        ("select ?", (), "SQLite does not accept the query"),
        ("select ?", [object()], "SQLite does not accept the query"),
        ("select ?", [2**70], "SQLite does not accept the query"),
        ("", (), "needs one SELECT"),
        (5, (), "needs one SELECT"),
    ],
)
def test_what_is_not_one_query_is_one_line(
    log: Path, query: Any, params: Any, message: str
) -> None:
    """Whatever would change something is refused, and the log is as it was."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        allos.log.sql(query, params)

    assert "\n" not in str(caught.value)
    assert len(allos.responses()) == 4


def test_a_query_without_end_is_stopped(log: Path) -> None:
    """After `timeout_s` seconds a query ends with one line."""
    endless = (
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    )
    with pytest.raises(LogError, match=r"longer than 0\.05 s"):
        allos.log.sql(endless, timeout_s=0.05)


def test_bytes_are_shown_as_text(log: Path) -> None:
    """Raw texts are compressed; a column of them is no reason to fail."""
    frame = allos.log.sql("select x'7b7d' as data union all select 'text'")

    assert len(frame) == 2
    assert isinstance(frame, pd.DataFrame)


def test_other_threads_and_logs_that_are_off(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any thread may ask; without a log there is one line."""
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.append(len(allos.log.sql("select id from responses")))
    )
    thread.start()
    thread.join(20)

    assert found == [4]
    allos.log.close()
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(LogError, match="off"):
        allos.log.sql("select 1")
