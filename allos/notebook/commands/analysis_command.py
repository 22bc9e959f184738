"""``%allos summary``, ``cost``, ``search`` and ``rank``: the log's answers to frequent questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos import analysis
from allos.analysis.model_settings import MIXED_SETTINGS, SETTING
from allos.call_params import PARAM_COLUMNS
from allos.errors import ConfigurationError
from allos.log.columns import NAMES
from allos.log.feedback import votes
from allos.log.query import responses
from allos.log.text_search import search as search_log
from allos.notebook.commands.log_words import filters_of, is_time, period, split_option
from allos.notebook.tables.values import plural
from allos.raters import find_rater, is_judge
from allos.runs.frame_accessor import Cost

if TYPE_CHECKING:
    import pandas as pd

_SUMMARY = (
    *("prompt", "status", "latency_s", "time_to_first_token_s", "tokens_per_second"),
    *("input_tokens", "output_tokens", "cost_usd", "replayed", "attempts"),
)
_COST = (
    *("status", "replayed", "attempts", "finish_reason", "cost_usd", "input_cost_usd"),
    *("output_cost_usd", "input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens"),
)
_SETTINGS = ("provider", "model", *PARAM_COLUMNS, "params", "comparison_id", "run_id")
_BY = ["provider", "model"]
_NAMED = 3
"""So many raters are named; of more, their number is said."""


def summary(args: tuple[str, ...]) -> pd.DataFrame:
    """Return what calls were like, by provider and model or by the columns of ``--by``."""
    by, frame, when = _chosen("summary", args, _SUMMARY)
    found = analysis.summary(frame, by)
    return _marked(found, f"{plural(len(frame), 'call')}{when}", _settings_note(found))


def cost(args: tuple[str, ...]) -> pd.DataFrame:
    """Return what calls cost and why, by provider and model or by the columns of ``--by``."""
    by, frame, when = _chosen("cost", args, _COST)
    total: Cost = frame.allos.cost()
    found = analysis.cost_report(frame, by)
    shown = "Unknown cost" if total.usd is None else str(total)
    title = f"{shown} for {plural(len(frame), 'call')}{when}"
    return _marked(found, title, _settings_note(found))


def search(args: tuple[str, ...]) -> pd.DataFrame:
    """Return the responses whose prompt or content has all the words, the best match first.

    Raises
    ------
    ConfigurationError
        No words.
    """
    if not args:
        raise ConfigurationError(
            "%allos search needs words to look for: %allos search trampoline. Filters go with "
            "%allos log --grep."
        )
    return search_log(" ".join(f'"{word}"' if " " in word else word for word in args))


def rank(args: tuple[str, ...]) -> pd.DataFrame | str:
    """Return the models ranked by people's votes, or by one rater's, of all times or since a day.

    A text without votes. The title says whose votes count, the note whose do not.

    Raises
    ------
    ConfigurationError
        A word that is not a day, an age or a rater.
    """
    times = [word for word in args if is_time(word)]
    raters = [word for word in args if not is_time(word)]
    cast = votes(since=times[0] if times else None)
    if len(times) > 1 or len(raters) > 1:
        raise _unknown_words(args)
    when = f" {period(times[0])}" if times else ""
    by_judge = cast["rater"].map(is_judge).astype(bool)
    judges = sorted(set(cast["rater"][by_judge]))
    if raters:
        try:
            rater = find_rater(raters[0], cast["rater"])
        except ConfigurationError as exc:
            raise _unknown_words(args, f"{exc} ") from None
        counted, note = cast[cast["rater"] == rater], ""
    else:
        counted, note = cast[~by_judge], _left_out(int(by_judge.sum()), judges)
    if not len(counted):
        how = (
            "Vote on the board of two models (its button Vote, or v), or with allos.vote(a, b, 'a'): the first "
            "of two answers is better."
        )
        return " ".join(filter(None, [f"No votes{when}. {how}", note]))
    title = f"{plural(len(counted), 'vote')}{when}, {_whose(counted)}"
    if (counted["model_a"] == counted["model_b"]).all():
        return f"{title}, all between answers of one setting, which rank nothing."
    ranked = analysis.leaderboard(counted)
    notes = [
        each
        for each in ranked.attrs.get("notes", ())
        if not each.startswith("No person has voted")  # the title says whose they are
    ]
    return _marked(ranked, title, " ".join(filter(None, [note, *notes])))


def _unknown_words(args: tuple[str, ...], why: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"%allos rank does not know {' '.join(args)!r}. {why}It takes a day or an age since which votes "
        'count ("today", "monday", "7d"), a rater such as judge:PROVIDER/MODEL, or nothing.'
    )


def _whose(cast: pd.DataFrame) -> str:
    """Whose votes these are: a few names, or how many people."""
    names = sorted({str(rater) for rater in cast["rater"].dropna()})
    if 0 < len(names) <= _NAMED:
        return f"by {', '.join(names)}"
    return f"by {len(names):,} people" if names else "by people unknown"


def _left_out(count: int, judges: list[str]) -> str:
    if not judges:
        return ""
    were = "vote of a judge does" if count == 1 else "votes of judges do"
    ways = " or ".join(f"%allos rank {name}" for name in judges[:_NAMED])
    return f"{count:,} {were} not count with those of people: {ways} ranks by these alone."


def _chosen(
    command: str, args: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[list[str], pd.DataFrame, str]:
    """Columns to group by, the rows that a line's words name, and since when they are."""
    by, words = split_option(command, "--by", args)
    names = _BY if by is None else [name.strip() for name in by.split(",") if name.strip()]
    limit, filters = filters_of(command, words)
    if limit is not None:
        raise ConfigurationError(
            f"%allos {command} takes no number of rows. For a time use an age or a day: "
            f"%allos {command} week."
        )
    stored = [name for name in names if name != SETTING]
    frame = responses(columns=list(dict.fromkeys([*stored, *columns, *_SETTINGS])), **filters)
    since: Any = filters.get("since")
    return names, frame, "" if since is None else f" {period(since)}"


def _marked(frame: pd.DataFrame, title: str, note: str = "") -> pd.DataFrame:
    """Result whose table has this title and note."""
    frame.attrs.update(allos_title=title, allos_note=note)
    return frame


def _settings_note(result: pd.DataFrame) -> str:
    """Which settings of a model are taken together, in the words of a line."""
    note = str(result.attrs.get(MIXED_SETTINGS, ""))
    return note.replace('by="setting"', "--by setting")


def columns() -> list[str]:
    """Columns that ``--by`` may name."""
    return [SETTING, *NAMES]
