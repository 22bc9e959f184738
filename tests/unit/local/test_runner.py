"""The package installer that is at hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from allos.errors import ConfigurationError
from allos.local.runner import Finished, installer, run_installer


def test_pip_comes_first(tmp_path: Path) -> None:
    """pip of this very interpreter is used; no index is named."""
    found = installer(has_pip=lambda: True, which=lambda name: "/bin/uv")
    fetch = found.fetch("x==1", tmp_path)

    assert fetch[:4] == [sys.executable, "-m", "pip", "download"]
    assert fetch[-3:] == ["--dest", str(tmp_path), "x==1"]
    assert not [word for word in fetch if "index" in word or "://" in word]


def test_uv_without_pip(tmp_path: Path) -> None:
    """An environment made by uv has no pip: uv does it for this interpreter."""
    found = installer(has_pip=lambda: False, which=lambda name: f"/bin/{name}")

    assert found.install("x")[:3] == ["/bin/uv", "pip", "install"]
    assert sys.executable in found.install("x")
    assert found.fetch("x==1", tmp_path)[-3:] == ["--target", str(tmp_path), "x==1"]


def test_neither_pip_nor_uv() -> None:
    """With no installer the message is the command that brings one."""
    with pytest.raises(ConfigurationError, match="-m ensurepip"):
        installer(has_pip=lambda: False, which=lambda name: None)


def test_runs_a_command(tmp_path: Path) -> None:
    """Output and code come back, and temporary files go where they can be counted."""
    finished = run_installer(
        [
            sys.executable,
            "-c",
            "import tempfile; print(tempfile.gettempdir()); raise SystemExit(3)",
        ],
        scratch=tmp_path,
        total_bytes=10,
    )

    assert finished.returncode == 3
    assert os.path.samefile(finished.output.strip(), tmp_path)


@pytest.mark.parametrize(
    ("output", "error_line"),
    [
        ("Looking\nERROR: first\nERROR: No matching distribution\n[notice] new pip", "ERROR: No matching distribution"),
        ("something odd\n\n", "something odd"),
        ("", "the installer ended with code 1"),
    ],
)  # fmt: skip
def test_complaint(output: str, error_line: str) -> None:
    """The one line is the installer's last error, or else its last line."""
    assert Finished(returncode=1, output=output).error_line == error_line
