"""What the board must know of a comparison: everything at once, or what is new since the last look.

Plain values, no widget. A model's words leave as cleaned text while they stream and as our own
sanitised HTML at the end.

Messages to the page are JSON objects of two types; ``frontend/src/protocol.js`` types every field:

``{"type": "snapshot", "snapshot": {...}}``
    Everything. Also the widget's `snapshot` trait, for pages that come later.
``{"type": "update", "cells": [...], "columns": [...], "chips": [...], "summary": [...], "notice": ""}``
    What is new; each name may be missing. A cell's update names the cell by its `key`; `text` is
    appended at `offset`, and a new `run` voids the text of the one before.

The page answers with ``{"action": "stop" | "retry", "cell": key}`` or
``{"action": "stop_all" | "run_again" | "sync"}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from time import monotonic, perf_counter
from typing import Any

from allos.messages import Message
from allos.render.answer import body_html
from allos.render.comparison_table import (
    colour_slots,
    differing_params,
    equal_repeats,
    key_letter,
    numbers,
    repeats_label,
    root_class,
    shared_params,
    summary,
)
from allos.render.format import rate, seconds
from allos.render.plain import clean_text
from allos.response import ProviderResponse
from allos.runs.cell import Cell
from allos.runs.comparison import Comparison
from allos.runs.grid import Column

MAX_PROMPT_CHARS = 20_000
_CHARS_PER_TOKEN = 5
"""For the speed while it streams, where a piece holds several tokens; the end brings the count."""
_SETTLED_S = 0.5
"""A speed over a shorter time than this is noise."""

View = dict[str, Any]
"""State of one cell as the page has it: JSON values only."""


class BoardUpdates:
    """Follows a comparison for one board. Any thread.

    Texts travel as pieces with their place in the whole, so that a page that missed some (it was
    still loading) sees the gap. Whenever a text has doubled it is sent whole once, which closes any
    gap without a question to the kernel; that costs at most twice the text.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._cells: list[_CellUpdates] = []
        self._columns: list[View] = []
        self._summary: list[tuple[str, str, str]] = []
        self._notice = ""
        self._sent_notice = ""
        self._needs_snapshot = False
        # Invariant: what a snapshot says and the places of later pieces belong together.
        self._lock = Lock()
        self.changes()

    def set_notice(self, notice: str) -> None:
        """Show a line on the board; empty takes it away."""
        self._notice = clean_text(notice)

    def resend(self) -> None:
        """Let the next changes be everything: a page has missed something."""
        self._needs_snapshot = True

    def cell(self, key: str) -> Cell:
        """The cell that the page calls so."""
        with self._lock:
            found = next((known.cell for known in self._cells if known.key == key), None)
        if found is None:
            raise ValueError(f"{key!r} is not a cell of this board")
        return found

    def changes(self) -> View | None:
        """Message that brings the page up to date; None when it knows everything."""
        with self._lock:
            cells, columns = self._new()
            if self._needs_snapshot:
                self._needs_snapshot = False
                return {"type": "snapshot", "snapshot": self._all()}
            found: View = {}
            if cells:
                found["cells"] = cells
            if columns:
                found["columns"] = columns
                found["chips"] = self._chips()
            facts = summary(self.comparison).facts if cells else self._summary
            if facts != self._summary:
                self._summary = facts
                found["summary"] = facts
            if self._notice != self._sent_notice:
                self._sent_notice = found["notice"] = self._notice
            return {"type": "update", **found} if found else None

    def snapshot(self) -> View:
        """Everything that a page needs to build the board, as far as it was told."""
        with self._lock:
            return self._all()

    def _all(self) -> View:
        comparison = self.comparison
        system, prompt = _request_texts(comparison.messages)
        return {
            "table_class": root_class(comparison.id),
            "system": system,
            "prompt": prompt,
            "chips": self._chips(),
            "columns": self._columns,
            "cells": [cell.whole() for cell in self._cells],
            "summary": self._summary,
            "logged_as": comparison.id if _is_logged() else "",
            "notice": self._sent_notice,
        }

    def _chips(self) -> list[str]:
        comparison = self.comparison
        turns = sum(message.role != "system" for message in comparison.messages)
        chips = [f"{turns} messages"] if turns > 1 else []
        chips += [f"n = {comparison.n}"] if comparison.n > 1 else []
        return chips + [clean_text(label) for label in shared_params(comparison.columns)]

    def _new(self) -> tuple[list[View], list[View] | None]:
        # Read before the columns: a column is there before its cells.
        cells = list(self.comparison.cells)
        while len(self._cells) < len(cells):
            self._cells.append(_CellUpdates(cells[len(self._cells)]))
        found = [change for cell in self._cells if (change := cell.changes()) is not None]
        ended = any("html" in change for change in found)
        if not ended and len(self._columns) == len(self.comparison.columns):
            return found, None
        columns = self._described(cells)
        if columns == self._columns:
            return found, None
        self._columns = columns
        return found, columns

    def _described(self, cells: Sequence[Cell]) -> list[View]:
        columns = list(self.comparison.columns)
        slots = colour_slots([column.name for column in columns])
        described = []
        for column, slot, apart in zip(columns, slots, differing_params(columns), strict=True):
            provider, _, model = clean_text(column.name).partition("/")
            repeats = [cell for cell in cells if cell.column is column]
            largest = max(equal_repeats(repeats), key=len, default=[])
            described.append(
                {
                    "key": _column_key(column),
                    "letter": key_letter(column.index),
                    "provider": provider,
                    "model": model,
                    "params": clean_text(", ".join(apart)),
                    "slot": slot,
                    "repeats": repeats_label(largest, len(repeats)) if len(largest) > 1 else "",
                }
            )
        return described


