"""Interactive output of a comparison: a static table, and over it the live board.

The table is what a saved notebook keeps: it is shown first, updated as answers come in, and hidden
by the board while that is alive. On Colab the cell waits, and updates the table itself.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from allos.notebook.front_end import is_colab
from allos.notebook.mime_bundles import Bundle, comparison_bundle

if TYPE_CHECKING:
    from allos.notebook.board.source import BoardSource

_UPDATE_INTERVAL_S = 0.5
"""How often a waiting cell on Colab updates its table, at most."""
_LARGE = 500
"""The table of a comparison of more calls is not updated while it runs."""
_STOP_TIMEOUT_S = 2.0
"""How long to wait for the partial answers of stopped calls."""


def show(shell: Any, comparison: BoardSource) -> None:
    """Show the table and the board, and keep the table up to date.

    On Colab, output of a background thread may not arrive (googlecolab/colabtools#3373): there the
    call waits for the answers, and shows no board.

    Raises
    ------
    Interrupted
        The stop button, on Colab: everything was stopped, partial answers are kept.
    """
    table = StaticTable(shell, comparison, lambda: comparison_bundle(comparison))
    table.publish()
    if is_colab():
        _wait(table, comparison)
        return
    from allos.notebook.board import make_board

    board = make_board(comparison)
    data, metadata = shell.display_formatter.format(board)
    if data:  # a widget of ipywidgets 7 has shown itself
        data["text/plain"] = (
            ""  # what pages without widgets show: below the table it would be noise
        )
        shell.display_pub.publish(data, metadata)
    comparison.watch(table.update_soon)
    table.update_soon()  # the comparison may have ended in between


def _wait(table: StaticTable, comparison: BoardSource) -> None:
    """Update the table from this thread until the last answer is there."""
    stopped = None
    try:
        while not comparison.done:
            with suppress(TimeoutError):
                comparison.wait(_UPDATE_INTERVAL_S)
            table.update()
    except KeyboardInterrupt:  # from `wait`, which has stopped everything, or from `update`
        stopped = comparison.interrupted()
        with suppress(TimeoutError):
            comparison.wait(_STOP_TIMEOUT_S)
    table.update()
    if stopped is not None:
        raise stopped


class Answers(Protocol):
    """What a static table shows: a comparison, or several."""

    @property
    def answers_version(self) -> object:
        """Another one whenever a response arrives."""

    @property
    def done(self) -> bool:
        """Whether every cell has its response."""

    @property
    def cells(self) -> Sequence[Any]:
        """All calls."""


class StaticTable:
    """The static table of one output, updated whenever an answer is complete.

    Parameters
    ----------
    shell : InteractiveShell
    answers : Answers
    bundle : callable
        Returns what to show.
    """

    def __init__(self, shell: Any, answers: Answers, bundle: Callable[[], Bundle]) -> None:
        self._shell = shell
        self._answers = answers
        self._bundle = bundle
        self._display_id = uuid.uuid4().hex
        self._is_published = False
        self._published_version: object = None
        self._updating = threading.Lock()  # guards: one thread updates the table at a time

    def update_soon(self) -> None:  # loop thread
        """Start a thread that updates the table, if it is out of date."""
        # Not here: rendering takes tens of milliseconds, which would stall every stream.
        if self._is_stale() and self._updating.acquire(blocking=False):
            threading.Thread(target=self._update_in_thread, name="allos-table", daemon=True).start()

    def update(self) -> None:
        """Update the table until no answer has come in meanwhile."""
        while self._is_stale():
            self.publish()

    def publish(self) -> None:
        """Show the table, or replace the one that is shown."""
        self._published_version = self._answers.answers_version
        data, metadata = self._bundle()
        self._shell.display_pub.publish(
            data,
            metadata=metadata,
            transient={"display_id": self._display_id},
            update=self._is_published,
        )
        self._is_published = True

    def _is_stale(self) -> bool:
        answers = self._answers
        if len(answers.cells) > _LARGE and not answers.done:
            return False  # a table of so many answers is made once, at the end
        return answers.answers_version != self._published_version

    def _update_in_thread(self) -> None:
        try:
            self.update()
        finally:
            self._updating.release()
        self.update_soon()  # an answer may have come between the last check and the release
