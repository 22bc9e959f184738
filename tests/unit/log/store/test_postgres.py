"""A real server: what SQLite does, PostgreSQL does as well."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.context import RunContext
from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.log.columns import FRAME_NAMES
from allos.log.query import read
from allos.log.rows import raw_of, row_of
from allos.log.store.opening import open_store
from allos.log.store.postgres import PostgresStore
from allos.log.store.protocol import Batch, Rating, RunRecord, Store, Vote, Where
from allos.log.store.sqlite import SQLiteStore
from allos.runs.checks import log as log_check
from tests.support.log_rows import a_response, record
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.filterwarnings("ignore:cannot write to the log:RuntimeWarning")


@pytest.fixture
def url(postgres: PostgresServer) -> DatabaseURL:
    return DatabaseURL(postgres.new_database())


def batch(*numbers: int, **changes: Any) -> Batch:
    responses = [a_response(number, **changes) for number in numbers]
    raws = [raw for response in responses if (raw := raw_of(response)) is not None]
    return Batch(rows=[row_of(response, {}) for response in responses], raw=raws)


def fill(store: Store) -> None:
    """Everything that a log holds, some of it twice."""
    run = RunRecord("bat_1", 5, 6, "question", 2, bytearray(b"{}"), bytearray(b"[]"))
    store.append(batch(1, 2, 3))
    store.append(batch(3, 4, metadata={"tags": '["kept", "50%"]', "run_id": "bat_1"}))
    store.append(Batch(runs=[run], ratings=[Rating(a_response(1).id or "", 1, "Good", 7, id="r1")]))
    store.append(Batch(runs=[run._replace(created_at=9, updated_at=9, calls=3)]))
    store.append(Batch(ratings=[Rating(a_response(1).id or "", 1, "Good", 7, id="r1")]))
    store.append(Batch(votes=[Vote("v1", 8, "ann", "p", "a", "b", "x", "y", "a")] * 2))
    store.append(batch(5, prompt="Über TRAMPOLINE \U0001f600 100%_\\ \t\n", content="tab\tnull\\N"))


@pytest.mark.parametrize(
    "where",
    [
        Where(),
        Where(any_of={"run_id": ("bat_1",), "status": ("ok", "error")}),
        Where(models=("groq/llama-3.1-8b-instant", "none")),
        Where(models=("none",)),
        Where(since=1_793_534_402_000_000, until=1_793_534_404_000_000),
        Where(tags=("50%",)),
        Where(tags=("50",)),
        Where(tags=()),
        Where(texts=("trampoline", "nothing")),
        Where(texts=("100%_\\",)),
        Where(texts=("über",)),
    ],
    ids=str,
)
def test_a_team_reads_what_a_file_would_give(
    url: DatabaseURL, tmp_path: Path, where: Where
) -> None:
    """The same rows, dtypes and order, with ratings and raw texts, whatever the filter."""
    team, file = PostgresStore(url), SQLiteStore(tmp_path / "log.sqlite")
    for store in (team, file):
        fill(store)
    frames = [read(store, FRAME_NAMES, where, raw=True) for store in (team, file)]
    newest = [read(store, FRAME_NAMES, where, limit=2) for store in (team, file)]
    kept = []
    for store in (team, file):
        with store.snapshot() as snapshot:
            kept.append(
                (list(snapshot.runs()), list(snapshot.runs("bat_1")), list(snapshot.votes()))
            )
        store.close()

    pd.testing.assert_frame_equal(*frames)
    pd.testing.assert_frame_equal(*newest)
    assert kept[0] == kept[1]


def test_search_finds_the_same(url: DatabaseURL, tmp_path: Path) -> None:
    """Beginnings of words, without case and accents; it reads every row."""
    found = []
    for store in (PostgresStore(url), SQLiteStore(tmp_path / "log.sqlite")):
        fill(store)
        found += [list(store.search([word], Where(), ["id"], 5).columns) for word in ("uber", "no")]
        store.close()

    assert found[:2] == found[2:]
    assert found[0] == ["id"]


def test_the_parts_of_a_budget_never_exceed_it(url: DatabaseURL) -> None:
    """Twenty clients at once take what there is, and no more."""
    store = PostgresStore(url)
    threads = [
        threading.Thread(target=store.lease, args=("bat_1", f"client {number % 7}", 0.3, 1.0))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = sum(store.leases("bat_1").values())
    given_back = store.lease("bat_1", "client 0", -0.3, 1.0)
    store.close()

    assert taken == pytest.approx(1.0)
    assert given_back == -0.3


def test_notes_of_a_run_are_kept_until_they_are_removed(url: DatabaseURL, tmp_path: Path) -> None:
    """In a database as in a file."""
    for store in (PostgresStore(url), SQLiteStore(tmp_path / "log.sqlite")):
        store.set_run_note("bat_1", "file 1", b"\x00old")
        store.set_run_note("bat_1", "file 1", b"new")
        store.set_run_note("bat_1", "file 2", b"")
        store.set_run_note("bat_2", "file 1", b"other")
        store.set_run_note("bat_1", "file 2", None)
        notes, leases = store.run_notes("bat_1"), store.leases("bat_1")
        store.close()

        assert notes == {"file 1": b"new"}
        assert leases == {}


def test_many_clients_may_open_an_empty_database_at_once(url: DatabaseURL) -> None:
    """One of them makes the tables."""
    stores: list[PostgresStore] = []
    threads = [threading.Thread(target=lambda: stores.append(PostgresStore(url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, store in enumerate(stores):
        store.append(batch(number))
        store.close()

    assert len(read(stores[0], ["id"], Where())) == 8


def test_a_value_that_cannot_be_stored_holds_back_no_other(url: DatabaseURL) -> None:
    """U+0000 and half a character are replaced, a number that is too large is null."""
    allos.log.open(url)
    record(
        a_response(1, content="nul \x00 here"),
        a_response(2, content="half \ud83d here"),
        a_response(3, metadata={"seed": 2**70}),
        a_response(4),
    )
    allos.log.flush()
    frame = allos.responses()
    allos.log.close()

    assert list(frame["content"]) == ["nul � here", "half � here", "Answer 3", "Answer 4"]
    assert frame["seed"].isna().all()


@pytest.mark.process
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_the_server_is_survived(postgres: PostgresServer, mode: str) -> None:
    """What is acknowledged is there; what comes meanwhile waits, and is written when it is back."""
    allos.log.open(postgres.new_database())
    record(a_response(1))
    allos.log.flush()
    postgres.stop(mode)
    record(a_response(2))
    restart = threading.Timer(0.5, postgres.start)
    restart.start()
    allos.log.flush()  # waits for it
    restart.join()
    record(a_response(3))
    allos.log.close()
    allos.log.open(DatabaseURL(postgres.url("admin", f"team_{postgres._databases}")))
    contents = list(allos.responses()["content"])
    allos.log.close()

    assert contents == ["Answer 1", "Answer 2", "Answer 3"]


@pytest.mark.process
def test_rows_that_no_server_takes_go_to_a_file(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says where they are, and merging brings them to the team."""
    monkeypatch.setattr("allos.log.store.postgres.RECONNECT_S", 0.1)
    url = postgres.new_database()
    allos.log.open(url)
    postgres.stop()
    record(a_response(1))
    with pytest.raises(LogError, match=r"its rows are in '.*rescued-.*sqlite'") as failed:
        allos.log.close()
    postgres.start()
    allos.log.open(url)
    merged = allos.log.merge(str(failed.value).split("its rows are in '")[1].split("'")[0])
    again = allos.log.merge(merged.path)
    contents = list(allos.responses()["content"])
    allos.log.close()

    assert (merged.responses, again.responses, contents) == (1, 0, ["Answer 1"])
    assert "\n" not in str(failed.value)


