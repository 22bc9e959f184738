"""What a search of the log costs: building its index once, then each search.

Run: ``python -m tests.perf.bench_search [rows]`` (100,000 by default). It prints figures with versions and
asserts nothing; the aim is 10 ms for a search in 100,000 rows, beside reading a row by its id.
"""

from __future__ import annotations

import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import allos
import allos.log
from allos.log.columns import STORED_NAMES
from allos.log.query import rows_by_id
from allos.log.store.protocol import Batch
from allos.log.store.search_index import SUFFIX
from allos.log.store.sqlite import SQLiteStore

WORDS = [
    "".join(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=3 + n % 8))
    for n in range(5000)
]
SEARCHES = {
    "a word of 1 row in 10,000": "trampoline",
    "a word of 1 row in 100": "kangaroo",
    "a word of every row": "question",
    "two words": "kangaroo trampoline",
    "a phrase": '"a trampoline is"',
    "a word that is nowhere": "zyzzyva",
    "two signs, Chinese": "天气",
}


def fill(path: Path, rows: int) -> None:
    """Rows with a prompt of 20 words and an answer of 60."""
    chooser = random.Random(1)
    store = SQLiteStore(path)
    at = {name: STORED_NAMES.index(name) for name in ("id", "created_at", "prompt", "content")}
    for start in range(0, rows, 1000):
        batch = []
        for number in range(start, min(rows, start + 1000)):
            answer = " ".join(chooser.choices(WORDS, k=60))
            answer += " a trampoline is strong" if number % 10_000 == 7 else ""
            answer += " kangaroo 今天天气很好" if number % 100 == 7 else ""
            row = [None] * len(STORED_NAMES)
            row[at["id"]], row[at["created_at"]] = f"01HF{number:022d}", number
            row[at["prompt"]] = "Question: " + " ".join(chooser.choices(WORDS, k=20))
            row[at["content"]] = answer
            batch.append(tuple(row))
        store.append(Batch(rows=batch))
    store.close()


def took(task: Callable[[], object], repeats: int = 7) -> float:
    """Milliseconds of CPU of the fastest of some runs."""
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        task()
        best = min(best, time.process_time() - begun)
    return best * 1000


def main(rows: int) -> None:
    print(
        f"allos {allos.__version__}, Python {platform.python_version()}, pandas {pd.__version__}, SQLite "
        f"{sqlite3.sqlite_version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {rows:,} rows"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        fill(path, rows)
        allos.log.open(path)
        print(
            f"{'first search, builds the index':36} {took(lambda: allos.search('x y'), 1):8.0f} ms"
        )
        index = path.with_name(path.name + SUFFIX)
        print(
            f"{'log, index':36} {path.stat().st_size / 1e6:.0f} MB, {index.stat().st_size / 1e6:.0f} MB"
        )
        print(f"{'one row by its id':36} {took(lambda: rows_by_id(['01HF' + '7' * 22])):8.1f} ms")
        for name, query in SEARCHES.items():
            found = len(allos.search(query))
            print(
                f"{name:36} {took(lambda query=query: allos.search(query)):8.1f} ms, {found} rows"
            )
        allos.log.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
