"""What a cell shows of an error of allos."""

from __future__ import annotations

import re
from typing import Any

import pytest

import allos
from allos.errors import ConfigurationError

CALL = "allos.responses(since='yesterdayy')"


def shown(shell: Any, cell: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines that the shell prints of a cell that fails."""
    shell.user_ns["allos"] = allos
    capsys.readouterr()
    shell.run_cell(cell)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    return [line for line in printed.splitlines() if line.strip()]


def test_a_call_in_python_is_one_line(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The message alone; a longer cell says which line it was."""
    (line,) = shown(shell, CALL, capsys)
    (third,) = shown(shell, f"x = 1\n\n{CALL}", capsys)

    assert line.startswith("since= must be")
    assert line.endswith("Did you mean 'yesterday'?")
    assert third == f"Line 3: {line}"
    assert shown(shell, f"%time {CALL}", capsys)[-1] == line


@pytest.mark.parametrize(
    "call",
    [
        "allos.ask('Hi', model='grok/m')",
        "allos.compare('Hi', models=['grok/m'])",
        "allos.chat('x').ask('Hi', model='grok/m')",
        "await allos.aask('Hi', model='grok/m')",
        "allos.comparison('cmp_none')",
        "allos.configure(zap=1)",
        "allos.set_key('grok', 'k')",
        "allos.tool(3)",
    ],
)
def test_every_entry_point_is_one_line(
    shell: Any, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    """Sync, async, in a background, of the log: no frame of ours."""
    assert len(shown(shell, call, capsys)) == 1


def test_a_function_of_the_user_keeps_its_lines(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the call stands is told, up to the call and no further."""
    text = "\n".join(shown(shell, f"def mine():\n    return {CALL}\n\nmine()", capsys))

    assert f"return {CALL}" in text
    assert "mine()" in text
    assert "ConfigurationError: since= must be" in text
    assert "allos/log" not in text


def test_verbose_tracebacks_are_complete(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for all frames gets them."""
    shell.run_line_magic("xmode", "Verbose")
    text = "\n".join(shown(shell, CALL, capsys))

    assert "query.py" in text
    assert "ConfigurationError" in text


@pytest.mark.parametrize(
    "cell",
    [
        "raise allos.ConfigurationError('mine')",
        "class Mine:\n    def __iter__(self):\n        raise allos.ConfigurationError('mine')\n"
        "allos.compare('Hi', models=Mine())",
    ],
)
def test_an_error_that_the_user_raises_is_whole(
    shell: Any, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    """It comes of no call of allos: its traceback is the user's."""
    assert "Traceback (most recent call last)" in "\n".join(shown(shell, cell, capsys))


def test_unloading_takes_it_back(shell: Any) -> None:
    """After ``%unload_ext`` errors are shown as any others."""
    assert hasattr(ConfigurationError, "_render_traceback_")
    shell.run_line_magic("unload_ext", "allos")
    assert not hasattr(ConfigurationError, "_render_traceback_")
    shell.run_line_magic("load_ext", "allos")
