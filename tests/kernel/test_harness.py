"""The kernel harness itself: what it reports is what a real kernel did."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jupyter import Kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A bare kernel, without allos."""
    with Kernel(tmp_path) as started:
        yield started


def test_run_collects_streams_and_result(kernel: Kernel) -> None:
    """Output on both streams and the result of the last line come back, with status ok."""
    result = kernel.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1 + 1")

    assert (result.status, result.stdout, result.stderr) == ("ok", "out\n", "err\n")
    assert result.displays[-1]["content"]["data"]["text/plain"] == "2"


def test_updated_display_keeps_its_id(kernel: Kernel) -> None:
    """An update of a display carries the display's id, so the two can be told to belong together."""
    result = kernel.run(
        "from IPython.display import display\n"
        "shown = display('first', display_id=True)\n"
        "shown.update('second')"
    )
    first, second = result.displays

    assert first["header"]["msg_type"] == "display_data"
    assert second["header"]["msg_type"] == "update_display_data"
    assert first["content"]["transient"] == second["content"]["transient"]


def test_error_is_reported(kernel: Kernel) -> None:
    """An exception gives status error with its name, its text and a traceback."""
    result = kernel.run("1 / 0")

    assert (result.status, result.ename, result.evalue) == (
        "error",
        "ZeroDivisionError",
        "division by zero",
    )
    assert result.traceback


def test_interrupt_stops_an_endless_loop(kernel: Kernel) -> None:
    """The stop button ends ``while True``, and the time until the kernel is idle is measured."""
    running = kernel.start("print('on', flush=True)\nwhile True: pass")
    running.until(lambda result: "on" in result.stdout)
    kernel.interrupt()
    running.wait()

    assert (running.status, running.ename) == ("error", "KeyboardInterrupt")
    assert running.interrupt_to_idle_s is not None
    assert 0 <= running.interrupt_to_idle_s < 2


def test_deadline_is_kept(kernel: Kernel) -> None:
    """Code that does not end in time raises in the test, it does not hang it."""
    with pytest.raises(TimeoutError, match=r"not within 0\.3 s"):
        kernel.run("while True: pass", timeout_s=0.3)


def test_headless_execution_cannot_ask(kernel: Kernel) -> None:
    """With allow_stdin off, ``input`` fails at once; with it on, the answers are typed."""
    answered = kernel.run("input('name? ')", answers=["Ada"])
    headless = kernel.run("input('name? ')", allow_stdin=False)

    assert answered.displays[-1]["content"]["data"]["text/plain"] == "'Ada'"
    assert headless.ename == "StdinNotImplementedError"


def test_restart_forgets(kernel: Kernel) -> None:
    """After a restart the same object talks to a fresh process."""
    before = kernel.run("x = 1\nimport os; os.getpid()").displays[-1]["content"]["data"]
    kernel.restart()
    after = kernel.run("print('x' in globals())\nimport os; os.getpid()")

    assert after.stdout == "False\n"
    assert after.displays[-1]["content"]["data"] != before


def test_cell_id_reaches_the_kernel(kernel: Kernel) -> None:
    """The cell's id travels as JupyterLab sends it."""
    result = kernel.run("print(get_ipython().get_parent()['metadata']['cellId'])", cell_id="c-7")

    assert result.stdout == "c-7\n"


def test_kernel_is_private(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the home folder nor a key of the person reaches the kernel."""
    assert str(kernel.folder) in kernel.run("import os; print(os.path.expanduser('~'))").stdout

    monkeypatch.setenv("GROQ_API_KEY", "sk-secret")
    with Kernel(kernel.folder / "second") as second:
        result = second.run("import os; print([k for k in os.environ if 'API_KEY' in k])")

    assert os.environ["GROQ_API_KEY"] == "sk-secret"
    assert result.stdout == "[]\n"
