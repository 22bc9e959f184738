from __future__ import annotations

import os
import sqlite3
import warnings
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import allos
import allos.log
from allos import _process
from allos.context import RunContext
from allos.errors import ConfigurationError, LogError
from allos.ids import new_id
from allos.log.columns import DTYPES, FRAME_NAMES
from allos.log.log_file import APPLICATION_ID, UnwritableLogError
from allos.log.pending_rows import PendingRows
from allos.log.query import read, responses
from allos.log.store.migrations import MIGRATIONS, VERSION
from allos.log.store.protocol import Rating, Where
from allos.response import ProviderResponse
from tests.support.dtypes import TEXT, named
from tests.support.log_rows import START, MemoryStore, a_response, record


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open(log_path)
    return log_path


def test_an_empty_log_has_all_columns_and_dtypes(log: Path) -> None:
    """Without a row the frame has the schema's columns, in order, with their dtypes."""
    frame = responses()

    assert list(frame.columns) == list(FRAME_NAMES)
    assert dtypes(frame) == named(DTYPES)
    assert len(frame) == 0


@pytest.mark.parametrize("kind", ["one", "bare", "mixed", "many"])
def test_dtypes_do_not_depend_on_the_rows(log: Path, kind: str, monkeypatch) -> None:
    """All null, mixed or from segments: the dtypes are the schema's."""
    monkeypatch.setattr("allos.log.store.segments.SEGMENT_ROWS", 10)
    full, bare = a_response(1), ProviderResponse(id="b")
    many = [a_response(number) for number in range(25)]
    record(*{"one": [full], "bare": [bare], "mixed": [full, bare], "many": many}[kind])

    assert dtypes(responses()) == named(DTYPES)
    assert dtypes(responses(raw=True)) == {
        **named(DTYPES),
        "raw_request": TEXT,
        "raw_reply": TEXT,
    }


def test_values_come_back(log: Path) -> None:
    """A row holds what the response held; what it did not know is null."""
    record(a_response(7))
    row = responses().iloc[0]

    assert row["created_at"] == pd.Timestamp(START + timedelta(seconds=7))
    assert row["completed_at"].microsecond == 250_001
    assert (row["provider"], row["content"], row["input_tokens"]) == ("groq", "Answer 7", 17)
    assert row["temperature"] == 0.2
    assert (row["stream"], row["replayed"]) == (True, False)
    assert row[["cost_usd", "seed", "reasoning", "tool_calls", "rating", "note"]].isna().all()
    assert row["allos_version"] == allos.__version__


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
counts = st.none() | st.integers(0, 2**63 - 1)
seconds = st.none() | st.floats(0, 1e9)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=settings.default.max_examples // 3,
)
@given(st.lists(st.tuples(texts, counts, seconds, texts), min_size=1, max_size=8))
def test_any_row_comes_back(log: Path, rows: list[tuple[Any, ...]]) -> None:
    """Texts, integers and floats survive the round trip to the file and back exactly."""
    made = datetime.now(UTC)
    session = RunContext(session_id=new_id())
    record(
        *(
            ProviderResponse(
                content=content or "",
                metadata={"input_tokens": tokens, "latency_s": latency, "service_tier": tier},
                created_at=made,
                context=session,
            )
            for content, tokens, latency, tier in rows
        )
    )
    frame = responses(session_id=session.session_id or "")
    columns = ["content", "input_tokens", "latency_s", "service_tier"]
    found = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in frame[columns].astype(object).itertuples(index=False)
    ]

    assert found == rows


def test_rows_are_oldest_first(log: Path) -> None:
    """Order is the time of the call, not of the commit."""
    record(a_response(3), a_response(1), a_response(2))

    assert list(responses()["content"]) == ["Answer 1", "Answer 2", "Answer 3"]


def test_every_row_unless_limited(log: Path) -> None:
    """A limit takes the newest rows, still oldest first; without it all come."""
    record(*(a_response(number) for number in range(30)))

    assert len(responses()) == 30
    assert list(responses(limit=2)["content"]) == ["Answer 28", "Answer 29"]
    assert len(responses(limit=0)) == 0
    assert dtypes(responses(limit=0)) == named(DTYPES)


