from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import allos.log
from allos.errors import LogError
from tests.support.log_rows import a_response


def count(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("SELECT count(*) FROM responses").fetchone()[0])
    finally:
        db.close()


def observe(number: int) -> None:
    allos.log.write(a_response(number))


def finished(process: subprocess.Popen[str]) -> str:
    """Standard output of a script that ended well and said nothing else."""
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


def test_open_and_close(log_path: Path) -> None:
    """A log is open from open to close, once, however often it is opened."""
    first, again = allos.log.open(log_path), allos.log.open()
    observe(1)
    state = (allos.log.is_open(), allos.log.path(), os.fspath(first))
    allos.log.close()
    allos.log.close()
    observe(2)

    assert first == again
    assert state == (True, log_path, str(log_path))
    assert (allos.log.is_open(), allos.log.path()) == (False, None)
    assert count(log_path) == 1


def test_another_path_finishes_the_first(tmp_path: Path) -> None:
    """Switching loses no row of the first log and writes the next to the second."""
    allos.log.open(tmp_path / "one.sqlite")
    observe(1)
    allos.log.open(tmp_path / "two.sqlite")
    observe(2)
    allos.log.close()

    assert (count(tmp_path / "one.sqlite"), count(tmp_path / "two.sqlite")) == (1, 1)


def test_a_bad_path_leaves_the_open_log(tmp_path: Path) -> None:
    """A path that cannot be a log is refused in one line; the open one goes on."""
    allos.log.open(tmp_path / "one.sqlite")
    for bad in ("/dev/null/log.sqlite", "/dev/null", tmp_path):
        with pytest.raises(LogError, match="cannot open the log") as caught:
            allos.log.open(bad)
        assert "\n" not in str(caught.value)

    assert allos.log.path() == tmp_path / "one.sqlite"


def test_off_opens_nothing(monkeypatch) -> None:
    """ALLOS_LOG=off: open is silent, nothing observes, rating is refused."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    info = allos.log.open()
    allos.log.flush()
    with pytest.raises(LogError, match="no log is open"):
        allos.log.rate("x", 1)
    with pytest.raises(TypeError, match="off"):
        os.fspath(info)

    assert info.path is None


def test_import_is_light() -> None:
    """Importing the log loads neither SQLite nor pandas nor an SDK."""
    code = (
        "import sys, allos.log; heavy = {'sqlite3', 'pandas', 'numpy', 'pydantic', 'asyncio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert out.strip() == "[]"


def test_exit_writes_what_waits(script, log_path: Path) -> None:
    """A script that just ends leaves all its rows, no warning and no hanging thread."""
    code = "allos.log.open()\nfor n in range(500): observe(a_response(n))"
    finished(script(code, "-X", "dev"))

    assert count(log_path) == 500
    assert not log_path.with_name(log_path.name + "-wal").exists()


def test_processes_write_at_once_and_lose_nothing(script, log_path: Path) -> None:
    """Four processes that open and write together: every row is there once."""
    code = (
        "start = int(sys.stdin.readline()); allos.log.open()\n"
        "for n in range(start, start + 400):\n"
        "    observe(a_response(n))\n"
        "    if n % 50 == 0: allos.log.flush()\n"
        "allos.log.flush()"
    )
    processes = [script(code) for _ in range(4)]
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(f"{number * 1000}\n")
        process.stdin.flush()
    for process in processes:
        finished(process)
    db = sqlite3.connect(log_path)
    ids = [row[0] for row in db.execute("SELECT id FROM responses")]
    sound = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()

    assert len(ids) == len(set(ids)) == 1600
    assert sound == "ok"


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_acknowledged_rows_survive_a_killed_process(script, log_path: Path) -> None:
    """After flush, kill -9 loses nothing, and the log opens and goes on."""
    code = (
        "import time; allos.log.open()\n"
        "for n in range(300): observe(a_response(n))\n"
        "allos.log.flush(); print('flushed', flush=True)\n"
        "n = 300\n"
        "while True: observe(a_response(n)); n += 1; time.sleep(0.0005)"
    )
    process = script(code)
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    allos.log.open(log_path)
    observe(999_999)
    allos.log.close()
    db = sqlite3.connect(log_path)
    ids = {row[0] for row in db.execute("SELECT id FROM responses")}
    sound = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()

    assert line == "flushed\n"
    assert {a_response(number).id for number in (*range(300), 999_999)} <= ids
    assert sound == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_fork_gives_each_process_its_own_writer(script, log_path: Path) -> None:
    """Parent and child write on, each its own rows once, under sessions of their own."""
    code = (
        "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "allos.log.open(); observe(a_response(1)); allos.log.flush(); observe(a_response(2))\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    observe(a_response(3)); allos.log.flush(); os._exit(0)\n"
        "observe(a_response(4))\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "observe(a_response(5))\n"
    )
    finished(script(code))
    db = sqlite3.connect(log_path)
    rows = db.execute("SELECT content, session_id FROM responses").fetchall()
    db.close()

    assert sorted(content for content, _ in rows) == [f"Answer {n}" for n in range(1, 6)]
    assert len({session for _, session in rows}) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_children_of_multiprocessing_finish_their_log(script, log_path: Path) -> None:
    """A forked worker's rows are written although it ends without atexit."""
    code = (
        "import multiprocessing, warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "allos.log.open(); observe(a_response(0))\n"
        "def work(n): observe(a_response(n))\n"
        "context = multiprocessing.get_context('fork')\n"
        "workers = [context.Process(target=work, args=(n,)) for n in (1, 2, 3)]\n"
        "[w.start() for w in workers]; [w.join(30) for w in workers]\n"
        "print([w.exitcode for w in workers])\n"
    )
    out = finished(script(code))

    assert json.loads(out) == [0, 0, 0]
    assert count(log_path) == 4


def test_a_row_that_comes_during_exit_is_written(script, log_path: Path) -> None:
    """A response that another exit handler finishes after the log's own is not lost."""
    code = (
        "import atexit; atexit.register(lambda: observe(a_response(2)))\n"
        "allos.log.open(); observe(a_response(1))\n"
    )
    finished(script(code, "-X", "dev"))

    assert count(log_path) == 2


def test_a_log_that_cannot_be_written_at_exit_says_so(script, log_path: Path) -> None:
    """One line on stderr, no traceback, and the script's own exit code."""
    code = (
        "import sqlite3, warnings; warnings.simplefilter('ignore')\n"
        "allos.log.open()\n"
        "def insert(batch): raise sqlite3.OperationalError('disk I/O error')\n"
        "allos.log._writer.store.insert = insert\n"
        "observe(a_response(1))\n"
    )
    process = script(code)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert err.startswith("allos: the log ")
    assert err.count("\n") == 1
