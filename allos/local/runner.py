"""Run the available package installer: pip, or else uv.

The index is the user's own configuration of that installer.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from allos.errors import ConfigurationError
from allos.local.process import one_line

_TICK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Result of an installer's run."""

    returncode: int
    """0 on success."""
    output: str = ""
    """Its standard output and standard error."""

    @property
    def error_line(self) -> str:
        """The line of the output with the error."""
        lines = [one_line(line) for line in self.output.splitlines()]
        lines = [line for line in lines if line]
        errors = [line for line in lines if line.lower().startswith("error")]
        line = (errors or lines or [""])[-1]
        return line or f"the installer ended with code {self.returncode}"


class Runner(Protocol):
    """Runs an installer's command and waits for it."""

    def __call__(
        self, command: Sequence[str], *, scratch: Path | None = None, total_bytes: int | None = None
    ) -> Finished:
        """Run `command` with `scratch` as its temporary folder, whose size is the progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """The command lines of one package installer."""

    install: Callable[[str], list[str]]
    """Installs a requirement into the environment of this interpreter."""
    fetch: Callable[[str, Path], list[str]]
    """Downloads a requirement without its dependencies, packed or unpacked, to a folder."""


def installer(
    *,
    has_pip: Callable[[], bool] = lambda: importlib.util.find_spec("pip") is not None,
    which: Callable[[str], str | None] = shutil.which,
) -> Installer:
    """Return the installer of this environment.

    Parameters
    ----------
    has_pip, which : callable
        Whether pip can be imported; path of a program.

    Raises
    ------
    ConfigurationError
        Neither pip nor uv is installed.

    Examples
    --------
    >>> installer(has_pip=lambda: True).install("x")[1:4]
    ['-m', 'pip', 'install']
    """
    if has_pip():
        pip = [sys.executable, "-m", "pip"]
        quiet = ["--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
        return Installer(
            install=lambda what: [*pip, "install", *quiet, what],
            fetch=lambda what, to: [
                *(*pip, "download", *quiet, "--no-deps", "--only-binary", ":all:"),
                *("--dest", str(to), what),
            ],
        )
    uv = which("uv")
    if uv is not None:
        command = [uv, "pip", "install", "--no-progress", "--python", sys.executable]
        return Installer(
            install=lambda what: [*command, what],
            fetch=lambda what, to: [*command, "--no-deps", "--target", str(to), what],
        )
    raise ConfigurationError(
        f"This environment has no pip. Run: {sys.executable} -m ensurepip --upgrade"
    )


def run_installer(
    command: Sequence[str], *, scratch: Path | None = None, total_bytes: int | None = None
) -> Finished:
    r"""Run an installer; on a terminal, show a progress bar.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    scratch : Path or None
        Folder for its temporary files.
    total_bytes : int or None
        Size of the download; None: no progress bar.

    Returns
    -------
    Finished
        A failing command does not raise.

    Examples
    --------
    >>> run_installer([sys.executable, "-c", "print('done')"]).output
    'done\n'
    """
    environment = dict(os.environ)
    if scratch is not None:
        # pip downloads to its temporary folder first, where the progress can be measured.
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    with ExitStack() as stack:
        output = stack.enter_context(tempfile.TemporaryFile())
        process = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        )
        try:
            _wait_with_progress(process, scratch, total_bytes)
        except BaseException:
            process.kill()
            raise
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        return Finished(returncode=process.returncode, output=text)


def _wait_with_progress(
    process: subprocess.Popen[bytes], scratch: Path | None, total_bytes: int | None
) -> None:
    from tqdm import tqdm

    # disable=None: no bar where there is no terminal
    disable = True if scratch is None or total_bytes is None else None
    with tqdm(total=total_bytes, unit="B", unit_scale=True, disable=disable, leave=False) as bar:
        while True:
            try:
                process.wait(_TICK_S)
            except subprocess.TimeoutExpired:
                if scratch is not None and not bar.disable and total_bytes is not None:
                    # temporary copies are deleted; the bar never goes backwards
                    bar.update(max(0, min(_size_bytes(scratch), total_bytes) - bar.n))
            else:
                return


def _size_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # removed or renamed since it was listed
            total += path.stat().st_size if path.is_file() else 0
    return total
