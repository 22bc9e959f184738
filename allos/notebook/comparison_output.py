"""How a comparison shows itself: a static table, and over it the live board.

The table is what a saved notebook keeps: it is shown first, brought up to date as answers come in,
and hidden by the board while that lives. Where nobody can click (nbclient, nbval, papermill, a script),
the cell waits for the answers and shows the table alone. On Colab it waits as well, and the table is
shown anew whenever an answer is complete.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from allos.notebook.cell_provenance import parent_of
from allos.notebook.live_output import is_live

if TYPE_CHECKING:
    from allos.runs.comparison import Comparison

_LOOK_S = 0.5
"""How often a cell of Colab that waits looks whether its table has changed."""
_STOP_S = 2.0
"""How long stopped calls may take to hand over what had arrived."""


def is_interactive(shell: Any) -> bool:
    """Whether somebody sits in front of the cell: its request allows questions to be asked."""
    content = parent_of(shell).get("content") or {}
    return is_live(shell) and bool(content.get("allow_stdin"))


def can_ask(shell: Any) -> bool:
    """Whether a question finds somebody: in front of the cell, or at the keyboard of IPython itself."""
    terminal = sys.modules.get("IPython.terminal.interactiveshell")
    if terminal is not None and isinstance(shell, terminal.TerminalInteractiveShell):
        return sys.stdin is not None and sys.stdin.isatty()
    return is_interactive(shell)


def show(shell: Any, comparison: Comparison) -> None:
    """Show the table, and the board where somebody can use it.

    On Colab what a background thread sends may not arrive (googlecolab/colabtools#3373): there it
    waits for the answers, and shows no board.

    Raises
    ------
    Interrupted
        The stop button, on Colab: everything was stopped, what had arrived is kept.
    """
    table = _Table(shell, comparison)
    table.publish()
    if is_colab():
        _follow(table, comparison)
        return
    from allos.notebook.board import make_board

    board = make_board(comparison)
    data, metadata = shell.display_formatter.format(board)
    if data:  # a widget of ipywidgets 7 has shown itself
        shell.display_pub.publish(data, metadata)
    comparison.watch(table.changed)
    table.changed()  # it may have ended in between


def is_colab() -> bool:
    """Whether this is a kernel of Colab."""
    return "COLAB_RELEASE_TAG" in os.environ


def _follow(table: _Table, comparison: Comparison) -> None:
    """Bring the table up to date from this thread until the last answer is there."""
    try:
        while not comparison.done:
            with suppress(TimeoutError):
                comparison.wait(_LOOK_S)
            table.catch_up()
    except KeyboardInterrupt:
        comparison.cancel()  # also where the button was pressed while the table was made
        with suppress(TimeoutError):
            comparison.wait(_STOP_S)
        raise
    finally:
        table.catch_up()


def bundle(comparison: Comparison) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the static table by MIME type, and the metadata that keeps its rows."""
    from allos.log.notebook_rows import rows_metadata

    # Before the table: an answer that comes in between is shown by the next update.
    rows = rows_metadata([r for cell in list(comparison.cells) if (r := cell.response) is not None])
    return {"text/html": comparison.to_html(), "text/plain": str(comparison)}, rows


class _Table:
    """The static table of one display, brought up to date whenever an answer is complete."""

    def __init__(self, shell: Any, comparison: Comparison) -> None:
        self._shell = shell
        self._comparison = comparison
        self._display_id = uuid.uuid4().hex
        self._shown = False
        self._of = -1
        self._busy = threading.Lock()  # guards: one thread brings the table up to date at a time

    def changed(self) -> None:  # loop thread
        # Rendering takes tens of milliseconds, which every stream would feel.
        if self._comparison.answers_version != self._of and self._busy.acquire(blocking=False):
            threading.Thread(target=self._catch_up, name="allos-table", daemon=True).start()

    def catch_up(self) -> None:
        """Show it anew for as long as answers have come since."""
        while self._comparison.answers_version != self._of:
            self.publish()

    def _catch_up(self) -> None:
        try:
            self.catch_up()
        finally:
            self._busy.release()
        self.changed()  # an answer may have come between the last look and the release

    def publish(self) -> None:
        self._of = self._comparison.answers_version
        data, metadata = bundle(self._comparison)
        self._shell.display_pub.publish(
            data,
            metadata=metadata,
            transient={"display_id": self._display_id},
            update=self._shown,
        )
        self._shown = True
