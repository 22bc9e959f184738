"""Facts of the process for each row: session, user, host, commit, version.

The commit is read from the repository's files: starting git would cost milliseconds and may not
be possible.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from allos.ids import new_id
from allos.version import __version__

GIT_REFRESH_S = 5.0
"""A commit, or a change of folder, while the process runs shows in the rows after so many seconds."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")  # SHA-1 or SHA-256

_session: tuple[int, str] | None = None  # (pid, id): a forked child is a session of its own


def session_id() -> str:
    """ULID of this process, made when first asked for."""
    global _session
    pid = os.getpid()
    if _session is None or _session[0] != pid:
        _session = (pid, new_id())
    return _session[1]


def git_commit(folder: Path) -> str | None:
    """Commit checked out in the repository that holds `folder`, None outside of one.

    Parameters
    ----------
    folder : Path
        Where to look, then upwards.
    """
    try:
        for place in (folder, *folder.parents):
            git = place / ".git"
            if git.exists():
                return _head(_git_folder(git))
    except (OSError, ValueError):  # unreadable files, not UTF-8
        return None
    return None


def _git_folder(git: Path) -> Path:
    """Folder with HEAD; in a worktree or submodule `.git` is a file that names it."""
    if git.is_dir():
        return git
    _, _, target = git.read_text(encoding="utf-8").partition("gitdir:")
    return git.parent / target.strip()


def _head(folder: Path) -> str | None:
    """Commit of HEAD, followed through symbolic references."""
    shared = folder / "commondir"  # a worktree keeps its references with the main repository
    common = folder / shared.read_text(encoding="utf-8").strip() if shared.exists() else folder
    text = (folder / "HEAD").read_text(encoding="utf-8").strip()
    for _ in range(5):  # git itself follows no more
        if not text.startswith("ref:"):
            return text if _COMMIT.fullmatch(text) else None
        name = text.removeprefix("ref:").strip()
        for place in (folder / name, common / name):
            if place.is_file():
                text = place.read_text(encoding="utf-8").strip()
                break
        else:
            return _packed(common / "packed-refs", name)
    return None


def _packed(path: Path, name: str) -> str | None:
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name and _COMMIT.fullmatch(commit):
            return commit
    return None


def _user() -> str | None:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return None


class ProcessFacts:
    """Facts of the process by column name; `current` is cheap enough for every row."""

    def __init__(self) -> None:
        import platform

        self._facts: dict[str, Any] = {
            "session_id": session_id(),
            "user": _user(),
            "host": platform.node() or None,
            "git_commit": None,
            "allos_version": __version__,
        }
        self._git_read_at: float | None = None

    def current(self) -> dict[str, Any]:
        """Facts as of now."""
        now = time.monotonic()
        if self._git_read_at is None or now - self._git_read_at > GIT_REFRESH_S:
            self._git_read_at = now
            try:
                folder = Path.cwd()
            except OSError:  # the working folder was removed
                self._facts["git_commit"] = None
            else:
                self._facts["git_commit"] = git_commit(folder)
        return self._facts


_facts: tuple[int, ProcessFacts] | None = None


def process_facts() -> dict[str, Any]:
    """Facts of this process as of now, by column name. Any thread."""
    global _facts
    pid = os.getpid()
    if _facts is None or _facts[0] != pid:
        _facts = (pid, ProcessFacts())
    return _facts[1].current()
