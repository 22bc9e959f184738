from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import allos.log
from allos import _process
from allos.errors import LogError
from allos.log.log import Log
from allos.log.store.protocol import Rating
from tests.support.log_rows import a_response, record


def count(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("SELECT count(*) FROM responses").fetchone()[0])
    finally:
        db.close()


def contents(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return [row[0] for row in db.execute("SELECT content FROM responses ORDER BY seq")]
    finally:
        db.close()


def finished(process: subprocess.Popen[str]) -> str:
    """Standard output of a script that succeeded and wrote nothing to standard error."""
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


def test_a_log_writes_from_open_to_close(log_path: Path) -> None:
    """Responses are logged from open to close, once, however often it is opened."""
    record(a_response(0))
    first, again = allos.log.open(log_path), allos.log.open()
    record(a_response(1))
    state = (allos.log.is_open(), allos.log.path(), os.fspath(first))
    allos.log.close()
    allos.log.close()
    record(a_response(2))

    assert first == again
    assert state == (True, log_path, str(log_path))
    assert (allos.log.is_open(), allos.log.path()) == (False, None)
    assert contents(log_path) == ["Answer 1"]


def test_a_call_counts_when_it_ends(log_path: Path) -> None:
    """A call that began before the log was opened is logged, one that ends after close is not."""
    log = Log()
    early = log.before(None)  # type: ignore[arg-type]
    log.open(log_path)
    late = log.before(None)  # type: ignore[arg-type]
    early(a_response(1))
    log.close()
    late(a_response(2))

    assert contents(log_path) == ["Answer 1"]


def test_two_logs_write_side_by_side(tmp_path: Path) -> None:
    """Two logs of one process have their own files, sessions and threads."""
    one, two = Log(), Log()
    one.open(tmp_path / "one.sqlite")
    two.open(tmp_path / "two.sqlite")
    for number in range(40):
        record(a_response(number), log=two if number % 2 else one)
    one.add_feedback(Rating(a_response(0).id or "", 1, None, 5, id="one"))
    one.close()
    record(a_response(40), log=two)
    two.flush()
    found = [contents(tmp_path / name) for name in ("one.sqlite", "two.sqlite")]
    two.close()

    assert found == [
        [f"Answer {number}" for number in range(0, 40, 2)],
        [*(f"Answer {number}" for number in range(1, 40, 2)), "Answer 40"],
    ]
    assert one.session_id != two.session_id
    assert not allos.log.is_open(), "the log of the process has nothing to do with them"


def test_two_logs_share_a_file(log_path: Path) -> None:
    """Two logs on one file wait for each other and lose nothing."""
    logs = [Log(), Log()]
    for log in logs:
        log.open(log_path)
    for number in range(200):
        record(a_response(number), log=logs[number % 2])
    for log in logs:
        log.close()

    assert sorted(contents(log_path)) == sorted(f"Answer {number}" for number in range(200))


def test_the_log_of_the_active_session_is_used(tmp_path: Path) -> None:
    """`allos.log` and `allos.responses` work on the session that is active."""
    session = SimpleNamespace(log=Log())
    with _process.active_session(session):
        allos.log.open(tmp_path / "own.sqlite")
        record(a_response(1))
        own = (allos.log.path(), list(allos.responses()["content"]), allos.log.session_id())
        allos.log.close()

    assert own == (tmp_path / "own.sqlite", ["Answer 1"], session.log.session_id)
    assert allos.log.session_id() != session.log.session_id


def test_the_first_call_opens_a_log_that_waits_for_it(log_path: Path) -> None:
    """Without a call no file is created; the call that opens the log is logged."""
    log = Log(configured_path=lambda: log_path)
    log.open_on_first_call()
    before = (log.is_open, log_path.exists())
    record(a_response(1), log=log)
    log.close()

    assert before == (False, False)
    assert contents(log_path) == ["Answer 1"]


def test_a_log_that_cannot_be_opened_warns_once(tmp_path: Path) -> None:
    """Calls go on without a log; opening one explicitly still works."""
    log = Log(configured_path=lambda: tmp_path)
    log.open_on_first_call()
    with pytest.warns(UserWarning, match=r"Responses are not logged: .*it is a folder"):
        record(a_response(1), log=log)
    log.open_on_first_call()
    record(a_response(2), log=log)
    log.open(tmp_path / "log.sqlite")
    record(a_response(3), log=log)
    log.close()

    assert contents(tmp_path / "log.sqlite") == ["Answer 3"]


def test_the_configured_path_is_the_default(tmp_path: Path, monkeypatch) -> None:
    """Argument, then the session's setting, then ALLOS_LOG; the setting may turn the log off."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "variable.sqlite"))
    configured: list[Path | str | None] = [tmp_path / "setting.sqlite", None, "off"]
    found = []
    for setting in configured:
        log = Log(configured_path=lambda setting=setting: setting)
        found.append(log.open().path)
        log.close()

    assert found == [tmp_path / "setting.sqlite", tmp_path / "variable.sqlite", None]


def test_another_path_finishes_the_first(tmp_path: Path) -> None:
    """Switching loses no row of the first log and writes the next to the second."""
    allos.log.open(tmp_path / "one.sqlite")
    record(a_response(1))
    allos.log.open(tmp_path / "two.sqlite")
    record(a_response(2))
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
    """ALLOS_LOG=off: open is silent, nothing is written, rating is an error."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    info = allos.log.open()
    allos.log.flush()
    with pytest.raises(LogError, match="the log is off"):
        _process.current_session().log.add_feedback(Rating("x", 1, None, 5))
    with pytest.raises(TypeError, match="off"):
        os.fspath(info)

    record(a_response(1))

    assert (info.path, allos.log.is_open()) == (None, False)


@pytest.mark.process
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


@pytest.mark.process
def test_exit_writes_what_waits(script, log_path: Path) -> None:
    """A script that just ends leaves all its rows, no warning and no hanging thread."""
    code = "allos.log.open()\nfor n in range(500): record(a_response(n))"
    finished(script(code, "-X", "dev"))

    assert count(log_path) == 500
    assert not log_path.with_name(log_path.name + "-wal").exists()


@pytest.mark.process
def test_processes_write_at_once_and_lose_nothing(script, log_path: Path) -> None:
    """Four processes that open and write together: every row is there once."""
    code = (
        "start = int(sys.stdin.readline()); allos.log.open()\n"
        "for n in range(start, start + 400):\n"
        "    record(a_response(n))\n"
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


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_acknowledged_rows_survive_a_killed_process(script, log_path: Path) -> None:
    """After flush, kill -9 loses nothing, and the log opens and goes on."""
    code = (
        "import time; allos.log.open()\n"
        "for n in range(300): record(a_response(n))\n"
        "allos.log.flush(); print('flushed', flush=True)\n"
        "n = 300\n"
        "while True: record(a_response(n)); n += 1; time.sleep(0.0005)"
    )
    process = script(code)
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    allos.log.open(log_path)
    record(a_response(999_999))
    allos.log.close()
    db = sqlite3.connect(log_path)
    ids = {row[0] for row in db.execute("SELECT id FROM responses")}
    sound = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()

    assert line == "flushed\n"
    assert {a_response(number).id for number in (*range(300), 999_999)} <= ids
    assert sound == "ok"


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_fork_gives_each_process_its_own_writer(script, log_path: Path) -> None:
    """Parent and child go on logging, each its own rows once, under a session id of its own."""
    code = (
        "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "allos.log.open(); record(a_response(1)); allos.log.flush(); record(a_response(2))\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    record(a_response(3)); allos.log.flush(); os._exit(0)\n"
        "record(a_response(4))\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "record(a_response(5))\n"
    )
    finished(script(code))
    db = sqlite3.connect(log_path)
    rows = db.execute("SELECT content, session_id FROM responses").fetchall()
    db.close()

    assert sorted(content for content, _ in rows) == [f"Answer {n}" for n in range(1, 6)]
    assert len({session for _, session in rows}) == 2


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_fork_keeps_all_open_logs(script, tmp_path: Path) -> None:
    """Every open log of a process survives a fork in the parent and starts anew in the child."""
    code = (
        "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "from allos.log.log import Log\n"
        "logs = [Log(), Log()]\n"
        f"for log, name in zip(logs, 'ab'): log.open({str(tmp_path)!r} + '/' + name)\n"
        "for n, log in enumerate(logs): record(a_response(n), log=log)\n"
        "child = os.fork()\n"
        "for n, log in enumerate(logs): record(a_response(n + (4 if child else 2)), log=log)\n"
        "if not child:\n"
        "    for log in logs: log.flush()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    finished(script(code))

    assert sorted(contents(tmp_path / "a")) == ["Answer 0", "Answer 2", "Answer 4"]
    assert sorted(contents(tmp_path / "b")) == ["Answer 1", "Answer 3", "Answer 5"]


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_children_of_multiprocessing_finish_their_log(script, log_path: Path) -> None:
    """A forked worker's rows are written although it ends without atexit."""
    code = (
        "import multiprocessing, warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "allos.log.open(); record(a_response(0))\n"
        "def work(n): record(a_response(n))\n"
        "context = multiprocessing.get_context('fork')\n"
        "workers = [context.Process(target=work, args=(n,)) for n in (1, 2, 3)]\n"
        "[w.start() for w in workers]; [w.join(30) for w in workers]\n"
        "print([w.exitcode for w in workers])\n"
    )
    out = finished(script(code))

    assert json.loads(out) == [0, 0, 0]
    assert count(log_path) == 4


@pytest.mark.process
def test_a_row_that_comes_during_exit_is_written(script, log_path: Path) -> None:
    """A response that another exit handler finishes after the log's own is not lost."""
    code = (
        "import atexit; atexit.register(lambda: record(a_response(2)))\n"
        "allos.log.open(); record(a_response(1))\n"
    )
    finished(script(code, "-X", "dev"))

    assert count(log_path) == 2


@pytest.mark.process
def test_a_log_that_cannot_be_written_at_exit_says_so(script, log_path: Path) -> None:
    """One line on stderr, no traceback, and the script's own exit code."""
    code = (
        "import sqlite3, warnings; warnings.simplefilter('ignore')\n"
        "allos.log.open()\n"
        "def append(batch): raise sqlite3.OperationalError('disk I/O error')\n"
        "_process.current_session().log.store.append = append\n"
        "record(a_response(1))\n"
    )
    process = script(code)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert err.startswith("allos: cannot write to the log ")
    assert err.count("\n") == 1


def test_calls_are_kept_out_of_the_log(log_path: Path) -> None:
    """A call that began while logging was off, or in a paused block, is no row, whenever it ends."""
    allos.log.open()
    log = _process.current_session().log
    with allos.log.paused():
        private = log.before(SimpleNamespace())
    allos.log.off()
    while_off = log.before(SimpleNamespace())
    allos.log.on()
    begun_before = log.before(SimpleNamespace())
    allos.log.off()
    begun_before(a_response(1))
    allos.log.on()

    assert (private, while_off) == (None, None)
    assert allos.responses()["id"].tolist() == [a_response(1).id]


def test_logging_that_is_off_opens_no_file(log_path: Path) -> None:
    """Where the first call would open the log, a call that is kept out does not."""
    log = Log(lambda: log_path)
    log.open_on_first_call()
    log.is_paused = True
    log.before(SimpleNamespace())

    assert not log_path.exists()
    assert not log.is_logging


@pytest.mark.parametrize(("days", "left"), [(None, 6), (0, 0), (1, 3), (100000, 6)])
def test_raw_texts_are_kept_for_a_time(log_path: Path, days: float | None, left: int) -> None:
    """What is older goes when the log is opened; 0 keeps none, and the rows stay."""
    now = datetime.now(UTC)
    with_raw = [
        replace(a_response(n), created_at=now - timedelta(days=n % 2 * 5)) for n in range(6)
    ]
    first = Log()
    first.open(log_path)
    record(*with_raw, log=first)
    first.close()
    log = Log(raw_days=lambda: days)
    log.open(log_path)
    record(a_response(50, body=None), log=log)
    log.flush()
    log.close()
    with closing(sqlite3.connect(log_path)) as db, db:
        (raw,) = db.execute("SELECT count(*) FROM raw WHERE id < ?", (a_response(9).id,)).fetchone()
        (rows,) = db.execute("SELECT count(*) FROM responses").fetchone()

    assert (raw, rows) == (left, 7)
