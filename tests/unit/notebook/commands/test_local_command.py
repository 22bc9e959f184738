"""`%allos local install` and `%allos local status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.local import find_model, install
from allos.notebook.arguments import parse


def test_a_cell_installs_the_embedded_model(
    shell: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step by step, as the command in a terminal does."""

    def pretend(*, report: install.Report) -> Path:
        report("downloading ...")
        report("model smollm2 is installed")
        return Path("smollm2.gguf")

    monkeypatch.setattr(install, "install", pretend)

    assert shell.run_line_magic("allos", "local install") is None
    assert capsys.readouterr().out == "downloading ...\nmodel smollm2 is installed\n"


def test_a_cell_says_what_is_installed(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines are the value of the cell."""
    monkeypatch.setattr(install, "status", lambda: (["one", "two"], False))

    assert shell.run_line_magic("allos", "local status") == "one\ntwo"


def test_a_missing_model_names_the_line_of_a_cell(
    shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a kernel with the magic; a call of Python there says the same."""
    monkeypatch.setenv("ALLOS_MODELS", str(tmp_path))
    monkeypatch.setattr("allos.local.model_files._packaged_model", lambda: None)
    with pytest.raises(ConfigurationError, match=r"%allos local install$"):
        find_model("smollm2")


@pytest.mark.parametrize("line", ['local "install"', "local install -q", "local/install"])
def test_other_lines_are_questions(line: str) -> None:
    """A quoted word is a prompt, and a model may have any name: nothing is installed."""
    try:
        command = parse(line, cell=False).command
    except ConfigurationError:  # without a prompt
        command = None

    assert command is None
