"""Sub-commands of `%allos`, in a plain IPython shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import FakeServer


@pytest.fixture
def log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of the test's own, which nothing has opened yet."""
    from allos import log

    log.close()
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    return tmp_path / "log.sqlite"


def test_log_tells_its_place_before_the_first_call(log_file: Path, shell: Any) -> None:
    """`%allos log` says where the log is, also when nothing has been asked yet."""
    assert shell.run_line_magic("allos", "log") == str(log_file)


def test_last_of_an_empty_log(log_file: Path, shell: Any) -> None:
    """`%allos last` says that there is no row, in place of an empty table."""
    assert shell.run_line_magic("allos", "last") == "The log is empty."


@pytest.mark.parametrize("line", ["", "help", "--help"])
def test_help_shows_flags_and_sub_commands(
    shell: Any, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """Whoever looks for help finds all flags and all sub-commands."""
    from allos.notebook.commands import dispatch
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
