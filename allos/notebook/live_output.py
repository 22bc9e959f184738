"""Paints one answer into its cell while it arrives. Main thread.

One output for each answer: escaped plain text at 12 Hz at most while it streams, the rendered and
sanitised answer once at the end. Where nobody watches live (``%%capture``, a terminal, a script
under a kernel) only the end is shown.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

from allos.engine.call import Call
from allos.errors import Interrupted
from allos.events import Event, Queued, ReasoningDelta, Retrying, TextDelta
from allos.notebook import display
from allos.providers.waiting import interrupted, settle
from allos.response import ProviderResponse

REFRESH_HZ = 12.0
_GROWTH_CHARS = 20_000
"""The interval doubles with this many characters, since each paint sends all of them."""
_ARGUMENT_CHARS = 200
_PATIENCE_S = 0.05
"""How long a cell stays empty before it says what it waits for."""


class LiveOutput:
    """Follows calls that were started with `emit=painter.put`, and shows how they end.

    Parameters
    ----------
    shell : InteractiveShell
    title : str
        Shown until the first text arrives.
    quiet : bool
        Show nothing at all.
    notes : tuple of str
        Quiet remarks for the footer.
    refresh_hz : float or None
        Most paints in a second.
    unsafe_html : bool
        Show the answer's own HTML at the end; said aloud below the cell as well.
    """

    def __init__(
        self,
        shell: Any,
        title: str,
        *,
        quiet: bool,
        notes: tuple[str, ...] = (),
        refresh_hz: float | None = None,
        unsafe_html: bool = False,
    ) -> None:
        self._shell = shell
        self._title = title
        self._quiet = quiet
        self._notes = notes
        self._every_s = 1 / (refresh_hz or REFRESH_HZ)
        self._unsafe_html = unsafe_html
        self.painted = False
        """Whether the finished answer was shown."""
        self._live = not quiet and is_live(shell)
        self._display_id = uuid.uuid4().hex
        self._shown = False
        self._batches: deque[Sequence[Event]] = deque()
        # Wakes the main thread: True for news while it is idle, None at the end of a call. A piece
        # that arrives before the next paint is due wakes nobody.
        self._signals: SimpleQueue[bool | None] = SimpleQueue()
        self._idle = False
        self._text: list[str] = []
        self._size = 0
        self._thinking = 0
        self._state = ""

    def put(self, batch: Sequence[Event]) -> None:
        """Take events. Loop thread."""
        if not self._live:
            return
        self._batches.append(batch)
        if self._idle:
            self._idle = False
            self._signals.put(True)

    def follow(self, call: Call) -> ProviderResponse:
        """Paint until the call ends, and return its response, failed or not.

        Raises
        ------
        Interrupted
            Stopped by the user; the partial answer is carried along.
        """
        try:
            if self._live and not call.from_replay:
                self._show_until_ended(call)
            response = settle(call)
            self._take()
            return response
        except Interrupted as exc:
            stopped = exc
        except KeyboardInterrupt:
            stopped = interrupted(call)
        raise stopped from None

    def called(self, response: ProviderResponse) -> None:
        """Show, below what has streamed, which tools the model asks for."""
        for call in response.tool_calls:
            arguments = call.raw_arguments or json.dumps(
                call.arguments, ensure_ascii=False, default=str
            )
            self._text.append(f"\n→ {call.name} {arguments[:_ARGUMENT_CHARS]}\n")

    def _show_until_ended(self, call: Call) -> None:
        signals = self._signals = SimpleQueue()
        self._idle = False
        call.future.add_done_callback(lambda _: signals.put(None))
        # An answer that is there at once is painted once.
        next_at = perf_counter() + _PATIENCE_S
        while not self._ends_before(next_at):
            self._take()
            self._paint()
            next_at = perf_counter() + (1 + self._size / _GROWTH_CHARS) * self._every_s
            while True:
                self._idle = True  # first, so that what comes now either is seen here or wakes us
                if self._take():
                    break
                if signals.get() is None:
                    return
            self._idle = False

    def _ends_before(self, moment: float) -> bool:
        while True:
            try:
                signal = self._signals.get(timeout=max(0.0, moment - perf_counter()))
            except Empty:
                return False
            if signal is None:
                return True

    def _take(self) -> bool:
        """Take what has arrived; whether it changes what is shown."""
        changed = False
        while self._batches:
            for event in self._batches.popleft():
                changed = self._took(event) or changed
        return changed

    def _took(self, event: Event) -> bool:
        if isinstance(event, TextDelta):
            self._text.append(event.text)
            self._size += len(event.text)
            self._state = ""
        elif isinstance(event, ReasoningDelta):
            self._thinking += len(event.text)
            self._state = f"reasoning, {self._thinking} characters"
        elif isinstance(event, Retrying):
            self._state = (
                f"{event.message} Try {event.attempt + 1} of {event.max_attempts} "
                f"in {event.wait_s:.1f} s."
            )
        elif isinstance(event, Queued):
            self._state = "waiting for its turn" if event.is_waiting else ""
        else:
            return False
        return True

    def _paint(self) -> None:
        from allos.render.plain import clean_text, streaming_html

        text = "".join(self._text)
        state = self._state or ("" if text else f"{self._title} …")
        self._publish(
            {
                "text/html": streaming_html(text, state=state),
                "text/plain": clean_text(text or state),
            }
        )

    def finish(self, response: ProviderResponse) -> None:
        """Show the end of it all: rendered and sanitised, with its footer."""
        # `%%capture` records the cell's result as well, and a terminal announces it (`Out[2]:`):
        # there the result shows the answer.
        if response.ok and response.error is None and not is_live(self._shell):
            display.remember(response, self._notes)
        elif not self._quiet:
            self.painted = True
            if self._unsafe_html:
                from allos.render.unsafe import UNSAFE_NOTICE

                sys.stderr.write(f"{UNSAFE_NOTICE}\n")
            # The error itself is raised, and shown as the cell's own.
            self._publish(
                *display.bundle(
                    response, self._notes, show_error=False, unsafe_html=self._unsafe_html
                )
            )

    def _publish(self, data: dict[str, str], metadata: dict[str, Any] | None = None) -> None:
        self._shell.display_pub.publish(
            data,
            metadata=metadata or {},
            transient={"display_id": self._display_id},
            update=self._shown,
        )
        self._shown = True


def is_live(shell: Any) -> bool:
    """Whether partial output reaches a person: a kernel's publisher that nobody captures."""
    zmqshell = sys.modules.get("ipykernel.zmqshell")
    return zmqshell is not None and isinstance(shell.display_pub, zmqshell.ZMQDisplayPublisher)
