"""`allos.import_votes`: votes that colleagues have cast in an exported page."""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from allos import _process
from allos.errors import ConfigurationError, LogError
from allos.log.feedback import Winner, known_responses, votes_frame
from allos.log.json_text import to_json_text
from allos.log.query import open_store
from allos.log.store.protocol import Vote
from allos.log.vote_names import name_sides, named_model
from allos.log.vote_signature import is_signed
from allos.raters import JUDGE

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 5_000_000
MAX_VOTES = 10_000
MAX_NOTE_CHARS = 10_000
MAX_NAME_CHARS = 200
MAX_TAGS = 50

_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_MAX_SECONDS = 1e6
_EARLIEST = 1_577_836_800_000_000
"""2020-01-01, in microseconds since 1970."""
_SHOWN = 3


def import_votes(votes: str | Path, *, rater: str | None = None) -> pd.DataFrame:
    """Add the votes of an exported page to the log; those that it has already are not added again.

    Parameters
    ----------
    votes : str or pathlib.Path
        The file that the page has saved, or its text.
    rater : str, optional
        Who voted; by default the name that was typed in the page.

    Returns
    -------
    pandas.DataFrame
        The votes that are new, with the columns of `allos.votes`.

    Raises
    ------
    ConfigurationError
        The file cannot be read, is too large, or no file of votes; or it was not signed by a page of this
        log, or was changed since. Nothing is added.
    LogError
        The log is off or cannot be written.

    Notes
    -----
    A vote on an answer that the log does not have is left out, with a warning that says so. The signature
    proves that the votes come from a page of this log, and that nobody without the page has changed them;
    it does not prove who voted.

    Examples
    --------
    ::

        both.to_html("study.html", blind=True)  # send it to Ann, who sends back her votes
        allos.import_votes("votes-ann.json")
        allos.analysis.leaderboard(allos.votes())
    """
    file = _parsed(_text(votes), "a file of votes")
    page, body, found = (_string(file, name) for name in ("page", "body", "signature"))
    log = _process.current_session().log
    path = log.open().path
    if path is None:
        raise LogError("the log is off, so no vote can be imported: call allos.log.open(path)")
    if not is_signed(path, page, body, found):
        raise ConfigurationError(
            "import_votes(): these votes are not of a page that this log has written, or were changed "
            "since. Open the log that the page was exported from: allos.log.open(path)."
        )
    cast = _cast(_parsed(body, "votes"), rater)
    store, _ = open_store()
    with store.snapshot() as snapshot:
        present = {each.id for each in snapshot.votes()}
    new = [each for each in cast if each.id not in present]
    named = {id for each in new for id in (each.response_a, each.response_b) if id is not None}
    known = known_responses(sorted(named))
    _warn_of(sorted(named - known.keys()))
    complete = [
        _with_facts(each, known)
        for each in new
        if {each.response_a, each.response_b} <= {None, *known}
    ]
    added = name_sides(store, complete)
    log.add_feedback(*added)
    undone = {each.withdraws for each in added}
    return votes_frame(
        [each for each in added if each.winner is not None and each.id not in undone]
    )


def _text(votes: Any) -> str:
    if isinstance(votes, str) and votes.lstrip()[:1] == "{":
        if len(votes) > MAX_BYTES:
            raise ConfigurationError(
                f"import_votes(): more than {MAX_BYTES:,} characters of votes."
            )
        return votes
    if not isinstance(votes, str | Path) or not str(votes).strip():
        raise ConfigurationError(
            f"import_votes() needs the file that a page has saved, or its text; got {votes!r:.80}."
        )
    path = Path(votes).expanduser()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or exc
        raise ConfigurationError(
            f"import_votes(): {str(path)!r:.200} was not read: {why}."
        ) from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(
            f"import_votes(): {path.name!r:.200} has more than {MAX_BYTES:,} bytes."
        )
    return data.decode("utf-8-sig", errors="replace")


