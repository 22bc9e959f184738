"""Updates of one cell for the page of a board."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, perf_counter
from typing import Any

from allos.render.answer import body_html, body_text_parts
from allos.render.arrangement import ArrangedPlace
from allos.render.comparison_costs import cost_usd
from allos.render.comparison_facts import CHARS_PER_TOKEN, numbers
from allos.render.format import first_token, rate, token_counts
from allos.render.markdown_stream import MarkdownStream
from allos.render.plain import clean_text
from allos.response import ProviderResponse
from allos.runs.board_messages.columns import View
from allos.runs.board_messages.source import BoardCell
from allos.runs.cell import CellSnapshot

_SETTLED_S = 0.5
"""A speed measured over a shorter time is too inaccurate to show."""

_ERROR_CHARS = 200


class CellUpdates:
    """The state of one cell as the page has it, and the changes since.

    Parameters
    ----------
    cell : BoardCell
    key : str
        Its name in messages.
    number_of : callable
        ``number_of(row, response)`` is the number of an answer among those to one prompt; equal answers
        have the same.
    is_deferred : bool
        Whether its text is sent only once a page asks for it, see `send_text`.
    place : ArrangedPlace, optional
        Where it stands; by default where it was asked.
    column : str, optional
        Name of its column in messages, where it was arranged anew.

    Attributes
    ----------
    response : ProviderResponse or None
        The response that the page shows.
    """

    def __init__(
        self,
        cell: BoardCell,
        key: str,
        number_of: Callable[[int, ProviderResponse], int],
        *,
        is_deferred: bool = False,
        place: ArrangedPlace | None = None,
        column: str | None = None,
    ) -> None:
        self.cell = cell
        self.key = key
        self.place = place or ArrangedPlace(
            column=cell.column.index, row=cell.row, sample=cell.sample_index
        )
        self._column = column or str(cell.column.index)
        # Its column may be of several models then: `model:` finds it all the same.
        self._model = clean_text(cell.column.name).lower() if column else ""
        self._number_of = number_of
        self._is_deferred = is_deferred
        self._start_run(-1)

    def send_text(self) -> None:
        """Send all of it with the next changes: a page asks for its text, or has not got it."""
        self._is_deferred = False
        self._start_run(-1)

    def _start_run(self, run: int) -> None:
        self._run = run
        self.response: ProviderResponse | None = None
        self._end: View = {}
        """The response as the page shows it; kept, since formatting takes a while."""
        self._state = "queued"
        self._attempt: Any = None
        self._has_age = self._has_first = False
        self._reasoning_chars = 0
        self._stream = MarkdownStream()
        self._pieces = self._chars = self._blocks = self._all_blocks = 0
        # The text behind the blocks as the page has it, cleaned; `_units` is its length in UTF-16, as
        # JavaScript counts.
        self._texts: list[str] = []
        self._units = self._sent_whole = 0

    def changes(self, *, render: bool = True) -> View | None:
        """What has changed; None when nothing has.

        Parameters
        ----------
        render : bool
            Whether blocks of a streaming answer that are finished are rendered now, or later.
        """
        now = self.cell.snapshot()
        change: View = {}
        if now.run != self._run:
            self._start_run(now.run)
            # The cell may be new to the page: its column was added later.
            change = {**self._place(), **_BLANK}
        if now.response is None:
            change |= self._live(now, render)
        elif now.response is not self.response:
            self.response = now.response
            change |= self._finish(now.response, now.pieces)
        return {"key": self.key, **change} if change else None

    def rate(self) -> int | None:
        """Take over the rating of the cell, which a person has changed."""
        if self._end:
            self._end["rating"] = self.cell.rating
        return self.cell.rating

    def whole(self) -> View:
        """Everything that was sent of the cell, with the current times."""
        now = self.cell.snapshot()
        if now.run != self._run or self.response is not None:
            times: View = {}  # it is over, or its next run comes with the next changes
        else:
            times = self._times(now)
        return {
            "key": self.key,
            **self._place(),
            **_BLANK,
            **self._written(),
            "state": self._state,
            "reasoning_chars": self._reasoning_chars,
            "attempt": self._attempt and _attempt(self._attempt),
            **times,
            **self._end,
        }

    def _written(self) -> View:
        """The answer as far as it was sent."""
        stream = self._stream
        return {
            "part": stream.version,
            "blocks": list(stream.blocks),
            "open": stream.open_html,
            "text": "".join(self._texts),
        }

    def _place(self) -> View:
        place = self.place
        found: View = {
            "column": self._column,
            "row": row_key(place.row),
            "sample": place.sample,
            "run": self._run,
            "is_deferred": self._is_deferred,
        }
        if self._model:
            found["model"] = self._model
        if place.label:
            found["label"] = clean_text(place.label)
        if place.tint is not None:
            found["tint"] = f"c{place.tint.slot} s{place.tint.shade}"
        return found

    @property
    def waits(self) -> bool:
        """Whether blocks may be finished that are not rendered yet."""
        return self._stream.waits

    def _live(self, now: CellSnapshot, render: bool) -> View:
        change: View = {}
        if now.attempt is not self._attempt:
            self._attempt = now.attempt
            change["attempt"] = now.attempt and _attempt(now.attempt)
        if now.started is None and self._has_age:
            self._has_age, change["age_s"] = False, None  # it is queued again
        if now.state != self._state:
            self._state = change["state"] = now.state
        if self._is_deferred:
            return change | (self._times(now) if change else {})
        if len(now.pieces) > self._pieces or (render and self._stream.waits):
            change |= self._text(now.pieces, render)
        if now.reasoning_chars != self._reasoning_chars:
            self._reasoning_chars = change["reasoning_chars"] = now.reasoning_chars
        if change:
            times = self._times(now)
            self._has_age |= bool(times)
            if self._has_first and "first_s" not in times:
                change |= {"first_s": None, "facts": [], "speed": ""}  # another attempt was sent
            self._has_first = "first_s" in times
            change |= times
        return change

    def _text(self, pieces: list[str], render: bool) -> View:
        count = len(pieces)  # the loop thread appends meanwhile
        new = "".join(pieces[self._pieces : count])
        self._pieces = count
        self._chars += len(new)
        stream = self._stream
        part = stream.version
        stream.add(new, render=render)
        if stream.version != part:
            return self._next_part()
        if not new:
            return {}
        new = clean_text(new)
        offset = self._units
        self._texts.append(new)
        self._units += _units(new)
        if self._units < 2 * self._sent_whole:
            return {"part": part, "offset": offset, "text": new}
        self._sent_whole = self._units
        self._texts = ["".join(self._texts)]
        return {"part": part, "offset": 0, "text": self._texts[0]}

    def _next_part(self) -> View:
        """Blocks that are new, and the text behind them from its start."""
        stream = self._stream
        at, self._blocks = self._blocks, len(stream.blocks)
        if self._blocks >= 2 * self._all_blocks:
            at, self._all_blocks = 0, self._blocks
        tail = stream.tail
        self._texts, self._units = [tail], _units(tail)
        self._sent_whole = self._units
        return {**self._written(), "blocks_at": at, "blocks": stream.blocks[at:], "offset": 0}

    def _times(self, now: CellSnapshot) -> View:
        """Time since the start; the page's own clock continues from there."""
        if now.started is None:
            return {}
        at = perf_counter()
        times: View = {"age_s": round(at - now.started, 3)}
        if now.first is None or now.first < now.started:
            return times
        times["first_s"] = round(now.first - now.started, 3)
        facts = [first_token(times["first_s"])]
        count = max(self._pieces, self._chars // CHARS_PER_TOKEN)
        if count:
            facts.append(token_counts(None, count, about=True))
            if at - now.first > _SETTLED_S:
                times["speed"] = rate(count / (at - now.first))
        times["facts"] = facts
        return times

    def _finish(self, response: ProviderResponse, pieces: list[str]) -> View:
        self._end = {**self._ended(response), **self._rendered(response, pieces)}
        return self._end

    def _ended(self, response: ProviderResponse) -> View:
        """What a board of thousands needs to know of an answer to sort and filter it."""
        known = response.metadata
        return {
            "state": response.status,
            "answer": self._number_of(self.place.row, response),
            "attempt": None,
            "age_s": None,
            "first_s": known.get("time_to_first_token_s"),
            "latency_s": response.latency_s,
            "output_tokens": known.get("output_tokens"),
            "cost_usd": cost_usd(response),
            "is_replayed": response.replayed,
            "rating": self.cell.rating,
            "error": clean_text(str(response.error))[:_ERROR_CHARS] if response.error else "",
        }

    def _rendered(self, response: ProviderResponse, pieces: list[str]) -> View:
        """The answer and its facts as the page shows them; nothing while it is deferred."""
        if self._is_deferred:
            return {}
        if "".join(pieces) == response.content:
            self._stream.add("".join(pieces[self._pieces :]), render=False)
            self._stream.finish(response.content)
        self._attempt, self._texts, self._stream = None, [], MarkdownStream()
        known = response.metadata
        known_facts = numbers([response], pieces=self._pieces)
        facts = [fact.text for fact in known_facts]
        if response.error is not None and known.get("request_id"):
            facts.append(f"request {known['request_id']}")
        return {
            "html": body_html(response),
            "source": clean_text("\n\n".join(body_text_parts(response))),
            "facts": [clean_text(fact) for fact in facts],
            "hints": {fact.text: clean_text(fact.hint) for fact in known_facts if fact.hint},
        }


def row_key(index: int) -> str:
    """Name of a prompt in messages."""
    return str(index)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


_BLANK: View = {
    "state": "queued",
    "part": 0,
    "blocks": [],
    "open": "",
    "html": None,
    "source": "",
    "facts": [],
    "hints": {},
    "speed": "",
    "reasoning_chars": 0,
    "attempt": None,
    "age_s": None,
    "first_s": None,
    "latency_s": None,
    "answer": 0,
    "output_tokens": None,
    "cost_usd": None,
    "is_replayed": False,
    "rating": None,
    "error": "",
}
"""State of a run that has not started."""

_ERROR_TITLES = {
    "RateLimitError": "Rate limited",
    "ServerError": "Server error",
    "ProviderConnectionError": "No connection",
    "ProviderTimeoutError": "Timed out",
}


def _attempt(attempt: Any) -> View:
    title, status = _ERROR_TITLES.get(attempt["error_type"], "Failed"), attempt["http_status"]
    return {
        "title": f"{title} ({status})." if status else f"{title}.",
        "next": attempt["attempt"] + 1,
        "of": attempt["max_attempts"],
        "in_s": round(attempt["until"] - monotonic(), 3),
        "message": clean_text(str(attempt["message"])),
    }
