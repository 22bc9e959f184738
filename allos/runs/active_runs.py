"""Comparisons, batches and judges under way: stopping all of them, and what happens to them when the process ends."""

from __future__ import annotations

import sys
import weakref
from typing import Protocol

from allos import _process
from allos.session import Session, current_session


class ActiveRun(Protocol):
    """A run that nobody waits for."""

    kind: str
    """``"comparison"``, ``"batch"`` or ``"judge"``."""

    @property
    def id(self) -> str:
        """As in the log."""

    @property
    def question(self) -> str:
        """What it asks."""

    @property
    def answered(self) -> int:
        """Calls that are done."""

    @property
    def unanswered(self) -> int:
        """Calls that are not."""

    def cancel(self) -> None:
        """Stop all that is not done."""

    def leave(self) -> None:
        """Stop all that only this process can do, at its end."""

    @property
    def stays_at_service(self) -> bool:
        """Whether services go on with it when the process ends."""

    def wait_for_calls(self, timeout_s: float) -> None:
        """Wait until every call that was stopped has ended, as long as that."""


_EXIT_S = 2.0
"""How long exit waits for a cancelled call."""

_sessions: weakref.WeakSet[Session] = weakref.WeakSet()
"""Resource of the process: sessions in which a run was started, for the end of the process."""


def add(session: Session, run: ActiveRun) -> None:
    """Note that a run is under way."""
    session.active_runs.add(run)
    _sessions.add(session)


def stop_all() -> int:
    """Stop every comparison, batch and judge under way; returns how many there were."""
    running = list(current_session().active_runs)
    for run in running:
        run.cancel()
    return len(running)


def _cancel_at_exit() -> None:
    """Stop what still runs, and say so: nobody can wait for it any more."""
    running: list[ActiveRun] = [run for session in _sessions for run in list(session.active_runs)]
    left = {run: run.unanswered for run in running}
    for run in running:
        run.leave()
    for run in running:
        if not run.stays_at_service:
            run.wait_for_calls(_EXIT_S)
    at_service = sum(number for run, number in left.items() if run.stays_at_service)
    if at_service:
        noun, verb = ("answer", "is") if at_service == 1 else ("answers", "are")
        sys.stderr.write(
            f"allos: {at_service:,} {noun} of a batch {verb} still to come from the service. Running it "
            "again collects them.\n"
        )
    for kind, goes_on in (
        ("comparison", ""),
        ("judge", ""),
        ("batch", " Running it again goes on."),
    ):
        count = sum(
            number for run, number in left.items() if run.kind == kind and not run.stays_at_service
        )
        if count:
            noun, verb = ("answer", "was") if count == 1 else ("answers", "were")
            sys.stderr.write(
                f"allos: {count} {noun} of a {kind} had not come and {verb} cancelled.{goes_on}\n"
            )


_process.on_exit(_process.ExitStage.RUNS, _cancel_at_exit)
