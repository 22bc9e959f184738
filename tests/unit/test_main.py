"""``python -m allos``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import allos
from allos.__main__ import main
from allos.errors import ConfigurationError
from allos.local import install


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["local"], ["local", "nonsense"]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command shows the usage and ends with code 2."""
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 2
    assert "usage: python -m allos" in capsys.readouterr().err


@pytest.mark.process
def test_version_as_a_process() -> None:
    """`python -m allos --version` prints one line and loads quickly."""
    result = subprocess.run(
        [sys.executable, "-m", "allos", "--version"], capture_output=True, text=True, check=True
    )

    assert (result.stdout, result.stderr) == (f"allos {allos.__version__}\n", "")


def test_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`local path` prints the folder alone, for use in scripts."""
    monkeypatch.setenv("ALLOS_MODELS", str(tmp_path))

    assert main(["local", "path"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"


@pytest.mark.parametrize(("ready", "code"), [(True, 0), (False, 1)])
def test_status_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ready: bool, code: int
) -> None:
    """`local status` tells a script by its code whether the model can run."""
    monkeypatch.setattr(install, "status", lambda: (["one", "two"], ready))

    assert main(["local", "status"]) == code
    assert capsys.readouterr().out == "one\ntwo\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigurationError("no network"), 1, "allos: no network\n"),
        (KeyboardInterrupt(), 130, "allos: interrupted; no partial files are left.\n"),
    ],
)
def test_failed_install(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    """A failed installation is one line on standard error and a code other than 0."""

    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(install, "install", fail)

    assert main(["local", "install"]) == code
    assert capsys.readouterr().err == words
