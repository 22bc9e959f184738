"""``%allos log``, ``last``, ``show`` and ``spent``: what is in the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from allos import log as current
from allos.errors import ConfigurationError
from allos.log.query import responses
from allos.log.text_search import search
from allos.notebook.commands.log_words import filters_of, period, split_option
from allos.notebook.tables.responses_table import LOG_VIEW
from allos.notebook.tables.values import moment
from allos.render.logged_rows import records, response_of
from allos.render.plain import shorten
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

    from allos.notebook.display import Display
    from allos.runs.logged_comparison import LoggedComparison

_DEFAULT_ROWS = 10
_PROMPT_CHARS = 80


def log(args: tuple[str, ...]) -> pd.DataFrame | str:
    """Return the newest responses, newest first: ten, or as many as a number says.

    Other words are filters: a provider, ``provider/model``, a status, an age or a day. ``--grep WORDS``
    returns those that have the words, the best match first. ``off`` and ``on`` stop and start logging.
    """
    if args in (("off",), ("on",)):
        return _switch(args[0])
    words, others = split_option("log", "--grep", args)
    limit, filters = filters_of("log", others)
    rows = _DEFAULT_ROWS if limit is None else limit
    if words is not None:
        return search(words, limit=rows, **filters)
    frame: pd.DataFrame = responses(limit=rows, **filters)
    newest = frame.iloc[::-1].reset_index(drop=True)
    newest.attrs["allos_view"] = LOG_VIEW
    paused = " New calls are not logged: %allos log on." if current.is_paused() else ""
    newest.attrs["allos_note"] = (
        f"allos.responses() returns all rows. The log is {_place()}.{paused}"
    )
    return newest


def _switch(word: str) -> str:
    if word == "off":
        current.off()
        return "Calls are not logged in this session until %allos log on. What is in the log stays."
    current.on()
    current.open()
    if not current.is_open():
        return "The log is off (ALLOS_LOG or the setting log): allos.log.open(PATH) opens one."
    return f"Calls are logged again. The log is {_place()}."


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
    limit, filters = filters_of("spent", args)
    if limit is not None:
        raise ConfigurationError(
            "%allos spent takes no number of rows. For a time use an age or a day: %allos spent week."
        )
    columns = ("provider", "model", "status", "replayed", "attempts", "cost_usd")
    frame = responses(columns=(*columns, "input_tokens", "output_tokens"), **filters)
    costs = frame.allos.cost(by=["provider", "model"])
    since = filters.get("since")
    costs.attrs["allos_period"] = "" if since is None else f" {period(since)}"
    return costs  # type: ignore[no-any-return]  # an accessor has no type


def _place() -> str:
    """File of the log; the user's folder is ``~``, since the table may be saved in a notebook."""
    info = current.info()
    path, home = info.path, Path.home()
    if path is None:
        return "off" if info.location is None else f"in the database {info.location}"
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
