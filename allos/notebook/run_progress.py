"""How far calls without a board are, as one quiet line below the cell that waits for them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from allos.notebook.front_end import is_interactive
from allos.render.plain import clean_text, quiet_html

if TYPE_CHECKING:
    from allos.runs.active_runs import ActiveRun


class RunProgress:
    """Called with a run that a cell waits for; shows nothing where no person looks on."""

    def __init__(self) -> None:
        self._execution_count: int | None = None
        self._shown: dict[str, str] = {}
        """Display of each line of the cell's execution, by what is asked."""

    def __call__(self, run: ActiveRun) -> None:
        """Show the line, or draw it anew."""
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        if shell is None or not is_interactive(shell):
            return
        if shell.execution_count != self._execution_count:
            self._execution_count, self._shown = shell.execution_count, {}
        is_new = run.question not in self._shown
        line = f"{clean_text(run.question)}: {run.answered:,} of {run.answered + run.unanswered:,}"
        shell.display_pub.publish(
            {"text/html": quiet_html([line]), "text/plain": line},
            transient={"display_id": self._shown.setdefault(run.question, uuid.uuid4().hex)},
            update=not is_new,
        )
