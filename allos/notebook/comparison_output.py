"""Interactive output of a comparison: a static table, and over it the live board.

The table is what a saved notebook keeps: it is shown first, updated as answers come in, and hidden
by the board while that is alive. On Colab the cell waits, and updates the table itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from allos.notebook.front_end import is_colab
from allos.notebook.mime_bundles import comparison_bundle
from allos.notebook.static_table import StaticTable

if TYPE_CHECKING:
    from allos.runs.board_messages.source import BoardSource

_UPDATE_INTERVAL_S = 0.5
"""How often a waiting cell on Colab updates its table, at most."""
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
    if is_colab():
        table = StaticTable(shell, comparison, lambda: comparison_bundle(comparison))
        table.publish()
        _wait(table, comparison)
        return
    from allos.notebook.playground import EditedOutput

    output = EditedOutput(comparison)
    table = StaticTable(shell, output, output.bundle)
    table.publish()
    data, metadata = shell.display_formatter.format(output.widget)
    if data:  # a widget of ipywidgets 7 has shown itself
        data["text/plain"] = (
            ""  # what pages without widgets show: below the table it would be noise
        )
        shell.display_pub.publish(data, metadata)
    output.follow(table.update_soon)
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
