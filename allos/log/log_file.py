"""Where the log lies: its folder, its permissions, the file system below it, the lock beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from allos.errors import LogError
from allos.log.migrations import APPLICATION_ID

OFF = "off"
VARIABLE = "ALLOS_LOG"

_HEADER_BYTES = 100  # https://sqlite.org/fileformat.html#the_database_header

# WAL needs memory shared by all who have the file open (https://sqlite.org/wal.html). On these
# file systems another computer may have it open too, and SQLite cannot tell.
_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "pvfs2",
        "smb3",
        "smbfs",
        "vboxsf",
    ]
)


def chosen_path(path: str | os.PathLike[str] | None) -> Path | None:
    """File of the log: the argument, else ``ALLOS_LOG``, else the user's data folder.

    Returns
    -------
    Path or None
        Absolute path; None when the argument or ``ALLOS_LOG`` is ``off``.
    """
    named = os.fspath(path or os.environ.get(VARIABLE, "").strip())
    if named.lower() == OFF:
        return None
    if not named:
        from platformdirs import user_data_dir

        return Path(user_data_dir("allos", appauthor=False)) / "log.sqlite"
    path = named
    return Path(os.path.abspath(Path(path).expanduser()))


def make_place(path: Path) -> None:
    """Make the file and the folders above it, for the owner's eyes only.

    Folders that exist keep their permissions (they may be somebody's project), and so does a file
    that is not a log.

    Raises
    ------
    LogError
        The place cannot be used, and why.
    """
    try:
        if path.exists() and not path.is_file():
            kind = "folder" if path.is_dir() else "device, pipe or socket"
            raise LogError(cannot_open(path, f"it is a {kind}"))
        _make_folder(path.parent)
        # SQLite gives the -wal and -shm files the mode of this one.
        handle = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            header = os.read(handle, _HEADER_BYTES)
            if header and not header.startswith(b"SQLite format 3\0"):
                raise LogError(cannot_open(path, "it is not a SQLite database"))
            ours = not header or header[68:72] == APPLICATION_ID.to_bytes(4, "big")
            if os.name == "posix" and ours and os.fstat(handle).st_mode & 0o077:
                os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        raise LogError(cannot_open(path, error.strerror or str(error))) from None


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def cannot_open(path: Path, why: str) -> str:
    """One line for a log that cannot be opened."""
    return (
        f"cannot open the log {str(path)!r}: {why}. "
        f"Name another file in {VARIABLE}, or set {VARIABLE}={OFF} to go without a log"
    )


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Type of the network file system that holds `folder`, None on a local or unknown one.

    Known on Linux only, from its table of mounts.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    target = os.path.realpath(folder)
    best, found = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = fields[4].replace("\\040", " ")
        inside = point == "/" or target == point or target.startswith(point + "/")
        if inside and len(point) >= best:  # of equal points the later mount covers the earlier
            best, found = len(point), right.split(" ", 1)[0]
    return found if found in _NETWORK else None


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` while the block runs, if no other process does.

    Yields
    ------
    bool
        Whether it was free; it never waits.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError:
        yield False
        return
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)  # gives the lock back


def _try_lock(handle: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows
    except OSError:
        return False
    return True
