"""Logs with damaged pages."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from allos.log.rows import raw_of, row_of
from allos.log.store.protocol import Batch, Rating
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response

PAGE = 4096
ROWS = 400


def whole_log(path: Path) -> Path:
    """Write a log of `ROWS` rows of different lengths, with ratings and raw JSON."""
    store = SQLiteStore(path)
    for start in range(0, ROWS, 50):
        responses = [
            a_response(number, content="word " * random.Random(number).randrange(600))
            for number in range(start, start + 50)
        ]
        raw = [packed for response in responses if (packed := raw_of(response))]
        ratings = [Rating(str(responses[0].id), 1, None, start)]
        store.append(Batch([row_of(response, {}) for response in responses], raw, ratings))
        store.maintain()
    store.close()
    return path


def copy_of(path: Path, copy: Path) -> Path:
    """Copy a closed log."""
    shutil.copy(path, copy)
    return copy


def pages(path: Path) -> int:
    """Number of pages."""
    return path.stat().st_size // PAGE


def overwrite(path: Path, page: int, data: bytes, at: int = 0) -> None:
    """Replace bytes of a page, counted from 1."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + at)
        file.write(data)
