"""Blind votes on the answers of one comparison: which pair is next, what was voted, how models rank.

Every vote is a row of the log, and so is taking one back; nothing else is kept, so that another kernel
goes on where this one was.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from allos import log
from allos.call_params import params_of, setting_labels
from allos.errors import ConfigurationError
from allos.log.feedback import (
    default_rater,
    standing_votes,
    vote,
    votes_frame,
    withdraw_vote,
)
from allos.raters import JUDGE, find_rater
from allos.render.comparison_view import ComparisonView
from allos.response import ProviderResponse
from allos.runs.cell import CellSnapshot
from allos.runs.vote_pairs import Answer, Pair, Seen, make_pairs, next_pair

if TYPE_CHECKING:
    import pandas as pd

Choice = Literal["left", "right", "tie", "bad"]
_WINNERS = {"left": "a", "right": "b", "tie": "tie", "bad": "bad"}
"""The one on the left is `response_a` of the vote."""
_POINTS = {"a": 1.0, "b": 0.0}


class _Column(Protocol):
    @property
    def index(self) -> int: ...


class _Cell(Protocol):
    @property
    def row(self) -> int: ...
    @property
    def column(self) -> _Column: ...
    def snapshot(self) -> CellSnapshot: ...


class Source(Protocol):
    """What is voted on: `Comparison` and `FinishedComparison` have it."""

    @property
    def id(self) -> str:
        """Id of the comparison."""

    @property
    def cells(self) -> Sequence[_Cell]:
        """All calls."""

    def layout(self) -> ComparisonView:
        """Columns and prompts, with their names."""


@dataclass(frozen=True, slots=True)
class Cast:
    """One vote of this rater."""

    id: str
    pair: Pair
    winner: str


@dataclass(slots=True)
class _Ballot:
    pairs: list[Pair]
    cast: list[Cast] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    """Votes of others."""


class Voting:
    """Votes of one rater on one comparison. Any thread.

    Parameters
    ----------
    source : Source
        All of its calls have ended.
    rater : str, optional
        Who votes; by default the login name.
    rubric : sequence of str
        Questions that can be answered beside which one is better.

    Raises
    ------
    ConfigurationError
        Nothing to vote on.
    LogError
        The log is off.
    """

    def __init__(
        self, source: Source, *, rater: str | None = None, rubric: Sequence[str] = ()
    ) -> None:
        self.rater = rater if rater is not None else default_rater()
        self.rubric = tuple(rubric)
        self._source = source
        self._lock = threading.Lock()  # guards the ballot: buttons are pressed on several threads
        self._ballot = self._open()

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return len(self._ballot.pairs)

    @property
    def cast_count(self) -> int:
        """How many of them this rater has voted on."""
        return len(self._ballot.cast)

    @property
    def last(self) -> Cast | None:
        """The newest vote of this rater that stands."""
        cast = self._ballot.cast
        return cast[-1] if cast else None

    def next(self) -> Pair | None:
        """The pair that tells most now; None when there is none left."""
        with self._lock:
            return self._next()

    def is_complete(self, row: int) -> bool:
        """Whether this rater has voted on all pairs of a prompt: then its names may be shown."""
        with self._lock:
            voted = {each.pair.key for each in self._ballot.cast}
            return all(pair.key in voted for pair in self._ballot.pairs if pair.row == row)

    def cast(
        self,
        key: str,
        choice: Choice,
        *,
        time_taken_s: float | None = None,
        note: str | None = None,
        tags: Sequence[str] = (),
    ) -> Cast:
        """Vote on a pair; it is in the log when this returns.

        Raises
        ------
        ValueError
            Not a pair of these, one that has its vote, or not a choice.
        LogError
            The log cannot be written.
        """
        if choice not in _WINNERS:
            raise ValueError(f"expected left, right, tie or bad, got {choice!r:.40}")
        with self._lock:
            pair = next((each for each in self._ballot.pairs if each.key == key), None)
            if pair is None or any(each.pair is pair for each in self._ballot.cast):
                raise ValueError("this pair has a vote already; the next one is shown")
            winner: Any = _WINNERS[choice]
            labels = column_labels(self._source)
            id = vote(
                *(pair.left.response, pair.right.response, winner),
                shown_first="a",
                time_taken_s=time_taken_s,
                note=note or None,
                tags=list(tags) or None,
                rater=self.rater,
                names=(labels[pair.left.column], labels[pair.right.column]),
            )
            cast = Cast(id, pair, winner)
            self._ballot.cast.append(cast)
        return cast

    def undo(self) -> Cast:
        """Take back the newest vote; its pair is asked again.

        Raises
        ------
        ValueError
            There is none.
        """
        with self._lock:
            if not self._ballot.cast:
                raise ValueError("there is no vote to take back")
            cast = self._ballot.cast[-1]
            withdraw_vote(cast.id, rater=self.rater)
            self._ballot.cast.pop()
        return cast

    def _next(self) -> Pair | None:
        ballot = self._ballot
        voted = {each.pair.key for each in ballot.cast}
        left = [pair for pair in ballot.pairs if pair.key not in voted]
        own = [
            Seen(cast.pair.left.column, cast.pair.right.column, _POINTS.get(cast.winner, 0.5))
            for cast in ballot.cast
        ]
        return next_pair(left, [*ballot.seen, *own])

    def _open(self) -> _Ballot:
        """Pairs of the answers, and the votes of the log on them."""
        answers = answers_of(self._source)
        pairs = make_pairs(answers, f"{self._source.id} {self.rater}")
        if not pairs:
            raise ConfigurationError(
                "there is nothing to vote on: no prompt has two different answers of two models"
            )
        ballot = _Ballot(pairs)
        by_ids = {pair.ids: pair for pair in pairs}
        for row in people_votes(votes()).to_dict("records"):
            pair = by_ids.get(frozenset((row["response_a"], row["response_b"])))
            if pair is None:
                continue
            is_turned = row["response_a"] != pair.left.response.id
            winner = (
                {"a": "b", "b": "a"}.get(row["winner"], row["winner"])
                if is_turned
                else row["winner"]
            )
            if row["rater"] == self.rater:
                ballot.cast.append(Cast(row["id"], pair, winner))
            else:
                points = _POINTS.get(winner, 0.5)
                ballot.seen.append(Seen(pair.left.column, pair.right.column, points))
        return ballot


def answers_of(source: Source) -> list[Answer]:
    """Answers that can be voted on: complete ones that are rows of the log."""
    if not log.is_open():
        raise ConfigurationError(
            "votes are rows of the log, and the log is off: unset ALLOS_LOG, or call allos.log.open(path)"
        )
    return [
        Answer(cell.row, cell.column.index, response)
        for cell in source.cells
        if (response := cell.snapshot().response) is not None and _is_votable(response)
    ]


def _is_votable(response: ProviderResponse) -> bool:
    return response.ok and response.id is not None and bool(response.content.strip())


def votes() -> pd.DataFrame:
    """Votes of the log as they are stored: here sides are known by the columns of their answers."""
    return votes_frame(standing_votes())


def people_votes(frame: pd.DataFrame) -> pd.DataFrame:
    """Votes of people: those of judges are not mixed with them."""
    return frame[~_by_judges(frame)]


def _by_judges(frame: pd.DataFrame) -> pd.Series[bool]:
    return frame["rater"].fillna("").str.startswith(JUDGE).astype(bool)


def column_labels(source: Source) -> list[str]:
    """Name of each column: its model, and the settings that tell it from other columns of the model.

    `allos.votes` names the answers of a comparison alike.
    """
    columns = source.layout().columns
    sent: dict[int, Mapping[str, Any]] = {}
    for cell in source.cells:
        if len(sent) == len(columns):
            break
        response = None if cell.column.index in sent else cell.snapshot().response
        if response is not None and response.request is not None:
            # What was sent, as the log has it: options of its provider are no settings of the model.
            sent[cell.column.index] = params_of(response.metadata)
    return setting_labels(
        [column.name for column in columns],
        [sent.get(column.index, column.params) for column in columns],
        [[each for each in (column.run, *column.values.values()) if each] for column in columns],
    )


def votes_on(source: Source, *, judges: bool = False, rater: str | None = None) -> pd.DataFrame:
    """Votes of the log on the answers of a comparison, by its columns: of people, of judges, or of one rater.

    Returns
    -------
    pandas.DataFrame
        As `allos.votes`, with `model_a` and `model_b` as `column_labels` names them, and the number of its row as
        `prompt`: a log may keep neither texts nor names of raters.
    """
    labels = column_labels(source)
    answers = answers_of(source)
    of = {answer.response.id: labels[answer.column] for answer in answers}
    row_of = {answer.response.id: answer.row for answer in answers}
    frame = votes()
    frame = frame[frame["response_a"].isin(list(of)) & frame["response_b"].isin(list(of))]
    is_judge = _by_judges(frame)
    if rater is None:
        found = frame[is_judge if judges else ~is_judge].copy()
    else:
        found = frame[frame["rater"] == find_rater(rater, frame["rater"])].copy()
    found["model_a"] = [of[each] for each in found["response_a"]]
    found["model_b"] = [of[each] for each in found["response_b"]]
    found["prompt"] = [row_of[each] for each in found["response_a"]]
    found["rater"] = found["rater"].fillna("unknown")
    return found[found["model_a"] != found["model_b"]].reset_index(drop=True)
