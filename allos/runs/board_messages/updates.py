"""Messages from a comparison to a board: a snapshot of everything, or what has changed since.

Plain values, no widget. While an answer streams its finished blocks are sent as sanitised HTML, and what
is behind them as cleaned text; at the end all of it is HTML.

Messages to the page are JSON objects of two types; ``notebook/board/frontend/src/protocol.js`` types every field:

``{"type": "snapshot", "snapshot": {...}}``
    Everything. Also the widget's `snapshot` trait, for pages that are opened later.
``{"type": "update", "cells": [...], "columns": [...], "chips": [...], "summary": [...], "notice": "",
"found": {...}, "vote": {...}, "ranking": {...}}``
    What has changed; each name may be missing. A cell's update names the cell by its `key`; `text` is
    inserted at `offset`, `blocks` at `blocks_at`. With new blocks the text begins anew as the next `part`,
    and a new `run` discards everything of the one before.

The page answers with ``{"action": "stop" | "retry", "cell": key}``,
``{"action": "stop_all" | "run_again" | "retry_failed" | "sync" | "script"}``, ``{"action": "add", "model": name}``,
``{"action": "arrange", "rows": [name], "columns": null, "colour": name}``,
``{"action": "texts", "cells": [key]}``, ``{"action": "search", "query": words}``, ``{"action": "rate",
"cell": key, "rating": 1}``, ``{"action": "vote", "pair": key, "choice": "left"}`` or
``{"action": "vote_start" | "vote_undo" | "vote_stop" | "ranking_close"}``. While people vote, `vote_messages` makes all that
the page sees.

``script`` is answered with ``{"type": "script", "text": javascript}``, see ``frontend/src/later.js``.

On a board of more than `DEFER_OVER` calls the texts of a call are sent once a page has asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from allos.errors import AllosError
from allos.render.answer import body_text_parts
from allos.render.arrangement import Arranged
from allos.render.comparison_columns import common_labels, root_class
from allos.render.comparison_facts import answer_key
from allos.render.comparison_rows import row_label, rows_title
from allos.render.comparison_tally import ComparisonTally
from allos.render.comparison_view import ComparisonView
from allos.render.media import prompt_media_html
from allos.render.plain import clean_text
from allos.response import ProviderResponse
from allos.runs.board_messages.cell_updates import CellUpdates, row_key
from allos.runs.board_messages.columns import (
    View,
    arranged_by,
    column_key,
    columns_title,
    describe_columns,
    varying_names,
)
from allos.runs.board_messages.pace import RenderPace
from allos.runs.board_messages.source import BoardCell, BoardSource
from allos.runs.board_messages.vote_messages import MAX_PROMPT_CHARS, VoteMessages

MAX_ROW_CHARS = 600
"""Of each prompt where there are several."""
DEFER_OVER = 200
"""With more calls than this, a text is sent once a page shows its call."""


class BoardUpdates:
    """Follows a comparison for one board. Any thread.

    Only what was already sent is kept here; the state of the cells is in the comparison. The cost of an
    update depends on what has changed, not on the size of the comparison.

    Text is sent in pieces with their offset, so that a page that missed some (it was still loading)
    notices the gap. Whenever a text has doubled, it is sent whole once, which closes any gap without a
    request to the kernel; that costs at most twice the text.

    Parameters
    ----------
    comparison : BoardSource
    defer_over : int
        With more calls than this, a text is sent once a page asks for it.
    pace : RenderPace or None
        When finished blocks of streaming answers are rendered; None: at once.
    """

    def __init__(
        self,
        comparison: BoardSource,
        *,
        defer_over: int = DEFER_OVER,
        pace: RenderPace | None = None,
    ) -> None:
        self.comparison = comparison
        self._defer_over = defer_over
        self._pace = pace or RenderPace(0)
        self._rated: list[str] = []
        self._notice = ""
        self._sent_notice = ""
        self._found: View | None = None
        self._needs_snapshot = False
        self.votes = VoteMessages(comparison)
        self._vote: View | None = None
        self._ranking: View | None = None
        # Invariant: a snapshot and the offsets of later pieces match.
        self._lock = Lock()
        layout = comparison.layout()
        self._n, self._is_race = layout.n, layout.is_race
        self._start()
        self.changes()

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to send that is not a change: a finished block, rendered."""
        return bool(self._waiting)

    def _start(self) -> None:
        """Begin as if nothing had been sent, in the arrangement of now."""
        # Read before the layout: a column may come in between, which is then found missing.
        count = len(self.comparison.columns)
        layout, self._arrangement = self.comparison.layout(), self.comparison.arrangement
        self._arranged = Arranged(layout, self._arrangement) if self._arrangement else None
        self._arranged_columns = count
        self._variables = varying_names(layout)
        self._version = 0
        self._cells: dict[int, CellUpdates] = {}
        self._by_key: dict[str, CellUpdates] = {}
        self._requested: list[CellUpdates] = []
        self._waiting: list[CellUpdates] = []
        self._columns: list[View] = []
        self._answers: dict[int, dict[int, int]] = {}
        self._tally = ComparisonTally()
        self._counted: dict[int, ProviderResponse | None] = {}
        self._summary: list[tuple[str, str, str, str]] = []
        self._rows = self._describe_rows(self._layout())

    def _is_outdated(self) -> bool:
        """Whether it is arranged in another way than what was sent, or for fewer columns."""
        if self.comparison.arrangement != self._arrangement:
            return True
        return self._arranged is not None and self._arranged_columns != len(self.comparison.columns)

    def _layout(self) -> ComparisonView:
        """Columns and rows of now, as they are arranged."""
        return self.comparison.layout() if self._arranged is None else self._arranged.layout

    def _column_count(self) -> int:
        arranged = self._arranged
        return len(self.comparison.columns if arranged is None else arranged.layout.columns)

    def set_notice(self, notice: str) -> None:
        """Show a line on the board; an empty string removes it."""
        self._notice = clean_text(notice)

    def resend(self) -> None:
        """Send a snapshot next: a page has missed something."""
        self._needs_snapshot = True

    def cell(self, key: str) -> BoardCell:
        """The cell with a key."""
        with self._lock:
            found = self._by_key.get(key)
        if found is None:
            raise ValueError(f"{key!r} is not a cell of this board")
        return found.cell

    def send_texts(self, keys: Iterable[str]) -> None:
        """Send the texts of some cells next, and whatever is written to them from then on."""
        with self._lock:
            known = [cell for key in keys if (cell := self._by_key.get(key)) is not None]
            for cell in known:
                cell.send_text()
            self._requested += known

    def send_rating(self, key: str) -> None:
        """Send the rating of a cell next."""
        with self._lock:
            self._rated.append(key)

    def search(self, query: str) -> None:
        """Tell the page next which cells have all words of a query, in their prompt or their answer."""
        words = query.lower().split()
        layout = self.comparison.layout()
        prompts = [row.prompt.text.lower() for row in layout.rows] or [layout.prompt.text.lower()]
        found = []
        with self._lock:
            cells = list(self._cells.values())
        for known in cells:
            response = known.response
            answer = "\n".join(body_text_parts(response)).lower() if response is not None else ""
            prompt = prompts[known.cell.row]
            if all(word in answer or word in prompt for word in words):
                found.append(known.key)
        self._found = {"query": query, "cells": found}

    def changes(self) -> View | None:
        """Message with what has changed; None when nothing has."""
        with self._lock:
            variables = self._variables
            cells, columns = self._new()
            rated, self._rated = self._rated, []
            cells += [{"key": key, "rating": self._by_key[key].rate()} for key in rated]
            facts = self._facts() if cells else self._summary
            was_blind, before = self._vote is not None, self._vote
            self._vote = self._vote_state()
            self._needs_snapshot |= was_blind != (self._vote is not None)
            if self._needs_snapshot:
                self._needs_snapshot, self._summary = False, facts
                return {"type": "snapshot", "snapshot": self._all()}
            found: View = {}
            if self._vote is not None:  # the page gets nothing else
                cells, columns = [], None
                if self._vote != before:
                    found["vote"] = self._vote
            if self.votes.ranking != self._ranking:
                found["ranking"] = self._ranking = self.votes.ranking
            if cells:
                found["cells"] = cells
            if columns:
                found["columns"] = columns
                found |= {} if self._variables == variables else {"variables": self._variables}
                found["chips"] = _chips(self.comparison.layout())
            if facts != self._summary:
                self._summary = found["summary"] = facts
            if self._notice != self._sent_notice:
                self._sent_notice = found["notice"] = self._notice
            if self._found is not None:
                found["found"], self._found = self._found, None
            return {"type": "update", **found} if found else None

    def snapshot(self) -> View:
        """Everything that a page needs to show the board, as of the last changes."""
        with self._lock:
            return self._all()

    def _vote_state(self) -> View | None:
        """What the page votes on; where it cannot, nothing is hidden and a line says why."""
        try:
            return self.votes.state()
        except AllosError as exc:
            self.comparison.reveal()
            self.set_notice(f"There can be no vote: {exc}")
            return None

    def _all(self) -> View:
        view = self.comparison.layout()
        self._ranking = self.votes.ranking
        shown = {
            "vote": self._vote,
            "ranking": self._ranking,
            "table_class": root_class(view.id),
            "system": _shorten(clean_text(view.prompt.system)),
            "prompt": _shorten(clean_text(view.prompt.text)),
            "chips": _chips(view),
            "columns": self._columns,
            "rows": self._rows,
            "rows_title": rows_title(self._layout().rows),
            "columns_title": columns_title(self._layout().columns),
            "variables": self._variables,
            "arranged": arranged_by(self._arrangement),
            "cells": [self._cells[index].whole() for index in sorted(self._cells)],
            "summary": self._summary,
            "prompt_html": prompt_media_html(view.prompt.images, view.prompt.files),
            "logged_as": view.id if view.logged else "",
            "can_run": self.comparison.can_run,
            "notice": self._sent_notice,
        }
        if self._vote is not None:
            shown |= {"chips": [], "columns": [], "cells": [], "summary": [], "logged_as": ""}
            # Where it has become blind since: arranged rows could name the models.
            shown |= {"rows": self._describe_rows(view), "variables": []}
            shown["rows_title"] = rows_title(view.rows)
        return shown

    def _facts(self) -> list[tuple[str, str, str, str]]:
        comparison = self.comparison
        columns = self._column_count()
        found = self._tally.summary(
            columns=columns, cells=len(comparison.cells), is_race=self._is_race
        )
        return [(fact.before, fact.text, fact.after, clean_text(fact.hint)) for fact in found.facts]

    def _new(self) -> tuple[list[View], list[View] | None]:
        """Changes of the cells, and all columns where one has changed."""
        # Read before the columns: a column is there before its cells.
        self._version, cells = self.comparison.changed_since(self._version)
        while self._is_outdated():
            self._start()
            self._needs_snapshot = True
            self._version, cells = self.comparison.changed_since(0)
        changed = {cell.index: self._known(cell) for cell in cells}
        requested, self._requested = self._requested, []
        changed |= {known.cell.index: known for known in (*requested, *self._waiting)}
        found = []
        with_answers = set()
        with self._pace.turn() as render:
            changes = {index: changed[index].changes(render=render) for index in sorted(changed)}
        self._waiting = [known for known in changed.values() if known.waits]
        for index, change in changes.items():
            known = changed[index]
            if change is not None:
                found.append(change)
            before = self._counted.get(index)
            if known.response is not before:
                self._count(known.place.column, before, known.response)
                self._counted[index] = known.response
                with_answers.add(known.place.column)
        if len(self._columns) != self._column_count():
            self._columns = self._describe_columns()
            self._variables = varying_names(self.comparison.layout())
            return found, self._columns
        columns = list(self._columns)
        for index in with_answers:
            columns[index] = {**columns[index], "numbers": self._tally.column_numbers(index)}
        if columns == self._columns:
            return found, None
        self._columns = columns
        return found, columns

    def _known(self, cell: BoardCell) -> CellUpdates:
        known = self._cells.get(cell.index)
        if known is None:
            at = (cell.column.index, cell.row, cell.sample_index)
            # Its name is of where it was asked: it keeps it in every arrangement.
            key = f"{at[0]}.{cell.row * self._n + cell.sample_index}"
            place = column = None
            if self._arranged is not None:
                place = self._arranged.place(*at)
                column = column_key(self._arranged.layout.columns[place.column])
            known = CellUpdates(
                cell,
                key,
                self._number_of,
                is_deferred=len(self.comparison.cells) > self._defer_over,
                place=place,
                column=column,
            )
            self._cells[cell.index] = self._by_key[key] = known
        return known

    def _number_of(self, row: int, response: ProviderResponse) -> int:
        """Number of an answer among those to one prompt, from 0."""
        numbers = self._answers.setdefault(row, {})
        return numbers.setdefault(hash(answer_key(response)), len(numbers))

    def _count(
        self, column: int, before: ProviderResponse | None, response: ProviderResponse | None
    ) -> None:
        """Bring the totals of a column up to date with one answer."""
        if before is not None:
            self._tally.remove(column, before)
        if response is not None:
            self._tally.add(column, response)

    def _describe_rows(self, layout: ComparisonView) -> list[View]:
        """The prompts; without a text of its own where there is only one."""
        described: list[View] = [
            {
                "key": row_key(row.index),
                "label": row_label(row),
                "prompt": _shorten(clean_text(row.prompt.text), MAX_ROW_CHARS),
                "change": None if row.change is None else round(row.change, 3),
            }
            for row in layout.rows
        ]
        return described or [{"key": row_key(0), "label": "", "prompt": "", "change": None}]

    def _describe_columns(self) -> list[View]:
        columns = self._layout().columns
        return [
            {**described, "numbers": self._tally.column_numbers(column.index)}
            for column, described in zip(columns, describe_columns(columns), strict=True)
        ]


def _chips(view: ComparisonView) -> list[str]:
    earlier = view.prompt.earlier_messages
    chips = [f"{earlier + 1} messages"] if earlier else []
    if view.rows:
        chips.append(f"{len(view.rows):,} prompts")
    return chips + [clean_text(label) for label in common_labels(view)]


def _shorten(text: str, most: int = MAX_PROMPT_CHARS) -> str:
    return text if len(text) <= most else f"{text[:most]} …"