class _CellUpdates:
    """One cell as the page knows it."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        column = _column_key(cell.column)
        self.key = f"{column}.{cell.sample_index}"
        self.view: View = {
            "key": self.key,
            "column": column,
            "sample": cell.sample_index,
            "run": -1,
        }
        self._pieces: list[str] | None = None
        self._response: ProviderResponse | None = None

    def _begin(self, pieces: list[str]) -> View:
        # A list of its own belongs to each run, so its identity tells the runs apart.
        self._pieces = pieces
        self._response = None
        self._taken = 0
        self._shown: list[str] = []
        self._units = self._sent_whole = 0
        self._attempt: Any = None
        self._sent_at: float | None = None
        return {
            # The page may never have heard of this cell: its column was added later.
            "column": self.view["column"],
            "sample": self.view["sample"],
            "run": self.view["run"] + 1,
            "state": "queued",
            "html": None,
            "facts": [],
            "speed": "",
            "reasoning_chars": 0,
            "attempt": None,
            "age_s": None,
            "first_s": None,
            "latency_s": None,
        }

    def changes(self) -> View | None:
        """What is new of the cell; None when nothing is."""
        cell = self.cell
        response = cell.response if cell.done else None
        pieces = cell.pieces
        change: View = {}
        if pieces is not self._pieces:
            change = self._begin(pieces)
            self.view["text"] = ""
        if response is None:
            change |= self._live()
        elif response is not self._response:
            change |= self._ended(response)
        if not change:
            return None
        self.view |= {
            name: value for name, value in change.items() if name not in ("offset", "text")
        }
        return {"key": self.key, **change}

    def whole(self) -> View:
        """The cell's state in full."""
        text = "" if self.view["html"] is not None else "".join(self._shown)
        return {**self.view, "text": text, **self._times()}

    def _live(self) -> View:
        cell = self.cell
        change: View = {}
        # The end is told when the response is there.
        state = cell.state if cell.state in ("queued", "running", "waiting") else "running"
        attempt = cell.attempt
        if attempt is not self._attempt:
            self._attempt = attempt
            change["attempt"] = attempt and _attempt(attempt)
            if attempt is not None:
                self._sent_at = perf_counter() + attempt["until"] - monotonic()
        if state == "queued" and self._sent_at is not None:
            self._sent_at = change["age_s"] = None  # it waits for its turn again
        if state == "running" and self._sent_at is None:
            self._sent_at = cell.started
        if state != self.view.get("state"):
            change["state"] = state
        pieces = cell.pieces
        if len(pieces) > self._taken:
            change |= self._text(pieces)
        if cell.reasoning_chars != self.view.get("reasoning_chars", 0):
            change["reasoning_chars"] = cell.reasoning_chars
        return {**change, **self._times()} if change else change

    def _text(self, pieces: list[str]) -> View:
        new = clean_text("".join(pieces[self._taken :]))
        self._taken = len(pieces)
        at = self._units
        self._shown.append(new)
        # Places count as JavaScript does.
        self._units += len(new.encode("utf-16-le")) // 2
        if self._units < 2 * self._sent_whole:
            return {"offset": at, "text": new}
        self._sent_whole = self._units
        self._shown = ["".join(self._shown)]
        return {"offset": 0, "text": self._shown[0]}

    def _times(self) -> View:
        """How long it has been under way; the page's own clock goes on from there."""
        if self._response is not None or self._sent_at is None:
            return {}
        now = perf_counter()
        times: View = {"age_s": round(now - self._sent_at, 3)}
        first = self.cell.first
        if first is None or first < self._sent_at:
            return times
        times["first_s"] = round(first - self._sent_at, 3)
        facts = [f"first {seconds(times['first_s'])}"]
        count = max(self._taken, self._units // _CHARS_PER_TOKEN)
        if count:
            facts.append(f"about {count:,} tok")
            if now - first > _SETTLED_S:
                times["speed"] = rate(count / (now - first))
        times["facts"] = facts
        return times

    def _ended(self, response: ProviderResponse) -> View:
        self._response = response
        known = response.metadata
        facts = numbers([response])
        if response.error is not None and known.get("request_id"):
            facts.append(f"request {known['request_id']}")
        return {
            "state": response.status,
            "html": body_html(response),
            "facts": [clean_text(fact) for fact in facts],
            "attempt": None,
            "age_s": None,
            "first_s": known.get("time_to_first_token_s"),
            "latency_s": response.latency_s,
        }


def _column_key(column: Column) -> str:
    return str(column.index)


_FAULTS = {
    "RateLimitError": "Rate limited",
    "ServerError": "Server error",
    "ProviderConnectionError": "No connection",
    "ProviderTimeoutError": "Timed out",
}


def _attempt(attempt: Any) -> View:
    fault, status = _FAULTS.get(attempt["error_type"], "Failed"), attempt["http_status"]
    return {
        "title": f"{fault} ({status})." if status else f"{fault}.",
        "next": attempt["attempt"] + 1,
        "of": attempt["max_attempts"],
        "in_s": round(attempt["until"] - monotonic(), 3),
        "message": clean_text(str(attempt["message"])),
    }


def _request_texts(messages: Sequence[Message]) -> tuple[str, str]:
    """System text and last prompt, cleaned and cut."""
    system = "\n\n".join(m.text for m in messages if m.role == "system" and m.text)
    prompt = next((m.text for m in reversed(messages) if m.role == "user"), None) or ""
    return _cut(clean_text(system)), _cut(clean_text(prompt))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_PROMPT_CHARS else f"{text[:MAX_PROMPT_CHARS]} …"


def _is_logged() -> bool:
    from allos import log

    return log.is_open()
