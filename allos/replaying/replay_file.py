"""The replay file: one recorded answer per line, as JSON that people can read and diff.

A new answer is appended; of two lines with the same key the later one counts. `compact` rewrites the
file with one line for each key, at the position of the first, so that recording again gives a small
diff. Several processes may write: appending and compacting hold a lock on the file, and both start from
its contents at that moment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from allos.errors import ReplayError

VERSION = 1
"""Format of a line. A file with a line of a newer format is rejected."""

Key: TypeAlias = tuple[str, int]
"""Hash of a request, and its number among the equal requests of a run, from 0."""

_LOCK_S = 10.0
_LOCK_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded answer."""

    key: Key
    line: int
    """Line number in the file, from 1; 0 when recorded by this run."""
    text: str
    """The line."""

    @property
    def values(self) -> dict[str, Any]:
        """The line's JSON; a new object each time."""
        values: dict[str, Any] = json.loads(self.text)
        return values


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a replay file."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    """By key, in the order in which the keys first occur in the file."""
    damaged: dict[int, bytes] = field(default_factory=dict)
    """Lines that cannot be read, by line number."""


def read(path: Path) -> Contents:
    """Read a file; a missing file is empty.

    Raises
    ------
    ReplayError
        It cannot be read, a newer version of allos wrote it, or it is not a replay file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Contents()
    except OSError as exc:
        raise ReplayError(f"{_named(path)} cannot be read: {exc.strerror}.") from None
    return _contents(path, data)


def _contents(path: Path, data: bytes) -> Contents:
    found = Contents()
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            text = raw.decode("utf-8").strip()
            key = _key(path, json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            found.damaged[number] = raw
        else:
            found.entries[key] = Entry(key, number, text)
    if found.damaged and not found.entries and not _is_incomplete_line(data):
        raise ReplayError(
            f"{_named(path)} is not a valid replay file: none of its lines is a recorded answer. "
            "Choose another file; this one was not changed."
        )
    return found


def _is_incomplete_line(data: bytes) -> bool:
    """Whether the file is the beginning of its first line, as a crash leaves it."""
    start = f'{{"v": {VERSION}, "hash": "'.encode()
    return data.startswith(start[: len(data)]) and b"\n" not in data.rstrip()


def _key(path: Path, values: Any) -> Key:
    version = values["v"]
    if isinstance(version, int) and version > VERSION:
        raise ReplayError(
            f"{_named(path)} was written by a newer version of allos (format {version}, this one "
            f"supports {VERSION}): upgrade allos, or choose another file. It was not changed."
        )
    digest, number = values["hash"], values["n"]
    answer, facts = values["answer"], values["facts"]
    messages = values["request"]["messages"]
    is_valid = (
        isinstance(digest, str)
        and isinstance(number, int)
        and isinstance(answer.get("content"), str)
        and isinstance(facts, dict)
        and isinstance(messages, list)
    )
    if version != VERSION or not is_valid:
        raise ValueError
    return digest, number


def append(path: Path, lines: list[str]) -> None:
    """Append lines with one write. The cost does not depend on the size of the file.

    Raises
    ------
    ReplayError
        The file cannot be written.
    """
    data = b"".join(_encoded(line) + b"\n" for line in lines)
    try:
        with _locked(path) as handle:
            size = os.lseek(handle, 0, os.SEEK_END)
            if size:
                os.lseek(handle, size - 1, os.SEEK_SET)
                if (
                    os.read(handle, 1) != b"\n"
                ):  # an incomplete line, left by a crash, stays a line of its own
                    data = b"\n" + data
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
    except OSError as exc:
        raise ReplayError(f"{_named(path)} cannot be written: {exc.strerror}.") from None


def compact(
    path: Path,
    *,
    drop: Set[Key] = frozenset(),
    order: Mapping[Key, Any] | None = None,
    drop_damaged: bool = False,
) -> None:
    """Rewrite a file with one line for each key; a file that would not change is not written.

    Parameters
    ----------
    path : Path
    drop : set of keys
        Answers to remove.
    order : mapping
        Sort keys of some answers: these are sorted among the lines that they occupy together.
    drop_damaged : bool
        Remove damaged lines; by default they keep their positions.

    Raises
    ------
    ReplayError
        The file cannot be written; it was not changed.
    """
    if not path.exists():
        return
    try:
        with _locked(path) as handle:
            size = os.lseek(handle, 0, os.SEEK_END)
            os.lseek(handle, 0, os.SEEK_SET)
            data = _read_all(handle, size)
            compacted = _compacted(
                _contents(path, data), drop, order or {}, drop_damaged=drop_damaged
            )
            if compacted != data:
                _replace(path, compacted, os.fstat(handle).st_mode)
    except OSError as exc:
        raise ReplayError(f"{_named(path)} cannot be written: {exc.strerror}.") from None


def _compacted(
    found: Contents, drop: Set[Key], order: Mapping[Key, Any], *, drop_damaged: bool
) -> bytes:
    keys = list(found.entries)
    positions = [position for position, key in enumerate(keys) if key in order]
    ordered = sorted((keys[position] for position in positions), key=order.__getitem__)
    for position, key in zip(positions, ordered, strict=True):
        keys[position] = key
    kept = [_encoded(found.entries[key].text) for key in keys if key not in drop]
    if not drop_damaged:
        # Before the entry that follows them, whatever happened to the lines above.
        for number, raw in found.damaged.items():
            above = sum(entry.line < number for entry in found.entries.values())
            kept.insert(min(above, len(kept)), raw)
    return b"".join(line + b"\n" for line in kept)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Replace a file atomically: readers see the old contents or the new ones, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode & 0o7777)
        os.replace(temporary, path)
    except PermissionError:
        if os.name == "posix":
            raise
        # Windows, while another process reads the file: not compacted, it means the same.
    finally:
        with suppress(OSError):
            temporary.unlink()


def _read_all(handle: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(handle, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _encoded(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


def _named(path: Path) -> str:
    return f"The replay file {path.name!r}"


# ---- the lock ----------------------------------------------------------------------------------


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file for appending, creating it if need be, and hold its lock."""
    deadline = time.monotonic() + _LOCK_S
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, 0o666)
        try:
            while not _try_lock(handle):
                if time.monotonic() > deadline:
                    raise ReplayError(
                        f"{_named(path)} has been locked by another process for {_LOCK_S:.0f} s."
                    )
                time.sleep(_LOCK_POLL_S)
            # Replaced by another process while this one waited: then the handle is the old file's.
            if _is_current(handle, path):
                yield handle
                return
        finally:
            os.close(handle)  # releases the lock


def _is_current(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _try_lock(handle: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            # One byte far behind the end: a lock there blocks no reader.
            os.lseek(handle, 2**31 - 2, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows
    except OSError:
        return False
    return True
