"""Output of a batch: one table, updated while the batch runs, by a thread that only draws."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from allos.notebook.front_end import is_colab
from allos.notebook.mime_bundles import batch_bundle

if TYPE_CHECKING:
    from allos.runs.batching.live_batch import Batch

_INTERVAL_S = 0.5
"""Between two updates, at least."""


def show(shell: Any, batch: Batch, bundle_of: Callable[[], dict[str, str]] | None = None) -> None:
    """Show the table and keep it up to date until the batch has ended.

    On Colab, output of a background thread may not arrive: there the call waits.

    Parameters
    ----------
    shell : InteractiveShell
    batch : Batch
    bundle_of : callable, optional
        What to show in place of the batch's table; asked at each update.

    Raises
    ------
    Interrupted
        The stop button, on Colab: the batch is paused.
    """
    table = _Table(shell, batch, bundle_of or (lambda: batch_bundle(batch)))
    table.publish()
    if not is_colab():
        if not batch.done:
            threading.Thread(target=table.follow, name="allos-batch-table", daemon=True).start()
        return
    try:
        table.follow()
    except KeyboardInterrupt:
        stopped = batch.interrupted()
        table.publish()
    else:
        return
    raise stopped


class _Table:
    """The table of one output."""

    def __init__(self, shell: Any, batch: Batch, bundle_of: Callable[[], dict[str, str]]) -> None:
        self._shell = shell
        self._bundle_of = bundle_of
        self._batch = batch
        self._display_id = uuid.uuid4().hex
        self._shown: tuple[object, ...] | None = None

    def follow(self) -> None:
        """Update the table until nothing changes any more."""
        while not self._batch.is_over:
            self._batch.wait_for_change(_INTERVAL_S)
            self.publish()
        self.publish()

    def publish(self) -> None:
        """Show the table, or replace the one that is shown where something has changed."""
        batch = self._batch
        version = (
            batch.state,
            batch.at_service,
            batch.is_over,
            batch.answered,
            len(batch.notes),
        )
        if version == self._shown:
            return
        self._shell.display_pub.publish(
            self._bundle_of(),
            transient={"display_id": self._display_id},
            update=self._shown is not None,
        )
        self._shown = version
