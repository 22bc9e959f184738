"""``%allos log``, ``last``, ``show`` and ``spent``: what is in the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from allos.errors import ConfigurationError, did_you_mean
from allos.log import days
from allos.log.filters import build_where, utc_now
from allos.log.query import responses
from allos.notebook.tables.responses_table import LOG_VIEW
from allos.notebook.tables.values import moment
from allos.providers.catalog import services
from allos.render.logged_rows import records, response_of
from allos.render.plain import shorten
from allos.response import ProviderResponse, Status

if TYPE_CHECKING:
    import pandas as pd

    from allos.notebook.display import Display
    from allos.runs.logged_comparison import LoggedComparison

_DEFAULT_ROWS = 10
_STATUSES: dict[str, Status] = {
    **{status: status for status in get_args(Status)},
    "failed": "error",
    "errors": "error",
    "stopped": "cancelled",
}
_PROMPT_CHARS = 80


def log(args: tuple[str, ...]) -> pd.DataFrame:
    """Return the newest responses, newest first: ten, or as many as a number says.

    Other words are filters: a provider, ``provider/model``, a status, an age or a day.
    """
    limit, filters = _filters("log", args)
    frame = responses(limit=_DEFAULT_ROWS if limit is None else limit, **filters)
    newest = frame.iloc[::-1].reset_index(drop=True)
    newest.attrs["allos_view"] = LOG_VIEW
    newest.attrs["allos_note"] = f"allos.responses() returns all rows. The log is {_place()}."
    return newest


def last(args: tuple[str, ...], display: Display | None) -> ProviderResponse | str:
    """Return the newest response; a text where there is none."""
    frame = responses(limit=1)
    return _shown(frame, display) if len(frame) else "The log is empty."


def show(args: tuple[str, ...], display: Display | None) -> LoggedComparison | ProviderResponse:
    """Return a comparison of the log by its id, or a response by its own.

    Raises
    ------
    ConfigurationError
        No id, or one that is not in the log.
    """
    if len(args) != 1:
        raise ConfigurationError(
            "%allos show needs the id of a comparison (cmp_...) or of a response: "
            "allos.responses()[['id', 'comparison_id']] has them."
        )
    from allos.runs import logged_comparison

    found = logged_comparison.find_response(args[0])
    return logged_comparison.comparison(args[0]) if found is None else _shown(found, display)


def _shown(frame: pd.DataFrame, display: Display | None) -> ProviderResponse:
    """Response of one row; when it is displayed, its footer says when and what was asked."""
    (row,) = records(frame)
    response = response_of(row)
    prompt = " ".join((row["prompt"] or "").split())
    facts = [f'asked "{shorten(prompt, _PROMPT_CHARS)}"'] if prompt else []
    facts += [moment(row["created_at"]).text, row["notebook"] or "", row["id"]]
    if display is not None:
        display.add_logged(response, tuple(filter(None, facts)))
    return response


def spent(args: tuple[str, ...]) -> pd.DataFrame:
    """Return what calls have cost, by provider and model, with the unknown costs counted.

    A day or an age says since when, a provider or model of whom.
    """
    limit, filters = _filters("spent", args)
    if limit is not None:
        raise ConfigurationError(
            "%allos spent takes no number of rows. For a time use an age or a day: %allos spent week."
        )
    columns = ("provider", "model", "status", "replayed", "attempts", "cost_usd")
    frame = responses(columns=(*columns, "input_tokens", "output_tokens"), **filters)
    costs = frame.allos.cost(by=["provider", "model"])
    since = filters.get("since")
    costs.attrs["allos_period"] = "" if since is None else f" {_since(since)}"
    return costs  # type: ignore[no-any-return]  # an accessor has no type


def _since(word: str) -> str:
    if word in ("week", "month"):
        return f"this {word}"
    is_age = word[0].isdigit() and word[-1].isalpha()
    if is_age:
        return f"in the last {word}"
    return word if word == "today" else f"since {word}"


def _is_time(word: str) -> bool:
    """Whether a word is an age, a day or a date."""
    try:
        build_where({}, now=utc_now(), since=word)
    except ConfigurationError:
        return False
    return True


def _filters(command: str, args: tuple[str, ...]) -> tuple[int | None, dict[str, Any]]:
    """Number of rows and filters that the words of a line name.

    Raises
    ------
    ConfigurationError
        A word that is none of them, or two of a kind.
    """
    found: dict[str, Any] = {}
    for word in args:
        name, value = _filter(command, word)
        if name in found:
            raise ConfigurationError(
                f"%allos {command}: {word!r} and {found[name]!r} both set {name}; use one."
            )
        found[name] = value
    return found.pop("limit", None), found


def _filter(command: str, word: str) -> tuple[str, Any]:
    services.load_installed()
    lower = word.lower()
    if word.isdecimal():
        return "limit", int(word)
    if lower in _STATUSES:
        return "status", _STATUSES[lower]
    if lower in services.names():
        return "provider", services.find(lower).name
    if _is_time(lower):
        return "since", lower
    if "/" in word:
        return "model", word
    known = (*days.WORDS, *_STATUSES, *services.names())
    raise ConfigurationError(
        f"%allos {command} does not know {word!r}.{did_you_mean(lower, known)} It takes a provider, "
        'provider/model, a status (ok, failed, stopped), a day ("today", "monday") or an age ("2h")'
        + (", and a number of rows." if command == "log" else ".")
    )


def _place() -> str:
    """File of the log; the user's folder is ``~``, since the table may be saved in a notebook."""
    from allos import log as current

    path = current.path()
    home = Path.home()
    if path is None:
        return "off"
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
