"""What a board shows while people vote on it, and the ranking that their votes come to.

While a comparison is blind the page gets these messages and nothing else: no names, no numbers, and no text
before the last call has ended, since their pace tells models apart. Which answer stands where is only known here.
"""

from __future__ import annotations

import math
from typing import Any

from allos.errors import AllosError
from allos.render.answer import body_html
from allos.render.comparison_view import ComparisonView
from allos.render.plain import clean_text
from allos.response import ProviderResponse
from allos.runs.board_messages.columns import View, describe_columns
from allos.runs.board_messages.source import BoardSource
from allos.runs.vendor_names import named_vendor
from allos.runs.vote_decision import decide
from allos.runs.vote_pairs import Answer
from allos.runs.voting import Cast, Voting, column_labels, votes_on

MAX_PROMPT_CHARS = 20_000
MAX_NOTE_CHARS = 2000
MAX_TAGS = 20
MAX_TAG_CHARS = 200
_DAY_S = 86_400.0


class VoteMessages:
    """Votes on one board, as its page gets them. Any thread."""

    def __init__(self, comparison: BoardSource) -> None:
        self._comparison = comparison
        self._turn = 0
        self.ranking: View | None = None
        """Models by their votes; None while it is not shown."""

    def act(self, action: str, message: dict[str, Any]) -> bool:
        """Do what a button asks for; False when it has nothing to do with votes."""
        comparison = self._comparison
        match action:
            case "vote_start":
                self.ranking = None
                self._start()
            case "vote":
                self._cast(message)
                self._end_if_complete()
            case "vote_undo":
                self._voting().undo()
                self._turn += 1
                self.ranking = None
                if not comparison.is_blind:
                    comparison.blind_again()
            case "vote_stop":
                self._end()
            case "ranking_close":
                self.ranking = None
            case _:
                return False
        return True

    def state(self) -> View | None:
        """What the page shows in place of the answers; None when nothing is hidden.

        Raises
        ------
        AllosError
            There is nothing to vote on, or no log to keep votes in.
        """
        comparison = self._comparison
        if not comparison.is_blind:
            return None
        if not comparison.done:
            cells = comparison.cells
            answered = sum(cell.snapshot().response is not None for cell in cells)
            return {"phase": "waiting", "answered": answered, "calls": len(cells)}
        voting = self._voting()
        pair = voting.next()
        if pair is None:
            self._end()
            return None
        layout = comparison.layout()
        return {
            "phase": "voting",
            "turn": self._turn,
            "pair": pair.key,
            "voted": voting.cast_count,
            "pairs": voting.count,
            **asked(layout, pair.row),
            "sides": [side(layout, pair.left), side(layout, pair.right)],
            "rubric": [clean_text(question) for question in voting.rubric],
            "last": self._told(voting, voting.last),
        }

    def _start(self) -> None:
        # Another board of the comparison may look at it first: what comes of a button is shown where it was pressed.
        if not self._comparison.done or not self._end_if_complete():
            self._comparison.blind_again()

    def _end_if_complete(self) -> bool:
        is_complete = self._voting().next() is None
        if is_complete:
            self._end()
        return is_complete

    def _voting(self) -> Voting:
        return self._comparison.voting()

    def _cast(self, message: dict[str, Any]) -> None:
        self._turn += 1
        voting = self._voting()
        taken_s = message.get("taken_s")
        is_time = isinstance(taken_s, int | float) and 0 <= taken_s <= _DAY_S
        voting.cast(
            str(message["pair"]),
            message["choice"],
            time_taken_s=float(taken_s or 0) if is_time else None,
            note=str(message.get("note") or "").strip()[:MAX_NOTE_CHARS],
            tags=[str(tag)[:MAX_TAG_CHARS] for tag in message.get("tags") or ()][:MAX_TAGS],
        )

    def _end(self) -> None:
        found = ranking(self._comparison)
        if found is not None:
            voting = self._voting()
            found["last"] = self._told(voting, voting.last, is_over=True)
        self.ranking = found
        self._comparison.reveal()

    def _told(self, voting: Voting, last: Cast | None, *, is_over: bool = False) -> str:
        """What the newest vote said, with names once nothing of its prompt is left to vote on."""
        if last is None:
            return ""
        if not is_over and not voting.is_complete(last.pair.row):
            return "Saved. Names are shown after the last pair of a prompt."
        labels = column_labels(self._comparison)
        left, right = (
            clean_text(labels[each.column]) for each in (last.pair.left, last.pair.right)
        )
        return names_told(last.winner, left, right)


def asked(layout: ComparisonView, row: int) -> View:
    """What was asked: texts of one prompt."""
    of_row = next((each.prompt for each in layout.rows if each.index == row), layout.prompt)
    return {
        "system": clean_text(of_row.system[:MAX_PROMPT_CHARS]),
        "prompt": clean_text(of_row.text[:MAX_PROMPT_CHARS]),
    }


def side(layout: ComparisonView, answer: Answer) -> View:
    """One answer of a pair, without anything that tells whose it is, but for what it says itself."""
    content = answer.response.content
    names = [column.name for column in layout.columns]
    prompt = asked(layout, answer.row)["prompt"]
    return {
        # Without its facts: a body shows why an answer ended, and what it has cost.
        "html": body_html(ProviderResponse(content)),
        "names": clean_text(named_vendor(content, names, prompt)),
    }


def names_told(winner: str, left: str, right: str) -> str:
    """What a vote said, once it is known whose answers they were.

    Examples
    --------
    >>> names_told("tie", "groq/a", "groq/b")
    'A tie. Left was groq/a, right was groq/b.'
    """
    match winner:
        case "a":
            return f"Left, your choice, was {left}. Right was {right}."
        case "b":
            return f"Right, your choice, was {right}. Left was {left}."
        case _:
            word = "A tie" if winner == "tie" else "Both bad"
            return f"{word}. Left was {left}, right was {right}."


def ranking(comparison: BoardSource) -> View | None:
    """Models by the votes of people, as the page draws them; None without votes."""
    try:
        decision = decide(comparison)
        judged = len(votes_on(comparison, judges=True))
    except AllosError:
        return None
    ranked = decision.ranking
    if ranked is None:
        return None
    layout = comparison.layout()
    # As they were asked: the columns of the board may be arranged by something else.
    described = dict(zip(column_labels(comparison), describe_columns(layout.columns), strict=True))
    low, high = float(ranked["low"].min()), float(ranked["high"].max())
    span = (high - low) or 1.0

    def percent(value: float) -> float:
        return round(100 * (value - low) / span, 1) if math.isfinite(value) else 50.0

    lines = [
        {
            **described[row["model"]],
            "rank": _span(row["rank_low"], row["rank_high"]),
            "low": percent(row["low"]),
            "at": percent(row["rating"]),
            "high": percent(row["high"]),
            "rating": f"{row['rating']:.0f}, between {row['low']:.0f} and {row['high']:.0f}",
            "wins": f"{row['wins']:,} of {row['votes']:,}",
        }
        for row in ranked.to_dict("records")
    ]
    ties = int(ranked["ties"].sum()) // 2
    bad = int(ranked["both_bad"].sum()) // 2
    words = (("tie" if ties == 1 else "ties"), "both bad")
    counts = [f"{number} {word}" for number, word in zip((ties, bad), words, strict=True) if number]
    if judged:
        counts.append(f"votes of judges, {judged} here, are not counted")
    return {
        "votes": decision.votes,
        "lines": lines,
        "last": "",
        "says": clean_text(_sentence(str(decision))),
        "counts": ", ".join(counts),
    }


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
