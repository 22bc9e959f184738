"""The guides' Python runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from tests.fake_server import FakeServer
from tests.pictures import PDF, PNG

GUIDES = Path(__file__).parents[1] / "docs" / "guide"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer("The third.") as started:
        for name in ("OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{name}_BASE_URL", started.base_url)
            monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        monkeypatch.chdir(tmp_path)
        yield started
        allos.log.close()


def test_images_and_files(server: FakeServer, tmp_path: Path) -> None:
    """Every Python block of the page runs, in order, and every call is answered."""
    (tmp_path / "chart.png").write_bytes(PNG)
    (tmp_path / "paper.pdf").write_bytes(PDF)
    (tmp_path / "notes.md").write_text("# Notes\n")
    page = (GUIDES / "images-and-files.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    answers = allos.responses()

    assert len(blocks) == 3
    assert answers["status"].tolist() == ["ok"] * 4
    assert {request.api for request in server.requests} == {"responses", "messages"}