def _parsed(text: str, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or (what == "a file of votes" and "allos_votes" not in found):
        raise ConfigurationError(f"import_votes(): this is not {what} of an exported page.")
    return found


def _string(values: Mapping[str, Any], name: str, most: int = MAX_BYTES) -> str:
    value = values.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise ConfigurationError(f"import_votes(): the file has no valid {name}.")
    return value


def _cast(body: Mapping[str, Any], rater: str | None) -> list[Vote]:
    """The votes of a file, without what the log knows of their answers."""
    who = rater if rater is not None else body.get("rater")
    is_name = isinstance(who, str) and 0 < len(who.strip()) <= MAX_NAME_CHARS
    if not is_name or not isinstance(who, str) or who.startswith(JUDGE):
        raise ConfigurationError(
            f"import_votes(): {who!r:.80} is not the name of a person: give one, rater='Ann'."
        )
    given = body.get("votes")
    if not isinstance(given, list) or len(given) > MAX_VOTES:
        raise ConfigurationError(f"import_votes(): expected a list of at most {MAX_VOTES:,} votes.")
    cast: dict[str, Vote] = {}
    for number, each in enumerate(given, 1):
        try:
            vote = _vote(each, who.strip())
        except (TypeError, ValueError, KeyError, OverflowError) as exc:
            raise ConfigurationError(
                f"import_votes(): vote {number} is not valid: {exc}."
            ) from None
        if vote.withdraws is not None and vote.withdraws not in cast:
            raise ConfigurationError(
                f"import_votes(): vote {number} takes back a vote that is not in the file."
            )
        cast.setdefault(vote.id, vote)
    return list(cast.values())


def _vote(given: Mapping[str, Any], who: str) -> Vote:
    now = time.time_ns() // 1000
    at = int(given["cast_at"]) * 1000
    withdraws = given.get("withdraws")
    winner = None if withdraws else given["winner"]
    a, b = (None, None) if withdraws else (_id(given["a"]), _id(given["b"]))
    if winner is not None and (winner not in get_args(Winner) or a == b):
        raise ValueError("it names no winner of two answers")
    note, tags = given.get("note"), given.get("tags")
    return Vote(
        id=_id(given["id"]),
        # A clock that is wrong is not believed.
        created_at=at if _EARLIEST <= at <= now else now,
        rater=who,
        prompt=None,
        model_a=None,
        model_b=None,
        response_a=a,
        response_b=b,
        winner=winner,
        shown_first=given["shown_first"] if given.get("shown_first") in ("a", "b") else None,
        time_taken_s=_duration(given.get("time_taken_s")),
        note=note[:MAX_NOTE_CHARS] if isinstance(note, str) and note else None,
        tags=to_json_text([str(tag)[:MAX_NAME_CHARS] for tag in tags[:MAX_TAGS]])
        if isinstance(tags, list) and tags
        else None,
        withdraws=_id(withdraws) if withdraws else None,
    )


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(f"{value!r:.80} is not an id")
    return value


def _duration(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _MAX_SECONDS else None


def _with_facts(vote: Vote, known: Mapping[str, Mapping[str, Any]]) -> Vote:
    """The vote with the prompt and the models of its answers, as the log has them."""
    if vote.response_a is None or vote.response_b is None:
        return vote
    one, other = known[vote.response_a], known[vote.response_b]
    same = one["comparison_id"] == other["comparison_id"]
    return vote._replace(
        prompt=one["prompt"],
        model_a=named_model(one),
        model_b=named_model(other),
        comparison_id=one["comparison_id"] if same else None,
    )


def _warn_of(unknown: Sequence[str]) -> None:
    if unknown:
        some = ", ".join(unknown[:_SHOWN]) + (" …" if len(unknown) > _SHOWN else "")
        warnings.warn(
            f"import_votes(): votes on {len(unknown)} answers that this log does not have were left out: {some}",
            UserWarning,
            stacklevel=3,
        )
