"""What a notebook adds to every session: it opens the log, asks before tools run, watches runs, shows progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos import _process

if TYPE_CHECKING:
    from allos.session import Session


class SessionHooks:
    """Connects the sessions of a process with a shell, without making one."""

    def __init__(self) -> None:
        self._take_back: _process.Action = lambda: None
        self._cell_runs: Any = None
        self._run_progress: Any = None

    def register(self) -> None:
        """Connect every session, the existing default one and those made later."""
        self._take_back = _process.on_session(self._connect)

    def unregister(self) -> None:
        """Disconnect the default session; later ones are left alone."""
        self._take_back()
        session = _process.existing_session()
        if session is not None:
            self._disconnect(session)

    def _connect(self, session: Session) -> None:
        from allos.notebook.cell_runs import CellRuns
        from allos.notebook.run_progress import RunProgress
        from allos.notebook.tool_approval import ask_person

        self._run_progress = self._run_progress or RunProgress()
        session.on_progress.append(self._run_progress)
        self._cell_runs = self._cell_runs or CellRuns()
        session.on_run_started.append(self._cell_runs)
        session.approvers.append(ask_person)
        session.open_log_on_first_call()

    def _disconnect(self, session: Session) -> None:
        from allos.notebook.tool_approval import ask_person

        for listed, ours in (
            (session.on_run_started, self._cell_runs),
            (session.on_progress, self._run_progress),
            (session.approvers, ask_person),
        ):
            if ours in listed:
                listed.remove(ours)  # type: ignore[arg-type]  # each list has its own kind
        session.log.opens_on_first_call = False
