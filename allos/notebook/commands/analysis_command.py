"""``%allos summary``, ``cost``, ``search`` and ``rank``: the log's answers to frequent questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos import analysis
from allos.errors import ConfigurationError
from allos.log.columns import NAMES
from allos.log.feedback import votes
from allos.log.query import responses
from allos.log.text_search import search as search_log
from allos.notebook.commands.log_words import filters_of, is_time, period, split_option
from allos.notebook.tables.values import plural
from allos.raters import is_judge
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
_BY = ["provider", "model"]


def summary(args: tuple[str, ...]) -> pd.DataFrame:
    """Return what calls were like, by provider and model or by the columns of ``--by``."""
    by, frame, when = _chosen("summary", args, _SUMMARY)
    return _marked(analysis.summary(frame, by), f"{plural(len(frame), 'call')}{when}")


def cost(args: tuple[str, ...]) -> pd.DataFrame:
    """Return what calls cost and why, by provider and model or by the columns of ``--by``."""
    by, frame, when = _chosen("cost", args, _COST)
    total: Cost = frame.allos.cost()
    return _marked(
        analysis.cost_report(frame, by), f"{total} for {plural(len(frame), 'call')}{when}"
    )


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
    """Return the models ranked by people's votes, of all times or since a day; a text without votes.

    Raises
    ------
    ConfigurationError
        A word that is not a day or an age.
    """
    if len(args) > 1 or (args and not is_time(args[0])):
        raise ConfigurationError(
            f"%allos rank does not know {' '.join(args)!r}. It takes a day or an age since which votes "
            'count ("today", "monday", "7d"), or nothing.'
        )
    cast = votes(since=args[0] if args else None)
    cast = cast[~cast["rater"].map(is_judge).astype(bool)]
    when = f" {period(args[0])}" if args else ""
    if not len(cast):
        return (
            f"No votes{when}. Vote on the board of two models (its button Vote, or v), or with "
            "allos.vote(a, b, 'a'): the first of two answers is better."
        )
    if (cast["model_a"] == cast["model_b"]).all():
        return (
            f"{plural(len(cast), 'vote')}{when}, all between two answers of one model: these rank no models. "
            f"Its settings are ranked on the board, and by {_newest_comparison(cast)}.winner()."
        )
    ranked = analysis.leaderboard(cast)
    return _marked(
        ranked, f"{plural(len(cast), 'vote')}{when}", " ".join(ranked.attrs.get("notes", ()))
    )


def _newest_comparison(cast: pd.DataFrame) -> str:
    """Expression for the newest comparison with a vote."""
    ids = [each for each in cast["comparison_id"].dropna() if each.startswith("cmp_")]
    return f"allos.comparison({ids[-1] if ids else 'cmp_...'!r})"


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
    frame = responses(columns=list(dict.fromkeys([*names, *columns])), **filters)
    since: Any = filters.get("since")
    return names, frame, "" if since is None else f" {period(since)}"


def _marked(frame: pd.DataFrame, title: str, note: str = "") -> pd.DataFrame:
    """Result whose table has this title and note."""
    frame.attrs.update(allos_title=title, allos_note=note)
    return frame


def columns() -> list[str]:
    """Columns that ``--by`` may name."""
    return [*NAMES]
