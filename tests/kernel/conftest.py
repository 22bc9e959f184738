"""A kernel with allos loaded, whose groq is the scripted `server` of the test's own module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_server import FakeServer
from tests.support.jupyter import Kernel


@pytest.fixture
def kernel(server: FakeServer, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with allos loaded and a log of its own; the key is gsk-of-the-test."""
    environment = {
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": "gsk-of-the-test",
        "ALLOS_LOG": str(tmp_path / "log.sqlite"),
        "JPY_SESSION_NAME": "/somewhere/study.ipynb",
    }
    folder = tmp_path / "kernel"
    folder.mkdir()
    with Kernel(folder, environment) as started:
        assert started.run("%load_ext allos\nimport allos").outputs == []
        yield started