def test_the_doctor_names_the_database(url: DatabaseURL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it can be reached, without its password."""
    there, gone = (
        str(url).replace("admin@", f"admin:{word}@") for word in ("s3cret-1", "s3cret-2")
    )
    found = []
    for address in (there, gone.replace("/team", "/none")):
        monkeypatch.setenv("ALLOS_LOG", address)
        found.append([each.message for each in log_check.log(False)])

    assert found[0] == [f"The log is in the database {DatabaseURL(there)}."]
    assert "cannot open the log" in found[1][0]
    assert "s3cret" not in str(found)


def test_what_works_on_files_alone_says_so(url: DatabaseURL, tmp_path: Path) -> None:
    """One line, which names the database without its password."""
    allos.log.open(url)
    for function in (
        lambda: allos.log.sql("select 1"),
        lambda: allos.log.backup(tmp_path / "copy.sqlite"),
        lambda: allos.log.prune("1d"),
        allos.log.vacuum,
    ):
        with pytest.raises(LogError, match=r"works on a log in a file, and this one is in the dat"):
            function()
    info = allos.log.info()
    allos.log.close()

    assert (info.path, info.location) == (None, url.shown)


def test_feedback_reaches_the_team(url: DatabaseURL) -> None:
    """Ratings and votes are rows like those of a file."""
    allos.log.open(url)
    record(a_response(1), a_response(2))
    first = a_response(1).id
    allos.log.rate(first, +1, note="kind")
    frame = allos.responses(columns=["id", "rating", "note"])
    allos.log.close()

    assert frame.iloc[0].to_dict() == {"id": first, "rating": 1, "note": "kind"}


def test_two_settings_of_one_model_are_two_sides_of_a_vote(url: DatabaseURL) -> None:
    """They are named by what was asked of the team's database, as those of a file are."""
    allos.log.open(url)
    pair = [
        a_response(
            number,
            metadata={"temperature": float(number), "params": None},
            context=RunContext(comparison_id="cmp_1", task_key=f"p0-r0-c{number}-s0"),
        )
        for number in (0, 1)
    ]
    record(*pair)
    allos.log.vote(*pair, "a")
    (row,) = allos.votes().to_dict("records")
    allos.log.close()

    assert (row["model_a"], row["model_b"]) == (
        "groq/llama-3.1-8b-instant (temperature 0)",
        "groq/llama-3.1-8b-instant (temperature 1)",
    )


def test_an_address_says_which_store_it_is(url: DatabaseURL, tmp_path: Path) -> None:
    """A URL is a database, a path a file."""
    team, file = open_store(url), open_store(tmp_path / "log.sqlite")
    kinds = [type(store) for store in (team, file)]
    for store in (team, file):
        store.close()

    assert kinds == [PostgresStore, SQLiteStore]
