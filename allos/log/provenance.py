"""Facts of the process for each row: session, user, host, git commit, version.

The commit is read from the repository's files: running git would take milliseconds, and it may not
be installed.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from allos.ids import new_id
from allos.version import __version__

GIT_REFRESH_S = 5.0
"""How long the git commit is cached: a commit or a change of folder shows in the rows after this."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")  # SHA-1 or SHA-256


def git_commit(folder: Path) -> str | None:
    """Commit checked out in the repository that contains `folder`; None outside a repository."""
    try:
        for each in (folder, *folder.parents):
            git = each / ".git"
            if git.exists():
                return _head(_git_folder(git))
    except (OSError, ValueError):  # unreadable files, not UTF-8
        return None
    return None


def _git_folder(git: Path) -> Path:
    """Folder with HEAD; in a worktree or submodule, `.git` is a file with its path."""
    if git.is_dir():
        return git
    _, _, target = git.read_text(encoding="utf-8").partition("gitdir:")
    return git.parent / target.strip()


def _head(folder: Path) -> str | None:
    """Commit of HEAD, with symbolic references resolved."""
    pointer = folder / "commondir"  # the references of a worktree are in the main repository
    common = folder / pointer.read_text(encoding="utf-8").strip() if pointer.exists() else folder
    text = (folder / "HEAD").read_text(encoding="utf-8").strip()
    for _ in range(5):  # git's own limit
        if not text.startswith("ref:"):
            return text if _COMMIT.fullmatch(text) else None
        name = text.removeprefix("ref:").strip()
        for path in (folder / name, common / name):
            if path.is_file():
                text = path.read_text(encoding="utf-8").strip()
                break
        else:
            return _packed_reference(common / "packed-refs", name)
    return None


def _packed_reference(path: Path, name: str) -> str | None:
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
    except (OSError, KeyError, ImportError):  # a container may run as a user id without a name
        return None


class ProcessFacts:
    """Facts of one session in one process; `current` is cheap enough to call for every row.

    Attributes
    ----------
    session_id : str
        ULID of the session.
    """

    def __init__(self) -> None:
        import platform

        self.session_id = new_id()
        self._facts: dict[str, Any] = {
            "session_id": self.session_id,
            "user": _user(),
            "host": platform.node() or None,
            "git_commit": None,
            "allos_version": __version__,
        }
        self._commit_read_at: float | None = None

    def current(self) -> dict[str, Any]:
        """Facts as of now, by column name."""
        now = time.monotonic()
        if self._commit_read_at is None or now - self._commit_read_at > GIT_REFRESH_S:
            self._commit_read_at = now
            try:
                folder = Path.cwd()
            except OSError:  # the working folder was removed
                self._facts["git_commit"] = None
            else:
                self._facts["git_commit"] = git_commit(folder)
        return self._facts
