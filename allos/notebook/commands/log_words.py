"""Words of a line that choose rows of the log: a provider, a model, a status, a time, a number."""

from __future__ import annotations

from typing import Any, get_args

from allos.errors import ConfigurationError, did_you_mean
from allos.log import days
from allos.log.filters import build_where, utc_now
from allos.providers.catalog import services
from allos.response import Status

_STATUSES: dict[str, Status] = {
    **{status: status for status in get_args(Status)},
    "failed": "error",
    "errors": "error",
    "stopped": "cancelled",
}


def filters_of(command: str, args: tuple[str, ...]) -> tuple[int | None, dict[str, Any]]:
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


def split_option(
    command: str, option: str, args: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Value of an option such as ``--by``, and the other words; None where it is not given.

    Raises
    ------
    ConfigurationError
        The option has no value, or is given twice.

    Examples
    --------
    >>> split_option("summary", "--by", ("week", "--by", "notebook"))
    ('notebook', ('week',))
    >>> split_option("summary", "--by", ("--by=model,status",))
    ('model,status', ())
    """
    value, others, words = None, [], iter(args)
    for word in words:
        name, equals, given = word.partition("=")
        if name != option:
            others.append(word)
            continue
        if value is not None:
            raise ConfigurationError(f"%allos {command}: {option} is given twice.")
        value = given if equals else next(words, "")
        if not value:
            raise ConfigurationError(f"%allos {command}: {option} needs a value.")
    return value, tuple(others)


def period(word: str) -> str:
    """Words for a time since when: ``this week``, ``in the last 2h``."""
    if word in ("week", "month"):
        return f"this {word}"
    is_age = word[0].isdigit() and word[-1].isalpha()
    if is_age:
        return f"in the last {word}"
    return word if word == "today" else f"since {word}"


def is_time(word: str) -> bool:
    """Whether a word is an age, a day or a date."""
    try:
        build_where({}, now=utc_now(), since=word)
    except ConfigurationError:
        return False
    return True


def _filter(command: str, word: str) -> tuple[str, Any]:
    services.load_installed()
    lower = word.lower()
    if word.isdecimal():
        return "limit", int(word)
    if lower in _STATUSES:
        return "status", _STATUSES[lower]
    if lower in services.names():
        return "provider", services.find(lower).name
    if is_time(lower):
        return "since", lower
    if "/" in word:
        return "model", word
    known = (*days.WORDS, *_STATUSES, *services.names())
    raise ConfigurationError(
        f"%allos {command} does not know {word!r}.{did_you_mean(lower, known)} It takes a provider, "
        'provider/model, a status (ok, failed, stopped), a day ("today", "monday") or an age ("2h")'
        + (", and a number of rows." if command == "log" else ".")
    )
