"""The log's file: which path, permissions, the file system it is on, the lock file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from allos.database_url import DatabaseURL, sealed_url
from allos.errors import LogError

APPLICATION_ID = 0x616C6F73
"""Marks the file as a log of allos ("alos"), in SQLite's own header field."""

OFF = "off"
VARIABLE = "ALLOS_LOG"
"""Environment variable with the path of the log, or ``off``."""

_SMALLEST_ROOM_BYTES = 64 * 1024
"""Of two small files that SQLite makes beside a log that it opens."""

_HEADER_BYTES = 100  # https://sqlite.org/fileformat.html#the_database_header

# WAL needs memory that all processes with the file open share (https://sqlite.org/wal.html). On
# these file systems another computer may have it open too, and SQLite cannot detect that.
_NETWORK_FILE_SYSTEMS = frozenset(
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


class UnwritableLogError(LogError):
    """A log cannot be written, and may be read all the same: a file of somebody else's, a full disk."""


def log_path(path: str | os.PathLike[str] | None) -> Path | None:
    """Path of the log: the argument, else ``ALLOS_LOG``, else in the user's data folder.

    Returns
    -------
    Path or None
        Absolute path; None when the argument or ``ALLOS_LOG`` is ``off``.
    """
    given = os.fspath(path or os.environ.get(VARIABLE, "").strip())
    if given.lower() == OFF:
        return None
    if not given:
        from platformdirs import user_data_dir

        return Path(user_data_dir("allos", appauthor=False)) / "log.sqlite"
    return Path(os.path.abspath(Path(given).expanduser()))


def log_address(path: str | os.PathLike[str] | DatabaseURL | None) -> Path | DatabaseURL | None:
    """Where the log is: the URL of a database as it is, anything else as in `log_path`."""
    given = sealed_url(path or os.environ.get(VARIABLE, ""))
    if isinstance(given, DatabaseURL):
        return given
    assert not isinstance(path, DatabaseURL)
    return log_path(path)


def create_file(path: Path) -> None:
    """Create the file and its missing parent folders, readable by the owner only.

    Existing folders keep their permissions (they may be a project's), and so does a file that is
    not a log.

    Raises
    ------
    LogError
        The path cannot be used; the message says why.
    """
    try:
        if path.exists() and not path.is_file():
            kind = "folder" if path.is_dir() else "device, pipe or socket"
            raise LogError(cannot_open(path, f"it is a {kind}"))
        _make_folder(path.parent)
        # SQLite creates the -wal and -shm files with the mode of this one.
        handle = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            header = os.read(handle, _HEADER_BYTES)
            if header and not header.startswith(b"SQLite format 3\0"):
                raise LogError(
                    cannot_open(path, "it is not a SQLite database, or its beginning is damaged")
                )
            is_log = not header or header[68:72] == APPLICATION_ID.to_bytes(4, "big")
            if os.name == "posix" and is_log and os.fstat(handle).st_mode & 0o077:
                with suppress(PermissionError):  # of somebody else, who has shared it
                    os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        failure = UnwritableLogError if is_readable(path) else LogError
        raise failure(cannot_open(path, error.strerror or str(error))) from None


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def cannot_open(path: Path, reason: str) -> str:
    """Message for a log that cannot be opened, one line."""
    return (
        f"cannot open the log {str(path)!r}: {reason}. "
        f"Set {VARIABLE} to another file, or to {OFF!r} to disable the log"
    )


def is_readable(path: Path) -> bool:
    """Whether there is a file that may be read."""
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except OSError:
        return False


def is_full(folder: Path) -> bool:
    """Whether the disk that a folder is on has no room for a few pages of a database."""
    import shutil

    try:
        return shutil.disk_usage(folder).free < _SMALLEST_ROOM_BYTES
    except OSError:
        return False


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Type of the network file system that `folder` is on; None on a local or unknown one.

    Detected on Linux only, from its mount table.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    target = os.path.realpath(folder)
    longest, found = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = fields[4].replace("\\040", " ")
        inside = point == "/" or target == point or target.startswith(point + "/")
        if inside and len(point) >= longest:  # of equal points the later mount covers the earlier
            longest, found = len(point), right.split(" ", 1)[0]
    return found if found in _NETWORK_FILE_SYSTEMS else None


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` while the block runs, unless another process holds it.

    Yields
    ------
    bool
        Whether the lock was acquired; never blocks.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError:
        yield False
        return
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)  # releases the lock


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
