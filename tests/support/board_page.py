"""A board in a page of its own: Chromium without JupyterLab and without a kernel, so it is there at once.

The kernel's side runs in this process: what the page sends reaches the widget's own handler.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Request

from allos.notebook.board.widget import _board_class, _static
from allos.runs.board_messages.source import BoardSource
from allos.runs.board_messages.updates import BoardUpdates

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 12px; {theme} font: 13px system-ui, sans-serif }}</style>
<style>{css}</style><div id="board"></div>"""
_LIGHT = "background: #fff; color: #222; color-scheme: light;"
_DARK = (
    "background: #111; color: #ddd; color-scheme: dark; --jp-layout-color1: #1a1a1a; "
    "--jp-ui-font-color0: #fff; --jp-ui-font-color1: #ddd; --jp-brand-color1: #64b5f6; "
    "--jp-error-color1: #ef9a9a; --jp-warn-color1: #ffb74d; --jp-success-color1: #81c784; "
    "--jp-content-link-color: #64b5f6;"
)
_MOUNT = """async ([code, second, snapshot]) => {
    const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
    const board = (await import(url)).default();
    const listeners = {};
    const model = {
        get: () => snapshot,
        on: (event, listener) => { (listeners[event] ??= []).push(listener); },
        off: (event, listener) => {
            listeners[event] = listeners[event].filter((other) => other !== listener);
        },
        send: (action) => {
            if (action.action !== "script") window.tell(action);
            else if (second !== null) setTimeout(window.hear, 0, {type: "script", text: second});
        },
    };
    window.hear = (message) => listeners["msg:custom"].forEach((listener) => listener(message));
    const began = performance.now();
    window.close_store = board.initialize({model});
    window.close_view = board.render({model, el: document.querySelector("#board")});
    await new Promise(requestAnimationFrame);
    await new Promise((resume) => setTimeout(resume));
    return (performance.now() - began) / 1000;
}"""


class BoardPage:
    """One board, the page that shows it, and what the page has sent.

    Parameters
    ----------
    context : BrowserContext
    source : BoardSource
    dark : bool
        Whether the page is dark.
    second : bool
        Whether the page gets the second script when it asks; False: as if the kernel were busy.

    Attributes
    ----------
    page : Page
    board : Locator
    actions : list of dict
    acted_ms : list of float
        How long each action of a vote took in the kernel.
    errors : list of str
        Uncaught exceptions of the page.
    opened_s : float
        From the snapshot to the first paint, in the page.
    requests : list of str
        Addresses of everything that the page has asked for, other than itself.
    """

    def __init__(
        self,
        context: BrowserContext,
        source: BoardSource,
        *,
        dark: bool = False,
        second: bool = True,
    ) -> None:
        self.updates = BoardUpdates(source)
        self.actions: list[dict[str, Any]] = []
        self.acted_ms: list[float] = []
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._note)
        css = _board_class()._css
        self.page.set_content(_PAGE.format(theme=_DARK if dark else _LIGHT, css=css))
        self.page.expose_function("tell", self._act)
        snapshot = json.loads(json.dumps(self.updates.snapshot()))
        self.requests.clear()
        scripts = [_static("board.js"), _static("board-second.js") if second else None]
        self.opened_s = self.page.evaluate(_MOUNT, [*scripts, snapshot])
        self.board: Locator = self.page.locator(".allos-board")

    def _note(self, request: Request) -> None:
        if not request.url.startswith("blob:"):
            self.requests.append(request.url)

    def _act(self, action: dict[str, Any]) -> None:
        if action["action"] == "flush":
            return
        self.actions.append(action)
        match action["action"]:
            case "texts":
                self.updates.send_texts(action["cells"])
            case "search":
                self.updates.search(action["query"])
            case "sync":
                self.updates.resend()
            case "arrange":
                names = ("rows", "columns", "colour")
                self.updates.comparison.arrange(**{name: action[name] for name in names})
            case name if name.startswith(("vote", "ranking")):
                began = perf_counter()
                self.updates.votes.act(name, action)
                self.acted_ms.append(1000 * (perf_counter() - began))
            case _:
                return

    def flush(self) -> None:
        """Send the page what is new, after everything that it has sent was answered."""
        self.page.evaluate("() => window.tell({action: 'flush'})")  # behind all before
        message = self.updates.changes()
        if message is not None:
            self.page.evaluate("(message) => window.hear(message)", json.loads(json.dumps(message)))


@contextmanager
def shown(
    context: BrowserContext, source: BoardSource, *, dark: bool = False, second: bool = True
) -> Iterator[BoardPage]:
    """Show a board; its page is closed at the end. See `BoardPage`."""
    page = BoardPage(context, source, dark=dark, second=second)
    try:
        yield page
    finally:
        with suppress(Exception):
            page.page.close()
