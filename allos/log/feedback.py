"""`allos.rate`, `ratings`, `vote` and `votes`: what people think of answers, in the log.

Ratings and votes are appended and never changed: undoing one is a row as well. A call returns when
its row is committed, so that none is lost, whoever else is writing.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from allos import _process
from allos.errors import ConfigurationError, LogError, did_you_mean
from allos.ids import new_id
from allos.log.filters import build_where, utc_now
from allos.log.json_text import to_json_text
from allos.log.query import open_store, read
from allos.log.rating_state import by_rater, current_ratings
from allos.log.store.protocol import Rating, Vote, Where
from allos.log.vote_names import name_sides, named_model
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

    from allos.log.log import Log

Winner = Literal["a", "b", "tie", "bad"]
_LONGEST_NAME = 200
_IDS_AT_ONCE = 900
"""SQLite takes 999 values in a statement, if it is old."""
_RATINGS = {
    "created_at": "datetime64[us, UTC]",
    "response_id": "str",
    "rater": "str",
    "rating": "Int64",
    "note": "str",
    "tags": "str",
}
_VOTES = {
    "created_at": "datetime64[us, UTC]",
    "rater": "str",
    "prompt": "str",
    "model_a": "str",
    "model_b": "str",
    "winner": "str",
    "response_a": "str",
    "response_b": "str",
    "shown_first": "str",
    "time_taken_s": "Float64",
    "note": "str",
    "tags": "str",
    "comparison_id": "str",
    "id": "str",
}


def rate(
    response: str | ProviderResponse,
    rating: int | None = None,
    note: str | None = None,
    *,
    tags: Iterable[str] | str | None = None,
    rater: str | None = None,
    undo: bool = False,
) -> None:
    """Rate a response, or add a note or tags to it; the newest of each count.

    Returns when it is committed to the log.

    Parameters
    ----------
    response : str or ProviderResponse
        The response, or its `id`.
    rating : int, optional
        Any scale of your own: 1 and -1 for thumbs, 1 to 5 for stars.
    note : str, optional
        Free text.
    tags : str or iterable of str, optional
        Words to find it again.
    rater : str, optional
        Who rates; by default the login name.
    undo : bool
        Take back what this rater said of the response last. With neither rating nor note, tags or
        `undo`, everything that this rater said of it is withdrawn.

    Raises
    ------
    ConfigurationError
        An argument has the wrong type, or the log has no such response.
    LogError
        The log is off or cannot be written.

    Examples
    --------
    ::

        answer = allos.ask("Name a prime number.", model="local/smollm2")
        allos.rate(answer, +1, note="short and right", tags=["maths"])
        allos.responses()[["model", "rating", "note", "rating_tags"]]
    """
    value = _integer(rating)
    _check_text("note", note)
    words = _tags(tags)
    if undo and not (value is None and note is None and words is None):
        raise ConfigurationError("rate(): undo=True takes no rating, note or tags")
    log = _log()
    who = _rater(rater, log)
    response_id = _id_of(response)
    _require([response_id])
    log.add_feedback(
        Rating(
            *(response_id, value, note, _now()),
            rater=who,
            tags=words,
            undo=1 if undo else None,
            id=new_id(),
        )
    )


def ratings() -> pd.DataFrame:
    """What each rater says of each response now, oldest first; undone and withdrawn ones are left out.

    Returns
    -------
    pandas.DataFrame
        `created_at`, `response_id`, `rater`, `rating` (Int64), `note` and `tags` (a JSON array).

    Raises
    ------
    LogError
        The log is off or cannot be read.
    """
    store, _ = open_store()
    with store.snapshot() as snapshot:
        found = by_rater(snapshot.ratings())
    rows = [
        (said.rated_at, response_id, rater, said.rating, said.note, said.tags)
        for (response_id, rater), said in found.items()
    ]
    return _frame(_RATINGS, sorted(rows, key=operator.itemgetter(0)))


def newest_ratings() -> dict[str, int | None]:
    """Newest rating of people, by the id of the response; without those that were withdrawn.

    Raises
    ------
    LogError
        The log is off or cannot be read.
    """
    store, _ = open_store()
    with store.snapshot() as snapshot:
        found = current_ratings(snapshot.ratings())
    return {response_id: said.rating for response_id, said in found.items()}


def vote(
    a: str | ProviderResponse,
    b: str | ProviderResponse,
    winner: Winner,
    *,
    shown_first: Literal["a", "b"] | None = None,
    time_taken_s: float | None = None,
    note: str | None = None,
    tags: Iterable[str] | str | None = None,
    rater: str | None = None,
    names: tuple[str, str] | None = None,
) -> str:
    """Say which of two answers is better; returns when it is committed to the log.

    Parameters
    ----------
    a, b : str or ProviderResponse
        The responses, or their ids.
    winner : {'a', 'b', 'tie', 'bad'}
        ``bad``: both are.
    shown_first : {'a', 'b'}, optional
        Which one was on the left, so that a habit of choosing it can be found.
    time_taken_s : float, optional
        Seconds that the choice took.
    note, tags, rater
        As in `rate`.
    names : tuple of str, optional
        What the two are called in rankings, such as ``("old prompt", "new prompt")``. By default each is its
        model, and two settings of one model are told apart by their parameters and system prompts. Two
        answers of one comparison are always called what its columns are.

    Returns
    -------
    str
        Id of the vote, for `withdraw_vote`.

    Raises
    ------
    ConfigurationError
        An argument is not valid, or the log has no such response.
    LogError
        The log is off or cannot be written.
    """
    for name, value, known in (
        ("winner", winner, get_args(Winner)),
        ("shown_first", shown_first, ("a", "b", None)),
    ):
        if value not in known:
            words = [each for each in known if each is not None]
            raise ConfigurationError(
                f"vote(): {name}= must be one of {', '.join(words)}, got {value!r:.80}."
                f"{did_you_mean(str(value), words)}"
            )
    _check_text("note", note)
    given_tags, given_names = _tags(tags), _names(names)
    log = _log()
    who = _rater(rater, log)
    ids = [_id_of(a), _id_of(b)]
    if ids[0] == ids[1]:
        raise ConfigurationError("vote() needs two different responses")
    rows = _require(ids)
    one, other = rows[ids[0]], rows[ids[1]]
    same = one["comparison_id"] == other["comparison_id"]
    model_a, model_b = given_names or (named_model(one), named_model(other))
    cast = Vote(
        id=new_id(),
        created_at=_now(),
        rater=who,
        prompt=one["prompt"],
        model_a=model_a,
        model_b=model_b,
        response_a=ids[0],
        response_b=ids[1],
        winner=winner,
        shown_first=shown_first,
        time_taken_s=None if time_taken_s is None else _seconds(time_taken_s),
        note=note,
        tags=given_tags,
        comparison_id=one["comparison_id"] if same else None,
    )
    if given_names is None:
        (cast,) = name_sides(open_store()[0], [cast])
    log.add_feedback(cast)
    return cast.id


def _names(names: Any) -> tuple[str, str] | None:
    if names is None:
        return None
    is_pair = isinstance(names, list | tuple) and len(names) == 2
    if not is_pair or not all(isinstance(each, str) and each.strip() for each in names):
        raise ConfigurationError(f"names must be two names, got {names!r:.80}.")
    return names[0], names[1]


def default_rater() -> str | None:
    """Who rates and votes where nobody is named: the login name."""
    return _rater(None, _log())


def withdraw_vote(id: str, *, rater: str | None = None) -> None:
    """Take back a vote, by the id that `vote` returned; the log keeps both rows.

    Parameters
    ----------
    id : str
    rater : str, optional
        Who takes it back; by default the login name.

    Raises
    ------
    ConfigurationError
        The log has no such vote.
    LogError
        The log is off or cannot be written.
    """
    store, _ = open_store()
    with store.snapshot() as snapshot:
        found = [each for each in snapshot.votes() if each.id == id and each.winner]
    if not found:
        raise ConfigurationError(f"the log has no vote {id!r:.80}: allos.votes()['id'] has them")
    log = _log()
    nothing = dict.fromkeys(("prompt", "model_a", "model_b", "response_a", "response_b"))
    log.add_feedback(
        Vote(
            id=new_id(),
            created_at=_now(),
            rater=_rater(rater, log),
            winner=None,
            withdraws=id,
            **nothing,
        )
    )


def votes(*, since: Any = None) -> pd.DataFrame:
    """Votes that stand, oldest first: what `allos.analysis.leaderboard` ranks models by.

    Parameters
    ----------
    since : str, datetime, date or timedelta, optional
        Those cast since then, as in `allos.responses`; by default all.

    Returns
    -------
    pandas.DataFrame
        `created_at`, `rater`, `prompt`, `model_a`, `model_b`, `winner` (``a b tie bad``), `response_a`,
        `response_b`, `shown_first`, `time_taken_s`, `note`, `tags`, `comparison_id` and `id`. Two settings
        of one model have names of their own, such as ``local/smollm2 (temperature 0)``: those of the
        columns of their comparison.

    Raises
    ------
    ConfigurationError
        `since` is no time.
    LogError
        The log is off or cannot be read.
    """
    earliest = build_where({}, now=utc_now(), since=since).since
    found = standing_votes()
    if earliest is not None:
        found = [each for each in found if each.created_at >= earliest]
    return votes_frame(name_sides(open_store()[0], found))


def standing_votes() -> list[Vote]:
    """Votes that were not taken back, oldest first, as they are stored.

    Raises
    ------
    LogError
        The log is off or cannot be read.
    """
    store, _ = open_store()
    with store.snapshot() as snapshot:
        found = list(snapshot.votes())
    withdrawn = {each.withdraws for each in found}
    return [each for each in found if each.winner is not None and each.id not in withdrawn]


def votes_frame(votes: Iterable[Vote]) -> pd.DataFrame:
    """Votes as a frame with the columns of `votes`."""
    pick = operator.attrgetter(*_VOTES)
    return _frame(_VOTES, [pick(each) for each in votes])


def _log() -> Log:
    log: Log = _process.current_session().log
    return log


def _now() -> int:
    return time.time_ns() // 1000


def _frame(kinds: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    from allos.log.frame import typed_frame

    return typed_frame(kinds, rows)


def _integer(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = 2**63
    if not -(2**63) < number < 2**63:
        raise ConfigurationError(f"rating must be an integer, got {value!r:.80}.")
    return number


def _seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigurationError(
            f"time_taken_s must be a number of seconds, got {value!r:.80}."
        ) from None


def _check_text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, got {value!r:.80}.")


def _tags(tags: Any) -> str | None:
    if tags is None:
        return None
    words = [tags] if isinstance(tags, str) else tags
    if not isinstance(words, Iterable) or isinstance(words, bytes | Mapping):
        raise ConfigurationError(f"tags must be a string or a list of strings, got {tags!r:.80}.")
    words = list(dict.fromkeys(words))
    for word in words:
        if not isinstance(word, str):
            raise ConfigurationError(f"tags must be a list of strings, got {word!r:.80}.")
    return to_json_text(words)


def _rater(rater: Any, log: Log) -> str | None:
    if rater is None:
        user: str | None = log.process_facts()["user"]
        return user
    if not isinstance(rater, str) or not 0 < len(rater.strip()) <= _LONGEST_NAME:
        raise ConfigurationError(f"rater must be a name, got {rater!r:.80}.")
    return rater.strip()


def _id_of(response: Any) -> str:
    given = getattr(response, "id", None) if not isinstance(response, str) else response
    if isinstance(given, str) and given:
        return given
    raise ConfigurationError(
        f"response must be a response or its id (a string), got {response!r:.80}."
    )


def known_responses(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Prompt, model and comparison of the responses of the log that have these ids, by id."""
    names = ("id", "prompt", "provider", "model", "comparison_id")
    store, unwritten = open_store()
    if unwritten is not None:
        raise LogError(f"{unwritten}; nothing was rated")
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = tuple(ids[start : start + _IDS_AT_ONCE])
        frame = read(store, names, Where(any_of={"id": some})).astype(object)
        rows: list[Any] = frame.where(frame.notna(), None).to_dict("records")
        found |= {row["id"]: row for row in rows}
    return found


def _require(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """As `known_responses`; each of them must be there."""
    found = known_responses(ids)
    for each in ids:
        if each not in found:
            raise ConfigurationError(
                f"the log has no response {each!r:.80}: allos.responses()['id'] has them"
            )
    return found
