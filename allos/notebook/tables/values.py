"""Values of a frame as the text of a cell; null is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allos.providers.catalog import services
from allos.render import logged_rows
from allos.render.data_table import TableCell
from allos.render.format import money, tokens
from allos.render.plain import shorten

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_CHARS = 80
_HINT_CHARS = 600
# Not strftime's: it would follow the locale, and a saved notebook is read elsewhere.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def records(frame: pd.DataFrame) -> list[Mapping[Any, Any]]:
    """Rows as dicts of plain values, the index under its name; null is None."""
    is_named = any(name is not None for name in frame.index.names)
    return logged_rows.records(frame.reset_index() if is_named else frame)


def excerpt(value: Any, chars: int = _SHOWN_CHARS) -> TableCell:
    """Beginning of a text in one line; more of it is shown on hover."""
    text = " ".join(str(value).split()) if value is not None else ""
    if len(text) <= chars:
        return TableCell(text)
    return TableCell(shorten(text, chars), hint=shorten(str(value), _HINT_CHARS))


def moment(value: datetime | None) -> TableCell:
    """Local time to the minute; the exact time is shown on hover."""
    if value is None:
        return TableCell("")
    here = value.astimezone()
    year = "" if here.year == datetime.now().astimezone().year else f" {here.year}"
    text = f"{here.day} {_MONTHS[here.month - 1]}{year} {here:%H:%M}"
    return TableCell(text, tone="quiet", hint=value.isoformat())


def count(value: Any) -> str:
    """Number with its thousands separated."""
    return "" if value is None else tokens(float(value))


def dollars(value: Any) -> str:
    """Amount in US dollars."""
    return "" if value is None else money(float(value))


def is_free(provider: object) -> bool:
    """Whether a service never costs anything."""
    return any(known.name == provider and known.embedded for known in services.all_services())


def plural(number: int, noun: str) -> str:
    """Return a number and a noun: ``"1 call"``, ``"2 calls"``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
