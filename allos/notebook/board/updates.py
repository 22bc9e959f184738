"""Messages from a comparison to a board: a snapshot of everything, or what has changed since.

Plain values, no widget. While an answer streams its finished blocks are sent as sanitised HTML, and what
is behind them as cleaned text; at the end all of it is HTML.

Messages to the page are JSON objects of two types; ``frontend/src/protocol.js`` types every field:

``{"type": "snapshot", "snapshot": {...}}``
    Everything. Also the widget's `snapshot` trait, for pages that are opened later.
``{"type": "update", "cells": [...], "columns": [...], "chips": [...], "summary": [...], "notice": ""}``
    What has changed; each name may be missing. A cell's update names the cell by its `key`; `text` is
    inserted at `offset`, `blocks` at `blocks_at`. With new blocks the text begins anew as the next `part`,
    and a new `run` discards everything of the one before.

The page answers with ``{"action": "stop" | "retry", "cell": key}`` or
``{"action": "stop_all" | "run_again" | "sync"}``.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from allos.notebook.board.cell_updates import CellUpdates, View, column_key
from allos.render.comparison_columns import (
    colour_slots,
    common_labels,
    differing_params,
    key_letter,
    root_class,
    shades,
)
from allos.render.comparison_facts import answer_key, repeats_label
from allos.render.comparison_tally import ComparisonTally
from allos.render.comparison_view import ComparisonView
from allos.render.media import prompt_media_html
from allos.render.plain import clean_text
from allos.response import ProviderResponse
from allos.runs.cell import Cell
from allos.runs.comparison import Comparison

MAX_PROMPT_CHARS = 20_000


class BoardUpdates:
    """Follows a comparison for one board. Any thread.

    Only what was already sent is kept here; the state of the cells is in the comparison. The cost of an
    update depends on what has changed, not on the size of the comparison.

    Text is sent in pieces with their offset, so that a page that missed some (it was still loading)
    notices the gap. Whenever a text has doubled, it is sent whole once, which closes any gap without a
    request to the kernel; that costs at most twice the text.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._version = 0
        self._cells: dict[int, CellUpdates] = {}
        self._columns: list[View] = []
        self._answers: dict[int, EqualAnswers] = {}
        self._tally = ComparisonTally()
        self._summary: list[tuple[str, str, str, str]] = []
        self._notice = ""
        self._sent_notice = ""
        self._needs_snapshot = False
        # Invariant: a snapshot and the offsets of later pieces match.
        self._lock = Lock()
        self.changes()

    def set_notice(self, notice: str) -> None:
        """Show a line on the board; an empty string removes it."""
        self._notice = clean_text(notice)

    def resend(self) -> None:
        """Send a snapshot next: a page has missed something."""
        self._needs_snapshot = True

    def cell(self, key: str) -> Cell:
        """The cell with a key."""
        with self._lock:
            found = next((known.cell for known in self._cells.values() if known.key == key), None)
        if found is None:
            raise ValueError(f"{key!r} is not a cell of this board")
        return found

    def changes(self) -> View | None:
        """Message with what has changed; None when nothing has."""
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
                found["chips"] = _chips(self.comparison.view())
            facts = self._facts() if cells else self._summary
            if facts != self._summary:
                self._summary = found["summary"] = facts
            if self._notice != self._sent_notice:
                self._sent_notice = found["notice"] = self._notice
            return {"type": "update", **found} if found else None

    def snapshot(self) -> View:
        """Everything that a page needs to show the board, as of the last changes."""
        with self._lock:
            return self._all()

    def _all(self) -> View:
        view = self.comparison.view()
        return {
            "table_class": root_class(view.id),
            "system": _shorten(clean_text(view.prompt.system)),
            "prompt": _shorten(clean_text(view.prompt.text)),
            "chips": _chips(view),
            "columns": self._columns,
            "cells": [self._cells[index].whole() for index in sorted(self._cells)],
            "summary": self._summary,
            "prompt_html": prompt_media_html(view.prompt.images, view.prompt.files),
            "logged_as": view.id if view.logged else "",
            "notice": self._sent_notice,
        }

    def _facts(self) -> list[tuple[str, str, str, str]]:
        comparison = self.comparison
        columns, cells = len(comparison.columns), len(comparison.cells)
        facts = self._tally.summary(columns=columns, cells=cells).facts
        return [(fact.before, fact.text, fact.after, clean_text(fact.hint)) for fact in facts]

    def _new(self) -> tuple[list[View], list[View] | None]:
        """Changes of the cells, and all columns where one has changed."""
        # Read before the columns: a column is there before its cells.
        self._version, cells = self.comparison.changed_since(self._version)
        found = []
        with_answers = set()
        for cell in cells:
            known = self._cells.get(cell.index)
            if known is None:
                known = self._cells[cell.index] = CellUpdates(cell)
            before = known.response
            change = known.changes()
            if change is not None:
                found.append(change)
            if known.response is not before:
                self._count(cell, before, known.response)
                with_answers.add(cell.column.index)
        if len(self._columns) != len(self.comparison.columns):
            self._columns = self._describe_columns()
            return found, self._columns
        columns = list(self._columns)
        for index in with_answers:
            columns[index] = {**columns[index], "repeats": self._repeats(index)}
        if columns == self._columns:
            return found, None
        self._columns = columns
        return found, columns

    def _count(
        self, cell: Cell, before: ProviderResponse | None, response: ProviderResponse | None
    ) -> None:
        """Bring the totals up to date with one cell's answer."""
        column = cell.column.index
        answers = self._answers.setdefault(column, EqualAnswers())
        if before is not None:
            self._tally.remove(column, before)
            answers.remove(cell)
        if response is not None:
            self._tally.add(column, response)
            answers.add(cell, response)

    def _repeats(self, column: int) -> str:
        largest = self._answers[column].largest() if column in self._answers else []
        n = len(self.comparison.cells_of(column)) if len(largest) > 1 else 0
        return repeats_label([cell.sample_index for cell in largest], n) if n else ""

    def _describe_columns(self) -> list[View]:
        columns = self.comparison.view().columns
        names = [column.name for column in columns]
        places = zip(colour_slots(names), shades(names), strict=True)
        described = []
        params = differing_params(columns)
        for column, (slot, shade), apart in zip(columns, places, params, strict=True):
            provider, _, model = clean_text(column.name).partition("/")
            described.append(
                {
                    "key": column_key(column.index),
                    "letter": key_letter(column.index),
                    "provider": provider,
                    "model": model,
                    "params": clean_text(", ".join(apart)),
                    "slot": slot,
                    "shade": shade,
                    "repeats": self._repeats(column.index),
                }
            )
        return described


class EqualAnswers:
    """Cells of one column, grouped by what they answered."""

    def __init__(self) -> None:
        self._groups: dict[Any, dict[Cell, None]] = {}
        self._keys: dict[Cell, Any] = {}

    def add(self, cell: Cell, response: ProviderResponse) -> None:
        """Add a cell to those with the same answer."""
        key = self._keys[cell] = answer_key(response)
        self._groups.setdefault(key, {})[cell] = None

    def remove(self, cell: Cell) -> None:
        """Remove a cell that was added."""
        key = self._keys.pop(cell)
        del self._groups[key][cell]
        if not self._groups[key]:
            del self._groups[key]

    def largest(self) -> list[Cell]:
        """The largest group; the first of several."""
        largest: dict[Cell, None] = max(self._groups.values(), key=len, default={})
        return list(largest)


def _chips(view: ComparisonView) -> list[str]:
    earlier = view.prompt.earlier_messages
    chips = [f"{earlier + 1} messages"] if earlier else []
    return chips + [clean_text(label) for label in common_labels(view)]


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_PROMPT_CHARS else f"{text[:MAX_PROMPT_CHARS]} …"
