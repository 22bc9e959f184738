"""A JupyterLab server and a Chromium, both with private folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.jupyter.environment import private_environment
from tests.support.jupyter.notebook import VIEWPORT, Notebook

_CHROMIUM_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # A page that calls out must not reach anyone; the request is still seen and recorded.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_SETTINGS = {
    # All cells stay in the page, so that locators and pictures see those below the fold too.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {
        "windowingMode": "none",
        "scrollPastEnd": False,
    },
    # Else a question about news covers a corner of every picture.
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


class Lab:
    """A JupyterLab server and a Chromium with a fresh profile; use it as a context manager.

    Parameters
    ----------
    folder : Path
        Private folder of the server; notebooks lie in `root` below it.
    chromium : str
        Path of the browser.
    """

    def __init__(self, folder: Path, chromium: str) -> None:
        self.folder = folder
        self.chromium = chromium
        self.root = folder / "notebooks"
        self.environment = private_environment(folder / "home")
        self.log = folder / "jupyterlab.log"
        self.notebooks: list[Notebook] = []
        self.theme = "light"

    def __enter__(self) -> Self:
        self.root.mkdir()
        for name, values in _SETTINGS.items():
            path = Path(self.environment["JUPYTERLAB_SETTINGS_DIR"]) / name
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(values))
        try:
            self._start_server()
            self._start_browser()
        except BaseException as exc:
            self.__exit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    def _start_server(self) -> None:
        token = os.urandom(16).hex()
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jupyterlab",
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.ip=127.0.0.1",
                    "--ServerApp.port=0",
                    f"--ServerApp.root_dir={self.root}",
                    f"--IdentityProvider.token={token}",
                    "--LabApp.expose_app_in_browser=True",
                    "--LabApp.extension_manager=readonly",
                    "--LabApp.news_url=None",
                ],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        runtime = Path(self.environment["JUPYTER_RUNTIME_DIR"])
        self.token = token
        self.url = _poll(
            lambda: self._address(runtime), timeout_s=90, what="JupyterLab tells its address"
        )
        _poll(self._answers, timeout_s=60, what="JupyterLab answers")

    def _address(self, runtime: Path) -> str | None:
        if self._server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{self.log.read_text()[-2000:]}")
        for info in runtime.glob("jpserver-*.json"):
            try:
                port = json.loads(info.read_text())["port"]
            except ValueError:  # still being written
                continue
            return f"http://127.0.0.1:{port}"
        return None

    def _answers(self) -> bool:
        try:
            self.request("GET", "api/status")
        except OSError:
            return False
        return True

    def _start_browser(self) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self.browser = self._playwright.chromium.launch_persistent_context(
            str(self.folder / "profile"),
            executable_path=self.chromium,
            args=list(_CHROMIUM_ARGUMENTS),
            env=dict(self.environment),
            viewport=VIEWPORT,
        )
        self.browser.set_default_timeout(30_000)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if hasattr(self, "browser"):
            self.browser.close()
        if hasattr(self, "_playwright"):
            self._playwright.stop()
        if hasattr(self, "_server") and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait(10)

    def request(self, method: str, path: str) -> Any:
        """Call the server's REST API; returns parsed JSON, or None for an empty answer."""
        request = urllib.request.Request(
            f"{self.url}/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def write(self, name: str, *cells: str) -> Path:
        """Make a notebook of code cells below `root`; returns its path."""
        import nbformat

        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        path = self.root / name
        path.write_text(nbformat.writes(book))
        return path

    def open(self, notebook: Path | str) -> Notebook:
        """Open a notebook in a page of its own, with its kernel idle.

        Parameters
        ----------
        notebook : Path or str
            A name below `root`, or any notebook file; one from elsewhere is copied in first.
        """
        path = self.root / notebook  # an absolute path stays what it is
        if not path.is_relative_to(self.root):
            path = Path(shutil.copy(path, self.root))
        opened = Notebook(self, str(path.relative_to(self.root)))
        self.notebooks.append(opened)
        return opened

    def close_all(self) -> None:
        """Close every page and end every kernel."""
        for notebook in self.notebooks:
            notebook.page.close()
        self.notebooks.clear()
        self.end_kernels()

    def end_kernels(self) -> None:
        """End every session of the server, and its kernel."""
        for session in self.request("GET", "api/sessions"):
            self.request("DELETE", f"api/sessions/{session['id']}")


def _poll(ready: Callable[[], Any], *, timeout_s: float, what: str) -> Any:
    """First true value of `ready`, asked every 50 ms."""
    deadline = time.monotonic() + timeout_s
    while not (value := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.05)
    return value
