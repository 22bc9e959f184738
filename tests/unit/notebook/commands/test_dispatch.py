"""Sub-commands of `%allos`, in a plain IPython shell."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.notebook.commands import dispatch
from allos.providers.catalog import services
from tests.support.fake_server import FakeServer


@pytest.fixture
def log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log of the test's own, which nothing has opened yet."""
    from allos import log

    log.close()
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield tmp_path / "log.sqlite"
    log.close()


def test_last_of_an_empty_log(log_file: Path, shell: Any) -> None:
    """`%allos last` says that there is no row, in place of an empty table."""
    assert shell.run_line_magic("allos", "last") == "The log is empty."


@pytest.mark.parametrize("line", ["last", "rank"])
def test_a_sentence_is_shown_without_quotes(log_file: Path, shell: Any, line: str) -> None:
    """The value of the cell is a text, and reads like one."""
    said = shell.run_line_magic("allos", line)
    data, _ = shell.display_formatter.format(said)

    assert data["text/plain"] == said


@pytest.mark.parametrize("name", ["last", "config", "stop"])
def test_commands_without_arguments_say_so(shell: Any, name: str) -> None:
    """A word too many is one line."""
    with pytest.raises(ConfigurationError, match=f"%allos {name} takes no arguments, got 'now'"):
        shell.run_line_magic("allos", f"{name} now")


def test_config_says_how_a_setting_is_changed(shell: Any) -> None:
    """It shows settings; who wants to change one is told how."""
    with pytest.raises(ConfigurationError, match=r"allos\.configure\(NAME=\.\.\.\) changes"):
        shell.run_line_magic("allos", "config model local/smollm2")


def test_every_command_can_be_imported() -> None:
    """The list names modules and functions that exist."""
    for name in set(dispatch.names()) - {"help"}:
        command = dispatch._COMMANDS[name]
        module = importlib.import_module(f"allos.notebook.commands.{command.module}")

        assert callable(getattr(module, command.function))
    assert set(dispatch.names()) | {"batch", "compare"} == services.RESERVED


@pytest.mark.parametrize("line", ["", "help", "--help"])
def test_help_shows_flags_and_sub_commands(
    shell: Any, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """Whoever looks for help finds all flags and all sub-commands."""
    from allos.notebook.flags import parser

    shell.run_line_magic("allos", line)
    shown = capsys.readouterr().out
    flags = [flag for each in parser()._actions for flag in each.option_strings]

    assert [flag for flag in flags if flag not in shown] == []
    assert [name for name in dispatch.names() if f"%allos {name}" not in shown] == []


def test_dry_run_begins_no_conversation(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--dry-run --chat NAME` shows a request and leaves no conversation behind."""
    from allos.runs import chats

    with FakeServer() as server:
        monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        plan = shell.run_cell_magic("allos", "groq/m --dry-run --chat never-begun", "Hi")

        assert server.requests == []
    assert plan.requests[0].body["messages"] == [{"role": "user", "content": "Hi"}]
    assert "never-begun" not in chats.names()
