"""One notebook, open in JupyterLab in a real browser."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Page, ViewportSize

    from tests.support.jupyter.lab import Lab

PICTURES = Path(__file__).parents[3] / ".artifacts" / "screenshots"
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
_TALLEST_PX = 8000

_KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"


class Notebook:
    """One notebook open in JupyterLab. `page` is the playwright page, for all that is not here."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        self._foreign: list[str] = []
        self.errors: list[str] = []
        """Errors on the browser's console, and uncaught exceptions."""
        self.dialogs: list[str] = []
        """Texts of alerts, questions and prompts that the page opened."""
        self.popups: list[str] = []
        """Addresses of pages that this page opened."""
        self.page: Page = lab.browser.new_page()
        self.page.on("popup", lambda page: self.popups.append(page.url))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self._seen(request.url))
        # Playwright tells of a web socket once it is connected; the browser, when it is made.
        self._browser = lab.browser.new_cdp_session(self.page)
        self._browser.on("Network.webSocketCreated", lambda socket: self._seen(socket["url"]))
        self._browser.send("Network.enable")
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda line: self.errors.append(line.text) if line.type == "error" else None,
        )
        self.page.goto(f"{lab.url}/doc/tree/{name}?token={lab.token}&reset")
        self._when(f"() => {_KERNEL}?.status === 'idle'", timeout_s=90)
        if lab.theme != "light":
            self.set_theme("light")

    def _seen(self, url: str) -> None:
        parts = urlsplit(url)
        local = parts.netloc == urlsplit(self.lab.url).netloc
        if not local and parts.scheme not in {"data", "blob", "about", "chrome-extension"}:
            self._foreign.append(url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def foreign_requests(self) -> list[str]:
        """URL of every request and web socket to anything but the JupyterLab server, until now."""
        if not self.page.is_closed():
            # An answer comes behind all that its session was told before.
            self.page.evaluate("1")
            self._browser.send("Runtime.evaluate", {"expression": "1"})
        return list(self._foreign)

    def _when(self, javascript: str, *, argument: Any = None, timeout_s: float) -> None:
        self.page.wait_for_function(javascript, arg=argument, timeout=timeout_s * 1000)

    def start_command(self, command: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Begin a JupyterLab command; `wait_idle` waits for its end."""
        # The promise is not awaited here: playwright's evaluate has no deadline.
        self.page.evaluate(
            """([command, arguments]) => {
                window.allosPending = (window.allosPending ?? 0) + 1;
                window.jupyterapp.commands.execute(command, arguments)
                    .catch(error => console.error(`${command}: ${error}`))
                    .finally(() => { window.allosPending -= 1; });
            }""",
            [command, dict(arguments or {})],
        )

    def run_command(
        self, command: str, arguments: Mapping[str, Any] | None = None, timeout_s: float = 60
    ) -> None:
        """Run a JupyterLab command to its end."""
        self.start_command(command, arguments)
        self._when("() => !window.allosPending", timeout_s=timeout_s)

    def run_all(self, *, wait: bool = True, timeout_s: float = 120) -> None:
        """Run every cell, top to bottom."""
        self.start_command("notebook:run-all-cells")
        if wait:
            self.wait_idle(timeout_s)

    def run_cell(self, index: int, *, wait: bool = True, timeout_s: float = 120) -> None:
        """Run one cell; `index` counts from 0."""
        self.page.evaluate(
            """index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.deselectAll();
                notebook.activeCellIndex = index;
            }""",
            index,
        )
        self.start_command("notebook:run-cell")
        if wait:
            self.wait_idle(timeout_s)

    def wait_idle(self, timeout_s: float = 120) -> None:
        """Wait until nothing runs or waits to run and the kernel is idle."""
        self._when(
            f"() => !window.allosPending && {_KERNEL}?.status === 'idle'", timeout_s=timeout_s
        )

    def outputs(self, cell: int | None = None) -> Locator:
        """Output areas of the notebook, or of one cell; source text never matches below them."""
        notebook = self.page.locator(".jp-Notebook")
        if cell is not None:
            notebook = notebook.locator(".jp-Cell").nth(cell)
        return notebook.locator(".jp-OutputArea")

    def set_theme(self, theme: Literal["light", "dark"]) -> None:
        """Change JupyterLab's theme."""
        self.run_command("apputils:change-theme", {"theme": f"JupyterLab {theme.title()}"})
        light = str(theme == "light").lower()
        self._when(
            "light => document.body.dataset.jpThemeLight === light", argument=light, timeout_s=30
        )
        self.lab.theme = theme

    def screenshot(self, name: str) -> Path:
        """Picture of the whole notebook, below the fold too, in ``.artifacts/screenshots/``."""
        hidden_px = self.page.evaluate(
            """() => {
                const outer = document.querySelector('.jp-Notebook .jp-WindowedPanel-outer');
                return outer ? outer.scrollHeight - outer.clientHeight : 0;
            }"""
        )
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        height = min(VIEWPORT["height"] + hidden_px, _TALLEST_PX)
        self.page.set_viewport_size({"width": VIEWPORT["width"], "height": height})
        self.page.screenshot(path=str(path), animations="disabled")
        self.page.set_viewport_size(VIEWPORT)
        return path

    def save(self) -> Path:
        """Save the notebook; returns its path."""
        self.run_command("docmanager:save")
        self._when("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout_s=30)
        return self.lab.root / self.name

    @property
    def trusted(self) -> bool:
        """Whether JupyterLab trusts all code cells of the notebook."""
        return bool(
            self.page.evaluate(
                """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
                    .filter(cell => cell.type === 'code').every(cell => cell.trusted)"""
            )
        )

    def reopen(self, *, trust: bool | None = None) -> Notebook:
        """Open the saved file again with a new kernel, as after a day; this page is closed.

        Parameters
        ----------
        trust : bool, optional
            True signs the file first, False forgets its signature (a file that came by mail);
            None leaves it as it was saved.
        """
        self.page.close()
        self.lab.notebooks.remove(self)
        self.lab.end_kernels()
        if trust is True:
            _sign(self.lab.root / self.name, self.lab.environment["JUPYTER_DATA_DIR"])
        elif trust is False:
            _forget_signatures(Path(self.lab.environment["JUPYTER_DATA_DIR"]))
        return self.lab.open(self.name)


def _sign(path: Path, data_folder: str) -> None:
    """As ``jupyter trust`` does, without its process."""
    import nbformat
    from nbformat.sign import NotebookNotary

    book = nbformat.read(path, nbformat.NO_CONVERT)
    with NotebookNotary(data_dir=data_folder) as notary:
        notary.sign(book)


def _forget_signatures(data_folder: Path) -> None:
    database = sqlite3.connect(data_folder / "nbsignatures.db", timeout=10)
    try:
        with database:
            database.execute("DELETE FROM nbsignatures")
    finally:
        database.close()
