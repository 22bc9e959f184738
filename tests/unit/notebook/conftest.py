"""A plain IPython shell in this process, as in a terminal."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def shell() -> Iterator[Any]:
    """A shell with allos loaded. It keeps no history: its file would be gone before the process ends."""
    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    # At exit each shell would collect all garbage of the whole run; there is nothing to save.
    atexit.unregister(made.atexit_operations)
    made.run_line_magic("load_ext", "allos")
    yield made
    made.run_line_magic("unload_ext", "allos")
    InteractiveShell.clear_instance()
