"""A damaged log in use: what is read, what is written, and what is said."""

from __future__ import annotations

import random
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import allos
from allos.errors import LogError
from allos.log.store import segments
from allos.log.store.sqlite_connection import is_damage
from allos.session import Session
from tests.support.damaged_logs import PAGE, ROWS, copy_of, overwrite, pages, whole_log
from tests.support.log_rows import a_response, record

NEW = [a_response(ROWS + number) for number in range(30)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_ROWS", 100)
        return whole_log(tmp_path_factory.mktemp("log") / "whole.sqlite")


@pytest.fixture
def damaged(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy that ALLOS_LOG names; no log is open before and after."""
    path = copy_of(whole, tmp_path / "log.sqlite")
    monkeypatch.setenv("ALLOS_LOG", str(path))
    with Session().active():
        yield path
        allos.log.close()


def responses() -> tuple[pd.DataFrame, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = allos.responses()
    return frame, [str(each.message) for each in caught if each.category is UserWarning]


def test_a_file_that_cannot_be_written_is_read(damaged: Path) -> None:
    """`responses` reads a log that cannot be opened for writing; the warning says so as well."""
    with damaged.open("r+b") as file:
        file.truncate(damaged.stat().st_size * 3 // 4 // PAGE * PAGE)
    with pytest.raises(LogError, match="it is damaged"):
        allos.log.open()
    frame, (warning,) = responses()

    assert 0 < len(frame) < ROWS
    assert "Also: cannot open the log" in warning
    assert "\n" not in warning


def test_rows_that_cannot_be_written_are_in_a_file_beside(damaged: Path) -> None:
    """What a damaged log cannot take is kept until it is closed, and then in a log of its own."""
    allos.log.open()
    store = allos.current_session().log.store
    assert store is not None

    def fail(_: object) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        raise error

    store.append = fail  # type: ignore[method-assign]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record(*NEW)
        with pytest.raises(LogError, match="malformed"):
            allos.log.flush()
    with pytest.raises(LogError, match=r"malformed; its rows are in '.*rescued.*'") as caught:
        allos.log.close()
    (beside,) = damaged.parent.glob("*-rescued-*.sqlite")
    allos.log.open(beside)

    assert str(beside) in str(caught.value)
    assert list(allos.responses()["id"]) == [response.id for response in NEW]


@pytest.mark.parametrize("seed", range(40))
def test_acknowledged_rows_are_read(damaged: Path, seed: int) -> None:
    """Whatever is damaged: rows that were committed are read, the others are in a file beside."""
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 3, 20])):
        overwrite(
            damaged, rng.randrange(2, pages(damaged) + 1), rng.choice([bytes, rng.randbytes])(PAGE)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        allos.current_session().log.try_open()
    if not allos.log.is_open():
        _, said = responses()
        assert len(said) == 1
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record(*NEW)
        try:
            allos.log.flush()
            is_committed = True
        except LogError:
            is_committed = False
    frame, said = responses()
    new = {response.id for response in NEW}

    assert len(said) <= 1
    if is_committed:
        assert new <= set(frame["id"])
        allos.log.close()
        return
    with pytest.raises(LogError, match="its rows are in"):
        allos.log.close()
    (beside,) = damaged.parent.glob("*-rescued-*.sqlite")
    allos.log.open(beside)
    assert new == set(allos.responses()["id"])


def test_what_is_damage() -> None:
    """A file that is locked, full or read-only is whole."""
    assert is_damage(UnicodeDecodeError("utf-8", b"x", 0, 1, "x"))
    assert not is_damage(sqlite3.OperationalError("database is locked"))
    assert not is_damage(sqlite3.OperationalError("attempt to write a readonly database"))
