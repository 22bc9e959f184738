from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from allos.errors import LogError
from allos.log.log_file import create_file, file_lock, is_full, log_path, network_file_system

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX files")

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /home rw - nfs4 server:/home rw
31 30 0:26 / /home/ada/fast\\040disk rw - xfs /dev/vdb rw
32 22 0:27 / /dev/shm rw - tmpfs tmpfs rw
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_argument_goes_before_the_variable(tmp_path: Path, monkeypatch) -> None:
    """Argument, then ALLOS_LOG, then the user's data folder."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "a"))
    chosen = [log_path(tmp_path / "b"), log_path(None)]
    monkeypatch.setenv("ALLOS_LOG", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    default = log_path(None)

    assert chosen == [tmp_path / "b", tmp_path / "a"]
    assert default is not None
    assert (default.parent.name, default.name) == ("allos", "log.sqlite")


@pytest.mark.parametrize("word", ["off", "OFF", " Off "])
def test_the_variable_turns_the_log_off(word: str, monkeypatch) -> None:
    """ALLOS_LOG=off means no file, however it is written."""
    monkeypatch.setenv("ALLOS_LOG", word)

    assert log_path(None) is None


@posix
def test_new_folders_and_files_are_the_owners_alone(tmp_path: Path) -> None:
    """Folders that are made get 0700, the file 0600, whatever the umask; others stay."""
    tmp_path.chmod(0o755)
    old = os.umask(0)
    try:
        create_file(tmp_path / "a" / "b" / "log.sqlite")
    finally:
        os.umask(old)

    assert mode(tmp_path) == 0o755
    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]
    assert mode(tmp_path / "a" / "b" / "log.sqlite") == 0o600


@posix
def test_a_shared_file_keeps_its_permissions(tmp_path: Path, monkeypatch) -> None:
    """Only its owner can change them: a log of somebody else's that may be written is used as it is."""
    path = tmp_path / "log.sqlite"
    create_file(path)
    path.write_bytes(b"SQLite format 3\0".ljust(68, b"\0") + b"alos".ljust(32, b"\0"))
    path.chmod(0o666)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.fchmod", refuse)
    create_file(path)

    assert mode(path) == 0o666


def test_a_full_disk(tmp_path: Path, monkeypatch) -> None:
    """A disk without room for a few pages is full; one that is not there is not said to be."""
    assert not is_full(tmp_path)
    assert not is_full(tmp_path / "none")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    assert is_full(tmp_path)


@posix
def test_other_files_are_refused_and_keep_their_permissions(tmp_path: Path) -> None:
    """A text, a device, a folder and another program's database are left as they are."""
    text, database = tmp_path / "a.txt", tmp_path / "other.sqlite"
    text.write_text("hello")
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    for path in (text, database):
        path.chmod(0o644)
    before = mode(Path("/dev/null"))
    create_file(database)  # the store finds out what it is
    for path in (text, Path("/dev/null"), tmp_path, Path("/dev/null/log.sqlite")):
        with pytest.raises(LogError, match=r"^cannot open the log .*ALLOS_LOG") as caught:
            create_file(path)
        assert "\n" not in str(caught.value)

    assert (mode(text), mode(database), mode(Path("/dev/null"))) == (0o644, 0o644, before)


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("/var", None),
        ("/home/ada", "nfs4"),
        ("/homely", None),
        ("/home/ada/fast disk/x", None),
        ("/dev/shm", None),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(
    folder: str, wanted: str | None, tmp_path: Path
) -> None:
    """The innermost mount above the folder decides."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)

    assert network_file_system(Path(folder), mounts) == wanted


def test_no_table_of_mounts_means_unknown(tmp_path: Path) -> None:
    """Where the system keeps no such table, nothing is claimed."""
    assert network_file_system(tmp_path, tmp_path / "none") is None


def test_a_file_lock_has_one_holder(tmp_path: Path) -> None:
    """The second one does not get it and does not wait; afterwards it is free."""
    with file_lock(tmp_path / "lock") as first, file_lock(tmp_path / "lock") as second:
        held = (first, second)
    with file_lock(tmp_path / "lock") as third, file_lock(tmp_path / "no" / "lock") as nowhere:
        later = (third, nowhere)

    assert held == (True, False)
    assert later == (True, False)
