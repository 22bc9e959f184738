"""Ids of responses, comparisons and conversations: ULIDs, so that they sort by time."""

from __future__ import annotations

import os
import time

from allos.ulid import UlidMaker

_maker = UlidMaker(lambda: time.time_ns() // 1_000_000, os.urandom)


def new_id() -> str:
    """Return a fresh ULID: 26 characters, later ones sort later."""
    return _maker()
