from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import allos.log
from allos.response import ProviderResponse
from tests.support.log_rows import a_response

ROOT = Path(__file__).parents[3]


@pytest.fixture
def make_response() -> Callable[..., ProviderResponse]:
    return a_response


@pytest.fixture(autouse=True)
def _no_log_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test starts with or leaves an open log, and none writes to the user's own."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    allos.log.close()
    yield
    allos.log.close()


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def script(log_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start Python code in a separate process, with `a_response` and `record` imported."""

    def start(code: str, *flags: str) -> subprocess.Popen[str]:
        head = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "import os, allos.log\n"
            "from allos import _process\n"
            "from tests.support.log_rows import a_response, record\n"
        )
        return subprocess.Popen(
            [sys.executable, *flags, "-c", head + code],
            env={**os.environ, "ALLOS_LOG": str(log_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
