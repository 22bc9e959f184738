"""Where each call of a batch is, one byte a call, and who waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Iterator
from enum import IntEnum

from allos.response import ProviderResponse
from allos.runs.batching.batch_counts import ColumnCounts
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.column_labels import column_labels


class CallState(IntEnum):
    """Where a call is; from `KEPT` on it has ended."""

    WAITING = 0
    STARTED = 1
    KEPT = 2
    """Answered by an earlier run."""
    OK = 3
    FAILED = 4
    CANCELLED = 5
    NOT_SENT = 6
    """Left out, since it would have failed."""
    SPARED = 7
    """Left out, since what was to be known is known."""


class CallStates:
    """States of all calls of a batch, and counts of them.

    Any thread; `changed` guards everything, and is notified when nothing is left or under way.

    Parameters
    ----------
    plan : BatchPlan
    kept : iterable of int
        Positions of the calls that an earlier run has answered.
    """

    def __init__(self, plan: BatchPlan, kept: Iterable[int]) -> None:
        self._plan = plan
        self._states = bytearray(len(plan))
        self.changed = threading.Condition()
        self.left = len(plan)
        """Calls that have not ended."""
        self.started = 0
        """Calls that are started and have not ended."""
        of_each = len(plan.rows) * plan.grid.n
        self.columns = [ColumnCounts(name, of_each) for name in column_labels(plan)]
        for position in kept:
            self._states[position] = CallState.KEPT
            self.columns[plan.parts(position)[1]].kept += 1
            self.left -= 1

    def __getitem__(self, position: int) -> CallState:
        return CallState(self._states[position])

    def ended(self) -> list[int]:
        """Positions of the calls that have ended, without those that were spared."""
        found = range(CallState.KEPT, CallState.SPARED)
        return [at for at, state in enumerate(bytes(self._states)) if state in found]

    def is_waiting(self, position: int) -> bool:
        """Whether a call was not started yet, and is to be."""
        return self._states[position] == CallState.WAITING

    def start(self, position: int) -> bool:
        """Take a call to start it; False when it is not to be started any more."""
        with self.changed:
            if self._states[position] != CallState.WAITING:
                return False
            self._states[position] = CallState.STARTED
            self.started += 1
            self.columns[self._plan.parts(position)[1]].start()
            return True

    def end(self, position: int, response: ProviderResponse) -> None:
        """Note the response of a call that was started."""
        state = {"ok": CallState.OK, "cancelled": CallState.CANCELLED}.get(
            response.status, CallState.FAILED
        )
        with self.changed:
            if self._states[position] != CallState.STARTED:  # it was given up
                return
            self._states[position] = state
            self.columns[self._plan.parts(position)[1]].add(response)
            self.started -= 1
            self.left -= 1
            if not self.started or not self.left:  # not for each of a hundred thousand
                self.changed.notify_all()

    def put_back(self, positions: Iterable[int]) -> None:
        """Let calls wait again that were started elsewhere and have not ended."""
        with self.changed:
            for position in positions:
                if self._states[position] == CallState.STARTED:
                    self._states[position] = CallState.WAITING
                    self.started -= 1
            self.changed.notify_all()

    def give_up(
        self,
        is_wanted: Callable[[int], bool],
        state: CallState,
        only: Container[int] | None = None,
    ) -> list[int]:
        """End the waiting calls of the wanted columns, and return their positions.

        With `only`, none at other positions.
        """
        with self.changed:
            waiting = self._in_state(CallState.WAITING, is_wanted)
            found = [at for at in waiting if only is None or at in only]
            self._mark(found, state)
            self.changed.notify_all()
        return found

    def restore_spared(self) -> None:
        """Let the calls that were spared wait again."""
        with self.changed:
            for position, state in enumerate(bytes(self._states)):
                if state == CallState.SPARED:
                    self._states[position] = CallState.WAITING
                    self.columns[self._plan.parts(position)[1]].spared -= 1
                    self.left += 1

    def give_up_started(self, is_wanted: Callable[[int], bool], state: CallState) -> list[int]:
        """End the started calls of the wanted columns, whatever becomes of them; see `give_up`."""
        with self.changed:
            found = list(self._in_state(CallState.STARTED, is_wanted))
            self._mark(found, state)
            self.started -= len(found)
            self.changed.notify_all()
        return found

    def _mark(self, positions: list[int], state: CallState) -> None:
        for position in positions:
            self._states[position] = state
            counts = self.columns[self._plan.parts(position)[1]]
            if state == CallState.NOT_SENT:
                counts.not_sent += 1
            elif state == CallState.SPARED:
                counts.spared += 1
            else:
                counts.cancelled += 1
        self.left -= len(positions)

    def _in_state(self, wanted_state: CallState, is_wanted: Callable[[int], bool]) -> Iterator[int]:
        wanted = [is_wanted(column) for column in range(len(self.columns))]
        for position, state in enumerate(bytes(self._states)):
            if state == wanted_state and wanted[self._plan.parts(position)[1]]:
                yield position
