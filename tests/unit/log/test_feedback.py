from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError, LogError
from allos.log.feedback import newest_ratings
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open()
    return log_path


def test_a_rating_is_joined_in_the_frame(log: Path) -> None:
    """Rating, note, tags, rater and time are columns; a response is named by itself or by its id."""
    one, two = a_response(1), a_response(2)
    record(one, two)
    allos.rate(one, +1, note="kind", tags=["short", "short"])
    allos.rate(two.id or "", -1, rater="Bo")
    frame = allos.responses()

    assert frame["rating"].tolist() == [1, -1]
    assert frame["rating_tags"].tolist()[0] == '["short"]'
    assert frame["rater"].tolist()[1] == "Bo"
    assert str(frame["rated_at"].dtype) == "datetime64[us, UTC]"
    assert frame["rated_at"].notna().all()


def test_undoing_is_a_row_as_well(log: Path) -> None:
    """Nothing is ever deleted: the table has every step, the frame what they come to."""
    one = a_response(1)
    record(one)
    allos.rate(one, 1)
    allos.rate(one, 5)
    allos.rate(one, undo=True)
    with closing(sqlite3.connect(log)) as db, db:
        rows = db.execute("SELECT count(*), count(DISTINCT id) FROM ratings").fetchone()

    assert allos.responses()["rating"].tolist() == [1]
    assert allos.ratings()["rating"].tolist() == [1]
    assert rows == (3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda id_: allos.rate(id_, 1.5), "rating must be an integer"),  # type: ignore[arg-type]
        (lambda id_: allos.rate(id_, 2**63), "rating must be an integer"),
        (lambda id_: allos.rate(id_, "good"), "rating must be an integer"),  # type: ignore[arg-type]
        (lambda id_: allos.rate(5, 1), "must be a response or its id"),  # type: ignore[arg-type]
        (lambda id_: allos.rate(id_, 1, 5), "note must be a string"),  # type: ignore[arg-type]
        (lambda id_: allos.rate(id_, tags=5), "tags must be"),  # type: ignore[arg-type]
        (lambda id_: allos.rate(id_, tags=[5]), "tags must be"),  # type: ignore[list-item]
        (lambda id_: allos.rate(id_, 1, rater=" "), "rater must be a name"),
        (lambda id_: allos.rate(None, 1), "must be a response or its id"),  # type: ignore[arg-type]
        (lambda id_: allos.rate("gone", 1), "the log has no response 'gone'"),
        (lambda id_: allos.rate(id_, 1, undo=True), "undo=True takes no rating"),
        (lambda id_: allos.vote(id_, id_, "a"), "two different responses"),
        (lambda id_: allos.vote(id_, "gone", "a"), "the log has no response 'gone'"),
        (lambda id_: allos.vote(id_, "x", "A"), "winner= must be one of a, b, tie, bad"),  # type: ignore[arg-type]
        (lambda id_: allos.vote(id_, "x", "a", shown_first="c"), "shown_first= must be"),  # type: ignore[arg-type]
        (lambda id_: allos.vote(id_, "x", "a", names=("one",)), "names must be two names"),  # type: ignore[arg-type]
        (lambda id_: allos.log.withdraw_vote("gone"), "the log has no vote 'gone'"),
    ],
)
def test_what_is_not_valid_is_one_line(log: Path, call: Callable[[str], Any], message: str) -> None:
    """Each wrong argument is refused where it is given, and nothing is written."""
    record(a_response(1))
    with pytest.raises(ConfigurationError, match=message) as caught:
        call(a_response(1).id or "")

    assert "\n" not in str(caught.value)
    assert len(allos.ratings()) == len(allos.votes()) == 0


def test_without_a_log_nothing_can_be_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is off: one line says so."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(LogError, match="the log is off"):
        allos.rate("x", 1)