CASES: list[tuple[dict[str, Any], list[int]]] = [
    ({"provider": "groq"}, [0, 1, 2, 4]),
    ({"provider": ["anthropic", "nobody"]}, [3]),
    ({"provider": []}, []),
    ({"model": "llama-3.1-8b-instant"}, [0, 1, 2, 4]),
    ({"model": "anthropic/claude"}, [3]),
    ({"model": ["claude", "groq/llama-3.1-8b-instant"]}, [0, 1, 2, 3, 4]),
    ({"status": "error"}, [2]),
    ({"status": ("ok", "error")}, [0, 1, 2, 3, 4]),
    ({"since": START + timedelta(seconds=3)}, [3, 4]),
    ({"until": START + timedelta(seconds=1)}, [0]),
    ({"since": "1h"}, []),
    ({"tags": "demo"}, [1, 2]),
    ({"tags": ["other", 'a"b']}, [2, 4]),
    ({"tags": "dem"}, []),
    ({"notebook": "a.ipynb"}, [1]),
    ({"comparison_id": "c"}, [1]),
    ({"conversation_id": "v"}, [1]),
    ({"session_id": "s"}, [1]),
    ({"text": "question 3"}, [3]),
    ({"text": "ANSWER 2"}, [2]),
    ({"text": ["Question 0", "Answer 4"]}, [0, 4]),
    ({"text": "100%"}, [4]),
    ({"text": "_uestion"}, []),
    ({"provider": "groq", "tags": "demo", "status": "ok"}, [1]),
]


@pytest.mark.parametrize(("given", "wanted"), CASES, ids=[str(case[0]) for case in CASES])
def test_filters(log: Path, given: dict[str, Any], wanted: list[int]) -> None:
    """Each filter keeps the rows it names; several must all match."""
    one = RunContext(
        tags=("demo",),
        notebook="a.ipynb",
        comparison_id="c",
        conversation_id="v",
        session_id="s",
    )
    record(
        a_response(0),
        a_response(1, context=one),
        a_response(2, context=RunContext(tags=("demo", "other")), metadata={"status": "error"}),
        a_response(3, metadata={"provider": "anthropic", "model": "claude"}),
        a_response(4, context=RunContext(tags=('a"b',)), prompt="100% sure?"),
    )

    assert list(responses(**given)["id"]) == [a_response(number).id for number in wanted]


def test_a_filter_on_many_rows_takes_segments(log: Path, monkeypatch) -> None:
    """Filtered from segments or from rows, the frame is the same."""
    monkeypatch.setattr("allos.log.store.segments.SEGMENT_ROWS", 10)
    kinds = ["groq", "local", "local"]
    record(*(a_response(n, metadata={"provider": kinds[n % 3]}) for n in range(64)))
    by_rows = responses(provider="local")
    monkeypatch.setattr("allos.log.store.sqlite_snapshot.MIN_ROWS_FOR_SEGMENTS", 5)
    by_segments = responses(provider="local")

    assert len(by_rows) == 42
    assert by_segments.equals(by_rows)


def test_chosen_columns_only(log: Path) -> None:
    """Only the named columns come, in the order named, joined ones as well."""
    record(a_response(1))
    frame = responses(columns=["note", "model", "created_at"])

    assert list(frame.columns) == ["note", "model", "created_at"]
    assert list(responses(columns="model")) == ["model"]


def test_raw_texts_come_when_asked(log: Path) -> None:
    """Request and reply as JSON, null where there are none."""
    record(a_response(1), replace(a_response(2), body=None, reply=None))
    frame = responses(raw=True, columns="id")

    assert list(frame.columns) == ["id", "raw_request", "raw_reply"]
    assert frame["raw_request"][0] == '{"model":"llama-3.1-8b-instant"}'
    assert frame["raw_reply"][0] == '{"id":"chatcmpl-1","choices":[]}'
    assert frame.loc[1, ["raw_request", "raw_reply"]].isna().all()


def test_the_newest_rating_and_note_count(log: Path) -> None:
    """Ratings are appended; the frame shows the newest of each, and a withdrawal empties both."""
    first, second, third = (a_response(number) for number in range(3))
    record(first, second, third)
    allos.log.rate(first.id or "", 1)
    allos.log.rate(first.id or "", note="good")
    allos.log.rate(first.id or "", -1)
    allos.log.rate(second.id or "", 5, "to be withdrawn")
    allos.log.rate(second.id or "")
    frame = responses(columns=["rating", "note"])

    assert frame["rating"][0] == -1
    assert frame["note"][0] == "good"
    assert frame.iloc[1:].isna().all(axis=None)
    assert dtypes(frame) == {"rating": "Int64", "note": TEXT}


