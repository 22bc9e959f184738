"""`serve` before anything is started; the real server is in `tests/model`."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import allos.local.server
from allos.errors import ConfigurationError
from allos.local import serve, stop_all
from allos.local.server import n_threads


def test_llama_cpp_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without llama.cpp the error is one line with the one command."""
    monkeypatch.setattr(allos.local.server, "has_llama_cpp", lambda: False)
    with pytest.raises(ConfigurationError, match=r"^Local .* Run: python -m allos local install$"):
        serve("smollm2")


def test_bad_file_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is cut off is refused before a process is started."""
    monkeypatch.setattr(allos.local.server, "has_llama_cpp", lambda: True)
    path = tmp_path / "cut.gguf"
    path.write_bytes(b"GGUF\3\0\0\0")
    before = threading.active_count()
    with pytest.raises(ConfigurationError, match="damaged or truncated"):
        serve(str(path))

    assert threading.active_count() == before


def test_stop_all_without_servers() -> None:
    """Stopping when nothing runs is fine."""
    stop_all()


def test_a_core_is_left_for_the_kernel() -> None:
    """At least one thread, never more than eight."""
    assert 1 <= n_threads() <= 8


@pytest.mark.process
def test_the_room_is_light() -> None:
    """Importing the room loads neither llama.cpp nor what starting a process needs."""
    heavy = "{'xllamacpp', 'subprocess', 'http.client', 'tqdm', 'platformdirs', 'asyncio'}"
    code = f"import allos.local, sys; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # fmt: skip

    assert (result.stdout.strip(), result.stderr) == ("", "")
