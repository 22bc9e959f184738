"""The thread that appends recorded answers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from allos.errors import ReplayError
from allos.replaying import replay_file
from allos.replaying.replay_file import read
from allos.replaying.replay_file_writer import ReplayFileWriter
from tests.unit.replaying.test_replay_file import line


def test_flush_waits_for_all(tmp_path: Path) -> None:
    """After a flush every line is in the file; closing ends the thread."""
    writer = ReplayFileWriter(tmp_path / "a.jsonl")
    for at in range(50):
        writer.put(line("h", at))
    writer.flush()

    assert len(read(writer.path).entries) == 50
    writer.put(line("last"))
    writer.close()
    assert len(read(writer.path).entries) == 51
    assert not any(
        thread.name == "allos-replay" and thread.is_alive() for thread in _others(writer)
    )


def _others(writer: ReplayFileWriter) -> list[threading.Thread]:
    thread = writer._thread
    assert thread is not None
    thread.join(5)
    return [thread]


def test_nothing_to_write_makes_no_file(tmp_path: Path) -> None:
    """Without an answer there is no file and no thread."""
    writer = ReplayFileWriter(tmp_path / "a.jsonl")
    writer.flush()
    writer.close()

    assert writer._thread is None
    assert not writer.path.exists()


def test_a_failure_is_reported_and_the_lines_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be written is reported once on stderr and by `flush`; later all is written."""
    writer = ReplayFileWriter(tmp_path / "gone" / "a.jsonl")
    writer.put(line("a"))
    for _ in range(2):
        with pytest.raises(ReplayError, match=r"'a.jsonl' cannot be written: No such file"):
            writer.flush()
    writer.path.parent.mkdir()
    writer.put(line("b"))
    writer.flush()
    writer.close()

    assert list(read(writer.path).entries) == [("a", 0), ("b", 0)]
    assert capsys.readouterr().err.count("responses are not recorded") == 1


def test_closing_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Closing says that answers were lost, and ends the thread all the same."""
    writer = ReplayFileWriter(tmp_path / "gone" / "a.jsonl")
    writer.put(line("a"))
    with pytest.raises(ReplayError, match="cannot be written"):
        writer.close()

    assert not _others(writer)[0].is_alive()


def test_slow_disk_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush does not wait for ever."""
    go = threading.Event()
    monkeypatch.setattr(replay_file, "append", lambda path, lines: go.wait(10))
    writer = ReplayFileWriter(tmp_path / "a.jsonl")
    writer.put(line("a"))
    with pytest.raises(ReplayError, match=r"not written within 0.05 s"):
        writer.flush(0.05)
    go.set()
    writer.close()
