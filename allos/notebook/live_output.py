"""Shows one answer in its cell while it arrives. Main thread.

One output for each answer, refreshed 12 times a second at most: while it streams its finished blocks are
rendered, and the one being written is text. Where partial output is not displayed (``%%capture``, a
terminal, a script under a kernel) only the end is shown.
"""

from __future__ import annotations

import sys
import uuid
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any

from allos.engine.call import Call
from allos.errors import Interrupted
from allos.events import Event, Queued, ReasoningDelta, Retrying, TextDelta, TextWasReasoning
from allos.notebook.front_end import is_live
from allos.notebook.mime_bundles import response_bundle
from allos.providers.waiting import interrupted, wait_for_response
from allos.render.error_rule import error_rule_html
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.notebook.display import Display
    from allos.render.live_answer import LiveAnswer

REFRESH_HZ = 12.0
_INTERVAL_DOUBLES_AT_CHARS = 20_000
"""The interval grows with the text, since each update sends all of it."""
_FIRST_UPDATE_S = 0.05
"""How long to wait before the first update: an answer that is there at once is shown once."""


class LiveOutput:
    """The output of calls that were started with `on_events=output.push`.

    Parameters
    ----------
    shell : InteractiveShell
    display : Display
        The shell's display formatters.
    title : str
        Shown until the first text arrives.
    quiet : bool
        Show nothing at all.
    notes : tuple of str
        Further facts for the footer.
    refresh_hz : float or None
        Maximum updates per second.
    unsafe_html : bool
        Insert the answer's own HTML at the end; a warning goes to stderr as well.
    """

    def __init__(
        self,
        shell: Any,
        display: Display,
        title: str,
        *,
        quiet: bool,
        notes: tuple[str, ...] = (),
        refresh_hz: float | None = None,
        unsafe_html: bool = False,
    ) -> None:
        self._shell = shell
        self._display = display
        self._title = title
        self._quiet = quiet
        self._notes = notes
        self._interval_s = 1 / (refresh_hz or REFRESH_HZ)
        self._unsafe_html = unsafe_html
        self.is_final_shown = False
        """Whether the finished answer was shown."""
        self._streams = not quiet and is_live(shell)
        self._display_id = uuid.uuid4().hex
        self._is_published = False
        self._above_id: str | None = None
        self._batches: deque[Sequence[Event]] = deque()
        # Wakes the main thread: True for new events while it is idle, None at the end of a call.
        # Events that arrive before the next update is due wake nobody.
        self._signals: SimpleQueue[bool | None] = SimpleQueue()
        self._is_idle = False
        self._answer: LiveAnswer | None = None
        self._text_chars = 0
        self._has_begun = False
        self._status = ""

    def push(self, batch: Sequence[Event]) -> None:  # loop thread
        """Queue events for the next update."""
        if not self._streams:
            return
        self._batches.append(batch)
        if self._is_idle:
            self._is_idle = False
            self._signals.put(True)

    def wait(self, call: Call) -> ProviderResponse:
        """Update the output until the call ends, and return its response, failed or not.

        Raises
        ------
        Interrupted
            Stopped by the user; it carries the partial answer.
        """
        try:
            if self._streams and not call.from_replay:
                self._update_until_done(call)
            response = wait_for_response(call)
            self._drain()
            return response
        except Interrupted as exc:
            error = exc
        except KeyboardInterrupt:
            error = interrupted(call)
        raise error from None

    def show_tool_calls(self, response: ProviderResponse) -> None:
        """Append the tool calls of a response to what has arrived."""
        if self._streams:
            self._so_far().end_step(response.tool_calls)

    def _so_far(self) -> LiveAnswer:
        if self._answer is None:
            from allos.render.live_answer import LiveAnswer

            self._answer = LiveAnswer()
        return self._answer

    def show_above(self, data: dict[str, Any]) -> None:
        """Show something above the answer, in place of what was shown there before."""
        is_shown = self._above_id is not None or self._is_published
        if self._above_id is None:
            # Outputs keep their order: this one gets the place of the answer, which gets a new one.
            self._above_id, self._display_id = self._display_id, uuid.uuid4().hex
            self._is_published = False
        self._shell.display_pub.publish(
            data, transient={"display_id": self._above_id}, update=is_shown
        )
        if self._streams and self._so_far().text() and not self._is_published:
            self._show_partial()

    def finish(self, response: ProviderResponse) -> None:
        """Replace the streamed text by the rendered and sanitised answer with its footer."""
        # `%%capture` records the cell's result as well, and a terminal announces it (`Out[2]:`):
        # there the cell's result shows the answer.
        if response.ok and response.error is None and not is_live(self._shell):
            self._display.add_notes(response, self._notes)
        elif not self._quiet:
            self.is_final_shown = True
            if self._unsafe_html:
                from allos.render.unsafe import UNSAFE_NOTICE

                sys.stderr.write(f"{UNSAFE_NOTICE}\n")
            if self._answer is not None:
                self._answer.finish()
            # Without the error: it is raised, and shown as the cell's own.
            data, metadata = response_bundle(
                response, self._notes, show_error=False, unsafe_html=self._unsafe_html
            )
            if response.error is not None:
                data["text/html"] += error_rule_html(is_alone=False)
            self._publish(data, metadata)

    def _update_until_done(self, call: Call) -> None:
        signals = self._signals = SimpleQueue()
        self._is_idle = False
        call.future.add_done_callback(lambda _: signals.put(None))
        next_update = perf_counter() + _FIRST_UPDATE_S
        while not self._is_done_before(next_update):
            self._drain()
            self._show_partial()
            interval_s = (1 + self._text_chars / _INTERVAL_DOUBLES_AT_CHARS) * self._interval_s
            next_update = perf_counter() + interval_s
            while True:
                # Set before the check: an event that comes now is either seen here or wakes us.
                self._is_idle = True
                if self._drain():
                    break
                if signals.get() is None:
                    return
            self._is_idle = False

    def _is_done_before(self, moment: float) -> bool:
        """Wait until the call is done or the moment has come; whether it is done."""
        while True:
            try:
                signal = self._signals.get(timeout=max(0.0, moment - perf_counter()))
            except Empty:
                return False
            if signal is None:
                return True

    def _drain(self) -> bool:
        """Apply all queued events; whether they change the output."""
        changed = False
        while self._batches:
            for event in self._batches.popleft():
                changed = self._apply(event) or changed
        return changed

    def _apply(self, event: Event) -> bool:
        if isinstance(event, (TextDelta, ReasoningDelta)):
            self._has_begun = True
        if isinstance(event, TextDelta):
            self._so_far().add_text(event.text)
            self._text_chars += len(event.text)
            self._status = ""
        elif isinstance(event, ReasoningDelta):
            self._so_far().add_reasoning(event.text)
            self._status = ""
        elif isinstance(event, TextWasReasoning):
            self._text_chars -= self._so_far().take_back_text()
        elif isinstance(event, Retrying):
            self._status = (
                f"{event.message} Try {event.attempt + 1} of {event.max_attempts} "
                f"in {event.wait_s:.1f} s."
            )
        elif isinstance(event, Queued):
            self._status = "queued (rate limit)" if event.is_waiting else ""
        else:
            return False
        return True

    def _show_partial(self) -> None:
        answer = self._so_far()
        text = answer.text()
        status = self._status or ("" if self._has_begun else f"{self._title} …")
        self._publish({"text/html": answer.html(status), "text/plain": text or status})

    def _publish(self, data: dict[str, str], metadata: dict[str, Any] | None = None) -> None:
        self._shell.display_pub.publish(
            data,
            metadata=metadata or {},
            transient={"display_id": self._display_id},
            update=self._is_published,
        )
        self._is_published = True
