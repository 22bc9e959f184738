"""What happens when the process ends or forks, in which order, and which session is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import allos
from allos import _process
from allos.session import Session

ROOT = Path(__file__).parents[2]

EXIT = """
from allos._process import ExitStage, on_exit

for stage in (ExitStage.SERVERS, ExitStage.ENGINE, ExitStage.SESSION, ExitStage.RUNS):
    on_exit(stage, lambda stage=stage: print("stage", stage))
on_exit(ExitStage.RUNS, lambda: 1 / 0)
taken_back = on_exit(ExitStage.RUNS, lambda: print("never"))
taken_back()
"""

FORK = """
import os
from allos._process import on_fork

on_fork(before=lambda: print("before first", flush=True))
on_fork(
    before=lambda: print("before second", flush=True),
    after_in_parent=lambda: None,
    after_in_child=lambda: print("in the child", flush=True),
)
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.process
def test_exit_goes_from_runs_to_servers() -> None:
    """Stages run in their order whoever registered first; a failing action stops no other."""
    done = run(EXIT)

    assert done.stdout.split("\n")[:-1] == ["stage 0", "stage 1", "stage 2", "stage 3"]
    assert done.stderr == "allos: ZeroDivisionError: division by zero\n"


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="this system has no fork")
def test_fork_runs_newest_first_before_it() -> None:
    """What was registered last may depend on what was before, so it lets go first."""
    assert run(FORK).stdout.split("\n")[:-1] == ["before second", "before first", "in the child"]


def test_hooks_complete_the_sessions_that_exist_and_those_to_come() -> None:
    """Who listens to sessions makes none, and is given each once."""
    seen: list[Any] = []
    assert _process.existing_session() is None
    undo = _process.on_session(seen.append)
    nothing_made = _process.existing_session()
    default, own = allos.current_session(), Session()
    undo()
    Session()

    assert nothing_made is None
    assert seen == [default, own]


def test_a_hook_that_comes_late_is_given_the_default_session() -> None:
    """Loading the notebook extension after the first call changes nothing."""
    seen: list[Any] = []
    default = allos.current_session()
    undo = _process.on_session(seen.append)
    undo()

    assert seen == [default]
