from __future__ import annotations

import os
import random
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allos.errors import LogError
from allos.log.columns import NAMES
from allos.log.query import read
from allos.log.store import segments
from allos.log.store.protocol import DamagedStoreError, Where
from allos.log.store.sqlite import SQLiteStore
from tests.support.damaged_logs import PAGE, ROWS, copy_of, overwrite, pages, whole_log

IDS = [f"01HF{number:022d}" for number in range(ROWS)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_ROWS", 100)
        return whole_log(tmp_path_factory.mktemp("log") / "whole.sqlite")


def read_damaged(path: Path, where: Where | None = None, **how: Any) -> tuple[pd.DataFrame, str]:
    """The frame of a log, and the one warning that may come with it."""
    store = SQLiteStore(path, for_reading=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = read(store, NAMES, where or Where(), **how)
    assert len(caught) <= 1
    return frame, "".join(str(each.message) for each in caught)


def without_segments(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM segments")
    db.close()


def leaves(path: Path, table: str, kind: int) -> list[int]:
    """Pages of a b-tree of which the first byte is `kind`: a leaf of a table, or of an index."""
    root = sqlite3.connect(path)
    page = root.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    root.close()
    data = path.read_bytes()
    found, waiting = [], [page]
    while waiting:
        at = (waiting.pop() - 1) * PAGE
        if data[at] == kind:
            found.append(at // PAGE + 1)
            continue
        cells = int.from_bytes(data[at + 3 : at + 5], "big")
        starts = [int.from_bytes(data[at + 12 + 2 * n :][:2], "big") for n in range(cells)]
        waiting += [int.from_bytes(data[at + start :][:4], "big") for start in starts]
        waiting.append(int.from_bytes(data[at + 8 : at + 12], "big"))
    return found


TABLE_LEAF, INDEX_LEAF = 13, 10


def test_rows_around_a_damaged_page_are_read(whole: Path, log_path: Path) -> None:
    """Without a copy of its rows a damaged page costs those rows, and the warning counts them."""
    bad = copy_of(whole, log_path)
    without_segments(bad)
    for page in leaves(bad, "responses", TABLE_LEAF)[3:5]:
        overwrite(bad, page, bytes(PAGE))
    frame, warning = read_damaged(bad)
    lost = ROWS - len(frame)

    assert 0 < lost < 20
    assert list(frame["id"]) == [known for known in IDS if known in set(frame["id"])]
    assert f"{lost} of {ROWS} rows could not be read, all others were" in warning
    assert str(bad) in warning
    assert "ALLOS_LOG" in warning
    assert "\n" not in warning


@pytest.mark.parametrize("position", [0, 5, -1])
def test_segments_have_the_rows_of_damaged_pages(
    whole: Path, log_path: Path, position: int
) -> None:
    """Rows whose pages cannot be read come from their segment, wherever they are."""
    bad = copy_of(whole, log_path)
    good, _ = read_damaged(whole)
    overwrite(bad, sorted(leaves(bad, "responses", TABLE_LEAF))[position], bytes(PAGE))
    frame, warning = read_damaged(bad, Where(any_of={"provider": ("groq",)}))

    assert "all rows were" in warning
    pd.testing.assert_frame_equal(frame, good)


def test_rows_of_damaged_segments_are_read(whole: Path, log_path: Path) -> None:
    """A segment is a copy: where it is damaged, its rows are read from the table."""
    good, nothing = read_damaged(whole)
    bad = copy_of(whole, log_path)
    for page in leaves(bad, "segment_columns", TABLE_LEAF):
        overwrite(bad, page, bytes(PAGE))
    frame, warning = read_damaged(bad)

    assert nothing == ""
    assert "all rows were" in warning
    pd.testing.assert_frame_equal(frame, good)


def test_damaged_index(whole: Path, log_path: Path) -> None:
    """A filter that needs a damaged index is answered from the rows."""
    bad = copy_of(whole, log_path)
    for page in leaves(bad, "responses_created_at", INDEX_LEAF):
        overwrite(bad, page, bytes(PAGE))
    frame, warning = read_damaged(bad, limit=5)

    assert list(frame["id"]) == IDS[-5:]
    assert "all rows were" in warning


def test_damaged_ratings_and_raw_json(whole: Path, log_path: Path) -> None:
    """What is damaged beside the rows is null, and said."""
    bad = copy_of(whole, log_path)
    for table, kind in (("ratings", TABLE_LEAF), ("raw", INDEX_LEAF)):
        overwrite(bad, leaves(bad, table, kind)[0], bytes(PAGE))
    frame, warning = read_damaged(bad, raw=True)

    assert list(frame["id"]) == IDS
    assert "some ratings could not be read" in warning
    assert "requests and replies could not be read" in warning
    assert frame["rating"].isna().all()
    assert 0 < frame["raw_request"].isna().sum() < ROWS


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_file(whole: Path, log_path: Path, share: float) -> None:
    """A file without its end cannot be written to; what can be reached in it is read."""
    bad = copy_of(whole, log_path)
    os.truncate(bad, int(pages(bad) * share) * PAGE)
    with pytest.raises(DamagedStoreError, match=r"^cannot open the log .*it is damaged"):
        SQLiteStore(bad)
    frame, warning = read_damaged(bad)

    assert set(frame["id"]) <= set(IDS)
    assert "could not be" in warning


def test_nothing_can_be_read(whole: Path, log_path: Path) -> None:
    """A log whose beginning is gone is one line that says what to do."""
    bad = copy_of(whole, log_path)
    overwrite(bad, 1, bytes(100))
    with pytest.raises(LogError, match=r"its beginning is damaged\. Set ALLOS_LOG") as opened:
        SQLiteStore(bad)
    with pytest.raises(LogError, match=r"nothing of it can be read .*ALLOS_LOG") as unread:
        read_damaged(bad)

    assert "\n" not in str(opened.value) + str(unread.value)


def test_a_fault_of_the_reader_is_not_called_damage(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that no damage explains is raised as it is."""

    def broken(*_: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("allos.log.query._ratings", broken)
    with pytest.raises(ValueError, match="a bug"):
        read_damaged(whole)


KINDS = ("random page", "zeros", "random bytes", "head of a page", "first page", "cut")


def damage(path: Path, kind: str, rng: random.Random) -> None:
    count = pages(path)
    if kind == "cut":
        os.truncate(path, rng.randrange(PAGE, path.stat().st_size))
    for _ in range(rng.choice([1, 1, 3, 20])):
        page = 1 if kind == "first page" else rng.randrange(2, count + 1)
        if kind == "random page":
            overwrite(path, page, rng.randbytes(PAGE))
        elif kind == "zeros":
            overwrite(path, page, bytes(PAGE))
        elif kind == "head of a page":
            overwrite(path, page, rng.randbytes(8), rng.randrange(100))
        elif kind != "cut":
            overwrite(path, page, rng.randbytes(4), rng.randrange(PAGE - 4))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kind", KINDS)
def test_any_damage(whole: Path, log_path: Path, kind: str, seed: int) -> None:
    """Whatever is overwritten: a frame with at most one warning, or one line that says why there is none."""
    rng = random.Random(f"{kind} {seed}")
    bad = copy_of(whole, log_path)
    damage(bad, kind, rng)
    where = rng.choice([Where(), Where(since=0), Where(texts=("word",))])
    try:
        frame, warning = read_damaged(bad, where, limit=rng.choice([None, 50]), raw=seed % 4 == 0)
    except LogError as error:
        unread = str(error)
    else:
        unread = ""
    if unread:
        assert kind in ("first page", "cut")
        assert "\n" not in unread
        return

    assert list(frame.columns)[: len(NAMES)] == list(NAMES)
    assert "\n" not in warning
    if kind == "zeros" and len(frame) < ROWS and where == Where() and len(frame) != 50:
        assert "could not be" in warning
