"""A comparison from beginning to end, as the board's page is told of it.

Run: .venv/bin/python -m tests.frontend.scripted

writes ``messages.json`` anew, after a change of what the kernel and the page say to each other. Python
tests that the kernel says just that, Node that the page understands it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

from allos.errors import ServerError
from allos.events import Event, Queued, ReasoningDelta, Retrying, TextDelta
from allos.messages import as_messages
from allos.response import ProviderResponse
from allos.runs import cell as cells
from allos.runs import voting
from allos.runs.board_messages import cell_updates
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.cell import Cell
from allos.runs.comparison import Comparison
from allos.runs.grid import Grid, build_columns

MESSAGES = Path(__file__).with_name("messages.json")
_FACTS = {"provider": "groq", "status": "ok", "latency_s": 2.0, "output_tokens": 8}


class _Script:
    """Plays the loop thread's part, at times of its own."""

    def __init__(self) -> None:
        models = ["groq/llama-3.1-8b-instant", "mistral/mistral-small-latest"]
        columns = build_columns(models, [{"temperature": 0.2}], {})
        messages = as_messages("Explain gravity to a child.", "Be kind.")
        self.comparison = Comparison(Grid([messages], columns, n=2))
        self.comparison.id = "cmp_01KAN3"
        self.now_s = 100.0
        self.said: list[dict[str, Any]] = []
        with self._clock():
            self.board = BoardUpdates(self.comparison)
            self.snapshot = self.board.snapshot()

    @contextmanager
    def _clock(self) -> Iterator[None]:
        clocks = {"perf_counter": lambda: self.now_s, "monotonic": lambda: self.now_s}
        with (
            patch.multiple(cell_updates, **clocks),
            patch.multiple(cells, **clocks),
            patch("allos.log.is_open", lambda: True),
        ):
            yield

    def cell(self, column: int, sample: int) -> Cell:
        return next(
            cell
            for cell in self.comparison.cells
            if (cell.column.index, cell.sample_index) == (column, sample)
        )

    def flush(self, when: str, after_s: float = 0.5) -> None:
        self.now_s += after_s
        with self._clock():
            message = self.board.changes()
        self.said.append({"when": when, "message": message})

    def start(self, cell: Cell) -> None:
        self.receive(cell, Queued(is_waiting=False))

    def write(self, cell: Cell, *pieces: str) -> None:
        self.receive(cell, *map(TextDelta, pieces))

    def receive(self, cell: Cell, *events: Event) -> None:
        with self._clock():
            cell._receive(cell.run, events)

    def end(self, cell: Cell, text: str, **facts: Any) -> None:
        id = f"res_{cell.index}"
        cell._finish(ProviderResponse(text, id=id, metadata={**_FACTS, **facts}))

    @contextmanager
    def log(self) -> Iterator[None]:
        """A log that keeps one vote."""
        kept: list[dict[str, Any]] = []

        def vote(a: ProviderResponse, b: ProviderResponse, winner: str, **facts: Any) -> str:
            ids = {"response_a": a.id, "response_b": b.id}
            kept.append({"id": "v1", "prompt": "?", "winner": winner, **ids, "rater": "ann"})
            return "v1"

        def votes() -> pd.DataFrame:
            names = ["id", "prompt", "winner", "response_a", "response_b", "rater"]
            return pd.DataFrame(kept, columns=names, dtype="str")

        with (
            patch.multiple(voting, vote=vote, votes=votes),
            patch("allos.log.is_open", lambda: True),
        ):
            yield


def script() -> dict[str, Any]:
    """What the page is told first, and every message after that."""
    play = _Script()
    a, a_too, b, b_too = (play.cell(column, sample) for column in (0, 1) for sample in (0, 1))
    play.start(a)
    play.start(b)
    play.flush("two calls are sent")
    play.write(a, "Gravity is ", "a hug 🎈")
    play.receive(b, ReasoningDelta("?" * 1200))
    play.flush("A writes its first words, B reasons")
    play.write(a, " from the Earth.")
    play.flush("A goes on behind an offset that counts UTF-16 units")
    play.write(a, " It is <b>strong</b>.")
    play.flush("A has doubled: its text comes whole")
    play.receive(
        b,
        Retrying(
            error_type="RateLimitError",
            http_status=429,
            attempt=1,
            max_attempts=5,
            message="50 requests a minute.",
            wait_s=30,
        ),
    )
    play.flush("B waits for its next attempt")
    play.end(a, "Gravity is a **hug**.", model="llama-3.1-8b-instant")
    play.end(a_too, "Gravity is a **hug**.", model="llama-3.1-8b-instant")
    play.flush("both repeats of A are done, and the same")
    comparison = play.comparison
    comparison._grid = comparison._grid.with_column("openai/gpt-4.1-mini", {"temperature": 0.7})
    play.start(b)
    play.flush("a column is added, its cells are not there yet; B is asked again")
    comparison._add_cells(comparison.columns[2])
    c, c_too = comparison.cells_of(2)
    play.flush("the cells of C are there")
    play.start(c)
    play.write(c, "Think of a trampoline.")
    play.flush("C writes")
    play.write(c, "\n\nIt **bends**.\n\n- one\n- *two*\n- th")
    play.flush("blocks of C are finished, a list is open")
    play.write(c, "ree")
    play.flush("C goes on behind its blocks")
    a._begin_run()
    comparison._unfinished += 1
    comparison.cell_changed(a)
    play.flush("the first A is asked again")
    play.start(a)
    play.write(a, "Once more.")
    play.flush("it writes")
    play.board.set_notice("That did not work: the limit is 0.")
    play.flush("a press failed")
    play.board.resend()
    play.flush("the page has asked for everything")
    c._finish(
        ProviderResponse(
            "Think of",
            error=ServerError("'gpt-4.1-mini' is down.", status_code=500, request_id="req_1"),
            metadata={"provider": "openai", "status": "error", "request_id": "req_1"},
        )
    )
    for cell in (b_too, c_too):
        play.end(cell, "", status="cancelled", finish_reason="cancelled")
    play.end(b, "Done.")
    play.end(a, "Once more.")
    play.flush("all have ended")
    with play.log():
        comparison.blind(rater="ann", rubric=["Which is kinder?"])
        play.flush("a person votes: no names, no numbers, no other answers")
        play.board.votes.act("vote", {"pair": "0", "choice": "left", "taken_s": 2.5})
        play.flush("all pairs have a vote: everything is shown, and the ranking")
    return {"snapshot": play.snapshot, "messages": play.said}


if __name__ == "__main__":
    MESSAGES.write_text(json.dumps(script(), indent=1, ensure_ascii=False) + "\n")