def test_votes_name_models_and_prompt(log: Path) -> None:
    """A vote has all that a ranking needs; withdrawn ones are left out, and stay in the file."""
    one = a_response(1, prompt="Why?", metadata={"provider": "x", "model": "m/1"})
    two = a_response(2, prompt="Why?", metadata={"provider": "y", "model": "n"})
    record(one, two)
    kept = allos.vote(one, two, "b", shown_first="b", time_taken_s=2, rater="Ann", tags="tone")
    gone = allos.vote(two, one, "tie")
    allos.log.withdraw_vote(gone)
    frame = allos.votes()
    (row,) = frame.to_dict("records")

    assert (row["id"], row["rater"], row["winner"], row["prompt"]) == (kept, "Ann", "b", "Why?")
    assert (row["model_a"], row["model_b"]) == ("x/m/1", "y/n")
    assert (row["response_b"], row["shown_first"], row["time_taken_s"]) == (two.id, "b", 2.0)
    with closing(sqlite3.connect(log)) as db, db:
        assert db.execute("SELECT count(*) FROM votes").fetchone() == (3,)


def test_the_newest_rating_of_people_is_found_by_response(log: Path) -> None:
    """One that was withdrawn is none; judges are not people."""
    one, two, three = a_response(1), a_response(2), a_response(3)
    record(one, two, three)
    allos.rate(one, 1, rater="Ann")
    allos.rate(one, -1, rater="Bo")
    allos.rate(two, 1)
    allos.rate(two, undo=True)
    allos.rate(three, 1, rater="judge:groq/m")

    assert newest_ratings() == {one.id: -1}


def test_without_votes_the_columns_are_there(log: Path) -> None:
    """An empty frame has the columns and dtypes of a full one."""
    record(a_response(1), a_response(2))
    empty_votes, empty_ratings = allos.votes(), allos.ratings()
    allos.vote(a_response(1), a_response(2), "a")
    allos.rate(a_response(1), 1)

    pd.testing.assert_series_equal(empty_votes.dtypes, allos.votes().dtypes)
    pd.testing.assert_series_equal(empty_ratings.dtypes, allos.ratings().dtypes)


@pytest.mark.process
def test_two_processes_rate_at_once(log: Path, script: Callable[..., Any]) -> None:
    """Every rating that was acknowledged is there, also of a process that is killed right after."""
    record(*(a_response(number) for number in range(2)))
    allos.log.flush()
    code = (
        "import allos, signal\n"
        "for number in range(60):\n"
        "    allos.rate(a_response({index}), number, rater='{rater}')\n"
        "print('done', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    processes = [script(code.format(index=index, rater=f"rater {index}")) for index in range(2)]
    for process in processes:
        out, error = process.communicate(timeout=60)
        assert out == "done\n", error
    with closing(sqlite3.connect(log)) as db, db:
        found = db.execute("SELECT rater, rating FROM ratings ORDER BY seq").fetchall()

    for index in range(2):
        assert [rating for rater, rating in found if rater == f"rater {index}"] == [*range(60)]


def test_a_full_disk_is_one_line(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rating that could not be written is said, kept, and written once there is room."""
    record(a_response(1))
    allos.log.flush()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(SQLiteStore, "append", full)
        with pytest.raises(LogError, match="disk is full") as caught:
            allos.rate(a_response(1), 1)
    allos.rate(a_response(1), note="written later")

    assert "\n" not in str(caught.value)
    assert allos.responses()[["rating", "note"]].values.tolist() == [[1, "written later"]]


def test_a_damaged_log_is_one_line(log: Path) -> None:
    """Search and queries say that the file is damaged; its rows are read by `allos.responses`."""
    record(*(a_response(number, content="word " * 500) for number in range(30)))
    allos.log.flush()
    allos.log.close()
    data = bytearray(log.read_bytes())
    for page in range(3, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    log.write_bytes(data)
    for call in (
        lambda: allos.search("word"),
        lambda: allos.log.sql("select content from responses"),
    ):
        with pytest.raises(LogError, match="cannot read the log") as caught:
            call()

        assert "\n" not in str(caught.value)