def test_without_an_open_log_the_default_one_is_read(log_path: Path) -> None:
    """The first look opens the log that ALLOS_LOG names."""
    frame = responses()

    assert len(frame) == 0
    assert allos.log.path() == log_path


def test_a_log_that_cannot_be_written_is_read(log: Path, monkeypatch) -> None:
    """A file of somebody else's, in a folder that takes no file: rows, ratings and SQL are there."""
    record(a_response(1))
    allos.rate(a_response(1).id, 1)
    allos.log.close()
    log.with_name(log.name + "-shm").mkdir()
    really = os.open

    def refused(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *more, **options)

    monkeypatch.setattr("os.open", refused)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame, found = responses(), allos.search("question")

    assert frame["rating"].tolist() == [1]
    assert found["id"].tolist() == frame["id"].tolist()
    assert allos.log.sql("select count(*) as n from responses")["n"].tolist() == [1]
    with pytest.raises(LogError, match=r"^cannot open the log .*; nothing was rated$"):
        allos.rate(a_response(1).id, 1)


@pytest.mark.parametrize("version", [3, VERSION, VERSION + 1])
def test_a_log_of_another_version_that_cannot_be_written(
    log_path: Path, monkeypatch, version: int
) -> None:
    """An older one has the columns of today, without values; a newer one is refused."""
    with closing(sqlite3.connect(log_path, isolation_level=None)) as db:
        for step in MIGRATIONS[:version]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
        db.execute(
            "INSERT INTO responses (id, created_at, provider, model, status) VALUES ('x', 5, 'p', 'm', 'ok')"
        )
    before = log_path.read_bytes()

    def refused(path: Path) -> None:
        raise UnwritableLogError(f"cannot open the log {str(path)!r}: Permission denied")

    monkeypatch.setattr("allos.log.store.sqlite.create_file", refused)
    if version > VERSION:
        with pytest.raises(LogError, match="newer version of allos"):
            allos.responses()
    else:
        frame = allos.responses()
        assert frame["model"].tolist() == ["m"]
        assert frame["task_key"].isna().all()
        assert frame["rating"].isna().all()
    assert log_path.read_bytes() == before


def test_off_is_said(monkeypatch) -> None:
    """With the log off there is nothing to read, and the message says why."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(LogError, match="the log is off"):
        responses()


def test_a_mistyped_filter_is_refused(log: Path) -> None:
    """An unknown keyword is no silent no-op."""
    with pytest.raises(ConfigurationError, match=r"'providr'\. Did you mean 'provider'"):
        responses(providr="groq")


def test_a_filter_without_its_name_is_refused(log: Path) -> None:
    """A positional value is one line that says how to write it."""
    with pytest.raises(ConfigurationError, match=r"as in provider='groq', got 'groq'"):
        responses("groq")


def test_the_frame_is_its_own(log: Path) -> None:
    """Changing one column of the frame changes no other, also where all were null."""
    record(*(a_response(number) for number in range(3)))
    frame = responses()
    frame.loc[0, "reasoning"] = "changed"

    assert frame["refusal"].isna().all()
    assert pd.isna(responses()["reasoning"][0])


def test_allos_responses_is_this(log: Path) -> None:
    """The public name leads here."""
    assert allos.responses is responses


def test_any_store_makes_a_frame(log: Path) -> None:
    """A frame read from another kind of store equals the one that SQLite gives."""
    rows = [a_response(number) for number in range(5)]
    record(*rows)
    allos.log.rate(rows[1].id or "", 1, "good")
    store = MemoryStore()
    pending = PendingRows(store, _process.current_session().log.process_facts)
    for row in rows:
        pending.add(row)
    pending.add_rating(Rating(rows[1].id or "", 1, "good", 5))
    pending.commit()

    names = [name for name in FRAME_NAMES if name not in ("rater", "rated_at")]

    assert read(store, names, Where(), raw=True).equals(responses(raw=True, columns=names))
    assert list(read(store, ["content"], Where(), limit=2)["content"]) == ["Answer 3", "Answer 4"]
