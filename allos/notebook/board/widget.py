"""The live comparison board: one anywidget, and one thread that sends it what has changed.

The page never interprets model output: text is sent as text, and the only string that becomes HTML is
made by `render`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from allos.runs.board_messages.source import BoardSource

_views: WeakKeyDictionary[BoardSource, dict[str, Any]] = WeakKeyDictionary()
"""What was chosen on the last board of a comparison: shown again, it looks the same."""

FLUSH_HZ = 14.0
"""Maximum number of messages per second, for all cells together."""


class Flusher:
    """A thread that runs while something changes.

    Parameters
    ----------
    step : callable
        Sends what has changed; returns whether the thread may end until the next `wake`.
    """

    def __init__(self, step: Callable[[], bool]) -> None:
        self._step = step
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        # Invariant: while `_changed` is set a thread runs that will see it.
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Report a change. Any thread; quick, since the loop thread calls it for each event."""
        if self._changed.is_set() or self._closed.is_set():
            return
        with self._lock:
            self._changed.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="allos-board", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        self._closed.set()
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            if self._closed.is_set():
                return
            began = monotonic()
            resting = self._step()
            with self._lock:
                if resting and not self._changed.is_set():
                    self._thread = None
                    return
            # From the start of the step: in a busy kernel a step takes longer, and text must not wait more.
            left_s = began + 1 / FLUSH_HZ - monotonic()
            self._closed.wait(max(left_s, 0.5 / FLUSH_HZ))


def make_board(comparison: BoardSource, *, on_edit: Callable[[], None] | None = None) -> Any:
    """Live board of a comparison, ready to be displayed.

    Parameters
    ----------
    comparison : BoardSource
        A `Comparison`, running or done, or logged rows, see `allos.board`.
    on_edit : callable or None
        What its button *Edit* does; None: it has none.

    Returns
    -------
    Board
        An anywidget, so it composes with ipywidgets.

    Examples
    --------
    ::

        both = allos.compare("Hi", models=["local/smollm2", "groq/llama-3.1-8b-instant"])
        display(make_board(both))
    """
    return _board_class()(comparison, on_edit)


@cache
def _board_class() -> type[Any]:
    """Return the widget's class; made when first used, since its base classes are slow to import."""
    import anywidget
    import traitlets

    from allos.log.feedback import rate
    from allos.render.answer import body_html
    from allos.render.board_style import BOARD_CSS
    from allos.response import ProviderResponse
    from allos.runs.board_messages.pace import RenderPace
    from allos.runs.board_messages.updates import BoardUpdates
    from allos.runs.comparison import Comparison

    class Board(anywidget.AnyWidget):
        """Live board of one comparison."""

        _esm = _static("board.js")
        _css = f"{BOARD_CSS}\n{_static('board.css')}"
        snapshot = traitlets.Dict().tag(sync=True)
        # What a person has chosen: the page writes it, and reads it when it is loaded again.
        view = traitlets.Dict().tag(sync=True)
        editable = traitlets.Bool().tag(sync=True)

        def __init__(
            self, comparison: BoardSource, on_edit: Callable[[], None] | None = None
        ) -> None:
            self._on_edit = on_edit
            self.comparison = comparison
            self._updates = BoardUpdates(comparison, pace=RenderPace())
            self._flusher = Flusher(self._flush)
            self._warm = False
            # Before the snapshot: the last answer may come between it and the watcher.
            was_done = comparison.done
            super().__init__(
                snapshot=self._updates.snapshot(),
                view=_views.get(comparison, {}),
                editable=on_edit is not None,
            )
            self.on_msg(self._on_message)
            self.observe(self._keep_view, "view")
            comparison.watch(self._flusher.wake)
            if not was_done:
                self._flusher.wake()

        def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
            """State of the widget; a page that requests all of it gets the current snapshot."""
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            if key is None:
                state["snapshot"] = self._updates.snapshot()
            return state

        def close(self) -> None:
            """Stop sending and remove the board from the page; the comparison continues."""
            self.comparison.unwatch(self._flusher.wake)
            self._flusher.close()
            super().close()

        def _keep_view(self, change: Any) -> None:
            _views[self.comparison] = change["new"]

        def _flush(self) -> bool:  # flusher thread
            done = self.comparison.done
            try:
                change = self._updates.changes()
                if change is not None:
                    self.send(change)
                if self._updates.is_waiting:
                    self._flusher.wake()
                if done:
                    # Once for each run, for saved notebooks and for pages that are opened later.
                    self.snapshot = self._updates.snapshot()
                elif not self._warm:
                    # Import what formats answers before the first one is complete.
                    self._warm = bool(body_html(ProviderResponse("`warm`")))
            except Exception as exc:  # noqa: BLE001 - a board that fails must not affect the answers
                with suppress(Exception):  # the kernel may be ending
                    self.send(
                        {
                            "type": "update",
                            "notice": f"This board stopped updating: {type(exc).__name__}: {exc}",
                        }
                    )
            return done

        def _on_message(self, _board: Any, message: Any, _buffers: Any) -> None:  # any thread
            if not isinstance(message, dict) or "action" not in message:
                return  # anywidget's own
            if message["action"] == "script":
                self.send({"type": "script", "text": _static("board-second.js")})
                return
            try:
                self._act(message)
                self._updates.set_notice("")
            except Exception as exc:  # noqa: BLE001 - shown nowhere else
                self._updates.set_notice(f"That did not work: {exc}")
            self._flusher.wake()

        def _act(self, message: dict[str, Any]) -> None:
            """Run the action of a button; does not block."""
            match message["action"]:
                case "sync":
                    self._updates.resend()
                case "texts":
                    self._updates.send_texts(message["cells"])
                case "search":
                    self._updates.search(str(message["query"]))
                case "edit" if self._on_edit is not None:
                    if self.comparison.is_blind:
                        raise ValueError("it would name the models: vote first")
                    self._on_edit()
                case "rate":
                    self._rate(message)
                case "arrange":
                    names = ("rows", "columns", "colour")
                    self.comparison.arrange(**{name: message[name] for name in names})
                case action if not self._updates.votes.act(action, message):
                    self._control(action, message)

        def _rate(self, message: dict[str, Any]) -> None:
            cell, rating = self._updates.cell(message["cell"]), message["rating"]
            response = cell.snapshot().response
            if response is None:
                raise ValueError("this call has no answer yet")
            # With nothing said, what was said before is withdrawn.
            rate(response, rating)
            cell.rating = rating
            self._updates.send_rating(message["cell"])

        def _control(self, action: str, message: dict[str, Any]) -> None:
            """Stop calls and make new ones, of a comparison that can."""
            comparison = self.comparison
            if not isinstance(comparison, Comparison):
                raise ValueError("these answers are from the log, nothing runs")
            match action:
                case "stop":
                    comparison.cells[self._updates.cell(message["cell"]).index].stop()
                case "retry":
                    comparison.cells[self._updates.cell(message["cell"]).index].retry()
                case "stop_all":
                    comparison.cancel()
                case "run_again":
                    comparison.retry()
                case "retry_failed":
                    comparison.retry(failed=True)
                case "add":
                    comparison.add(str(message["model"]).strip())
                case unknown:
                    raise ValueError(f"{unknown!r} is not an action of the board")

        def __repr__(self) -> str:
            names = ", ".join(dict.fromkeys(column.name for column in self.comparison.columns))
            return "Board(blind)" if self.comparison.is_blind else f"Board({names})"

    return Board


def _static(name: str) -> str:
    return files("allos.notebook.board").joinpath("static", name).read_text("utf-8")
