"""The static table of an output: what a saved notebook keeps, updated as answers come in."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from allos.notebook.mime_bundles import Bundle

_LARGE = 500
"""The table of more calls is not updated while they run."""


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
