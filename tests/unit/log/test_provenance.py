from __future__ import annotations

from pathlib import Path

import allos
from allos.log.provenance import ProcessFacts, git_commit

OLD = "a" * 40
NEW = "b" * 40


def repository(folder: Path, head: str) -> Path:
    git = folder / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text(head + "\n")
    return git


def test_a_detached_head_is_the_commit(tmp_path: Path) -> None:
    """A HEAD that holds a commit is taken as it is."""
    repository(tmp_path, OLD)

    assert git_commit(tmp_path) == OLD


def test_a_branch_is_followed_from_a_folder_below(tmp_path: Path) -> None:
    """The repository is found upwards, and HEAD's branch is looked up."""
    git = repository(tmp_path, "ref: refs/heads/topic/one")
    (git / "refs/heads/topic").mkdir(parents=True)
    (git / "refs/heads/topic/one").write_text(NEW + "\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    assert git_commit(below) == NEW


def test_packed_references_are_read(tmp_path: Path) -> None:
    """A branch without a file of its own is found among the packed ones; a loose one goes first."""
    git = repository(tmp_path, "ref: refs/heads/main")
    (git / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{OLD} refs/heads/main\n{NEW} refs/tags/v1\n^{OLD}\n"
    )
    packed = git_commit(tmp_path)
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text(NEW)

    assert packed == OLD
    assert git_commit(tmp_path) == NEW


def test_a_worktree_is_followed_to_its_repository(tmp_path: Path) -> None:
    """A `.git` file leads to the worktree's HEAD, whose branch lies with the main repository."""
    git = repository(tmp_path / "main", "ref: refs/heads/main")
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/topic").write_text(NEW)
    state = git / "worktrees" / "tree"
    state.mkdir(parents=True)
    (state / "HEAD").write_text("ref: refs/heads/topic\n")
    (state / "commondir").write_text("../..\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text("gitdir: ../main/.git/worktrees/tree\n")

    assert git_commit(tree) == NEW


def test_no_commit_where_there_is_none(tmp_path: Path) -> None:
    """A fresh repository, a broken one and a reference to itself give None."""
    fresh = repository(tmp_path / "fresh", "ref: refs/heads/main")
    broken = repository(tmp_path / "broken", "no commit")
    loop = repository(tmp_path / "loop", "ref: HEAD")
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / ".git").write_bytes(b"\xff\xfe")

    assert [git_commit(git.parent) for git in (fresh, broken, loop)] == [None, None, None]
    assert git_commit(tmp_path / "binary") is None


def test_facts_name_session_and_version() -> None:
    """Each row can be traced to one session and one version of allos."""
    one, other = ProcessFacts(), ProcessFacts()

    assert one.current()["session_id"] == one.session_id != other.session_id
    assert len(one.session_id) == 26
    assert one.current()["allos_version"] == allos.__version__


def test_the_commit_is_that_of_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    """The commit follows the folder in which the process works."""
    repository(tmp_path, OLD)
    monkeypatch.chdir(tmp_path)

    assert ProcessFacts().current()["git_commit"] == OLD
