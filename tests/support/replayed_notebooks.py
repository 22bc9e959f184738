"""A pytest plugin: each notebook under nbval runs on the answers recorded beside it, and asks nobody.

``python -m pytest -p tests.support.replayed_notebooks --nbval notebooks``, see `make notebooks`.
"""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["nbval.plugin"]


# Before the notebook's kernel is started, which takes the environment over.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.path.suffix == ".ipynb":
        os.environ["ALLOS_REPLAY"] = str(item.path.with_suffix(".replay.jsonl"))
        os.environ["ALLOS_REPLAY_MODE"] = "strict"
