"""The replay file by itself: reading, appending, compacting, damage, two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from allos.errors import ReplayError
from allos.replaying import replay_file
from allos.replaying.replay_file import append, compact, read
from tests.support.processes import Child


def line(digest: str, number: int = 0, content: str = "x", **changes: Any) -> str:
    values = {
        "v": 1,
        "hash": digest,
        "n": number,
        "request": {"messages": []},
        "answer": {"content": content},
        "facts": {},
        **changes,
    }
    return json.dumps(values, ensure_ascii=False)


def contents(path: Path) -> list[str]:
    return [entry.values["answer"]["content"] for entry in read(path).entries.values()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_missing_file_is_empty(path: Path) -> None:
    """A file that is not there holds nothing, and reading does not make it."""
    assert read(path).entries == {}
    assert not path.exists()


def test_later_line_counts(path: Path) -> None:
    """Of two lines with one key the later counts, in the place of the first."""
    append(path, [line("a", content="old"), line("b", content="ü\u2028")])
    append(path, [line("a", content="new"), line("a", 1, "second")])

    assert contents(path) == ["new", "ü\u2028", "second"]
    assert [entry.line for entry in read(path).entries.values()] == [3, 2, 4]


def test_compact_keeps_positions(path: Path) -> None:
    """A replaced answer stands where the old one stood, so a re-recording is a small diff."""
    append(path, [line(name) for name in "abc"])
    before = path.read_text().splitlines()
    append(path, [line("b", content="new")])
    compact(path)
    after = path.read_text().splitlines()

    assert after == [before[0], line("b", content="new"), before[2]]
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing else is left"


def test_compact_orders_and_drops(path: Path) -> None:
    """New keys are sorted among their own positions; dropped ones go; others stay."""
    append(path, [line(name) for name in "xcbay"])
    compact(path, drop={("y", 0)}, order={("a", 0): 1, ("b", 0): 2, ("c", 0): 3})

    assert [key for key, _ in read(path).entries] == ["x", "a", "b", "c"]


def test_compact_writes_nothing_where_nothing_changes(path: Path) -> None:
    """A compact file is not written again, and a missing one is not created."""
    compact(path)
    assert not path.exists()
    append(path, [line("a"), line("b")])
    inode = path.stat().st_ino
    compact(path, order={("a", 0): 1})

    assert path.stat().st_ino == inode


def test_permissions_stay(path: Path) -> None:
    """Compacting keeps the file's permissions."""
    append(path, [line("a"), line("a", content="new")])
    path.chmod(0o640)
    compact(path)

    assert path.stat().st_mode & 0o777 == 0o640
    assert contents(path) == ["new"]


DAMAGE = [
    b'{"v": 1, "hash": "b", "n"',
    b"<<<<<<< ours",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"7",
    b'{"v": 1}',
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_line_costs_only_itself(path: Path, damage: bytes) -> None:
    """Whatever one line holds, the others are read and kept, and so is that line."""
    path.write_bytes(line("a").encode() + b"\n" + damage + b"\n\n" + line("c").encode() + b"\n")
    append(path, [line("c", content="new")])
    found = read(path)
    compact(path)

    assert found.damaged == {2: damage}
    assert list(read(path).entries) == [("a", 0), ("c", 0)]
    assert path.read_bytes().splitlines()[1] == damage
    compact(path, drop_damaged=True)
    assert read(path).damaged == {}
    assert contents(path) == ["x", "new"]


@pytest.mark.parametrize("kept", [1, 20, 60])
def test_half_a_line_of_a_crash(path: Path, kept: int) -> None:
    """What was written when the power went does not swallow the next answer."""
    path.write_bytes(line("a").encode() + b"\n" + line("b").encode()[:kept])
    append(path, [line("c")])

    assert list(read(path).entries) == [("a", 0), ("c", 0)]
    path.write_bytes(line("a").encode()[:kept])
    append(path, [line("c")])
    assert list(read(path).entries) == [("c", 0)]


def test_newer_version_is_refused(path: Path) -> None:
    """A file of a newer version is refused with one line, and left alone."""
    path.write_text(line("a") + "\n" + line("b", v=2) + "\n")
    before = path.read_bytes()
    with pytest.raises(
        ReplayError, match=r"newer version of allos .format 2, this one supports 1.: upgrade"
    ) as one:
        read(path)
    with pytest.raises(ReplayError, match="newer"):
        compact(path)

    assert "\n" not in str(one.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["a,b\n1,2\n", '{"prompt": "x"}\n{"prompt": "y"}\n', "\n\nHi"])
def test_any_other_file_is_refused(path: Path, text: str) -> None:
    """A file of something else is not taken for a replay file, so it is not overwritten."""
    path.write_text(text)
    with pytest.raises(ReplayError, match="is not a valid replay file"):
        read(path)

    assert path.read_text() == text


def test_folder_is_refused(path: Path) -> None:
    """A folder is one line, not an OSError."""
    path.mkdir()
    with pytest.raises(ReplayError, match="cannot be read: Is a directory"):
        read(path)
    with pytest.raises(ReplayError, match="cannot be written"):
        append(path, [line("a")])


def test_appending_costs_the_same_however_long_the_file(path: Path) -> None:
    """One more answer writes one more line: the file is not written anew."""
    append(path, [line(f"h{at}") for at in range(1000)])
    inode = path.stat().st_ino
    before = path.read_bytes()
    append(path, [line("last")])

    assert path.read_bytes() == before + line("last").encode() + b"\n"
    assert path.stat().st_ino == inode


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from allos.replaying.replay_file import append, compact
    from tests.unit.replaying.test_replay_file import line
    path, name = Path(sys.argv[2]), sys.argv[3]
    for at in range(60):
        append(path, [line(name, at), line("shared", at, name)])
        if at % 7 == 0:
            compact(path)
    """
)


@pytest.mark.process
def test_two_processes_lose_nothing(path: Path) -> None:
    """Two kernels that append to one file and compact it at once keep every answer of both."""
    root = Path(__file__).parents[3]
    writers = [
        Child[bytes](
            [sys.executable, "-c", WRITER, str(root), str(path), name], stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    errors = [writer.communicate(timeout=120)[1] for writer in writers]
    compact(path)
    found = read(path)

    assert errors == [b"", b""]
    assert found.damaged == {}
    assert sorted(found.entries) == sorted(
        (name, at) for name in ("one", "two", "shared") for at in range(60)
    )
    assert len(path.read_text().splitlines()) == 180


def test_lock_that_is_not_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds the file for ever is an error, not a hang."""
    append(path, [line("a")])
    monkeypatch.setattr(replay_file, "_LOCK_S", 0.05)
    with (
        replay_file._locked(path),
        pytest.raises(ReplayError, match="has been locked by another process"),
    ):
        append(path, [line("b")])
    append(path, [line("b")])

    assert [key for key, _ in read(path).entries] == ["a", "b"]


def test_a_waiting_writer_follows_the_new_file(path: Path) -> None:
    """Who waits for the lock while the file is replaced writes to the new file."""
    append(path, [line("a"), line("a", content="new")])
    locked, waiting = threading.Event(), threading.Event()

    def late() -> None:
        locked.wait(5)
        waiting.set()
        append(path, [line("b")])

    thread = threading.Thread(target=late)
    thread.start()
    with replay_file._locked(path) as handle:
        locked.set()
        waiting.wait(5)
        data = os.pread(handle, 10_000, 0).splitlines(keepends=True)[1]
        replay_file._replace(path, data, 0o600)
    thread.join(10)

    assert contents(path) == ["new", "x"]
