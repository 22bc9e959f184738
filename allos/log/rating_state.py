"""What the appended ratings of a log come to: who thinks what of which response now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from allos.log.store.protocol import Rating

JUDGE = "judge:"
"""How the name of a rater begins that is a model: its ratings are not joined with those of people."""


class CurrentRating(NamedTuple):
    """What was said of a response last, in the order of the frame's joined columns."""

    rating: int | None = None
    note: str | None = None
    tags: str | None = None
    rater: str | None = None
    rated_at: int | None = None


NOTHING = CurrentRating()


def by_rater(ratings: Iterable[Rating]) -> dict[tuple[str, str | None], CurrentRating]:
    """What each rater says of each response now, the one who spoke last at the end.

    Examples
    --------
    >>> said = [Rating("r", 1, None, 5, "Ann"), Rating("r", -1, "oh", 6, "Ann")]
    >>> by_rater(said)["r", "Ann"].rating
    -1
    >>> by_rater([*said, Rating("r", None, None, 7, "Ann", undo=1)])["r", "Ann"].rating
    1
    """
    history: dict[tuple[str, str | None], list[Rating]] = {}
    seen: set[str] = set()
    for each in ratings:
        if each.id is not None:
            if each.id in seen:  # of a log that was merged by two at once
                continue
            seen.add(each.id)
        key = (each.response_id, each.rater)
        said = history.pop(key, [])  # back in at the end: who spoke last
        if not each.undo:
            said.append(each)
        elif said:
            said.pop()
        history[key] = said
    result = {}
    for key, said in history.items():
        state = NOTHING
        for each in said:
            if each.rating is None and each.note is None and each.tags is None:
                state = NOTHING
                continue
            state = CurrentRating(
                state.rating if each.rating is None else each.rating,
                state.note if each.note is None else each.note,
                state.tags if each.tags is None else each.tags,
                each.rater,
                each.created_at,
            )
        if state != NOTHING:
            result[key] = state
    return result


def current_ratings(ratings: Iterable[Rating]) -> dict[str, CurrentRating]:
    """What was said of each response last, by people: the newest rating, note and tags of anyone."""
    result: dict[str, CurrentRating] = {}
    for (response_id, rater), said in by_rater(ratings).items():
        if rater is not None and rater.startswith(JUDGE):
            continue
        old = result.get(response_id, NOTHING)
        result[response_id] = CurrentRating(
            old.rating if said.rating is None else said.rating,
            old.note if said.note is None else said.note,
            old.tags if said.tags is None else said.tags,
            said.rater,
            said.rated_at,
        )
    return result
