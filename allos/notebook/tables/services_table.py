"""Services: which are ready, which key each needs and where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos.notebook.tables.values import plural, records
from allos.render.data_table import DataTable, TableCell
from allos.render.plain import shorten

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("ready", "key", "key_set", "key_page", "api", "base_url", "note")

NOT_INSTALLED = "not installed: "
"""How the note of the embedded model begins where it cannot run; a command follows."""

_URL_CHARS = 44


def table(frame: pd.DataFrame) -> DataTable:
    """Table of services, in the order of the frame."""
    listed = records(frame)
    rows = [
        [
            TableCell(
                row["provider"],
                tone="strong" if row["ready"] else "plain",
                hint=f"{row['note']}." if row["note"] else "",
            ),
            _key(row),
            _page(row["key_page"]),
            _base_url(row),
        ]
        for row in listed
    ]
    ready = int(frame["ready"].sum())
    return DataTable(
        title=f"{plural(len(rows), 'service')}, {ready} ready",
        heads=("service", "key", "get a key", "base URL"),
        short=frozenset({"service"}),
        rows=rows,
        note=" ".join(
            [
                *(f"{row['provider']} is {row['note']}." for row in listed if _is_missing(row)),
                "%allos key SERVICE asks for a key, %allos models SERVICE lists its models, "
                "%allos providers WORD searches.",
            ]
        ),
    )


def _key(row: Mapping[str, Any]) -> TableCell:
    if row["key"] is None:
        return TableCell("not installed" if _is_missing(row) else "no key needed", tone="quiet")
    first, *others = row["key"].split(" or ")
    hint = f"or {' or '.join(others)}" if others else ""
    if row["key_set"]:
        return TableCell(f"✓ {first}", hint=f"set: {row['key']}")
    return TableCell(first, tone="quiet", hint=hint)


def _page(url: str | None) -> TableCell:
    if not url:
        return TableCell("")
    host, _, path = _without_scheme(url).partition("/")
    return TableCell(host.removeprefix("www."), url=url, hint=f"{host}/{path}" if path else "")


def _is_missing(row: Mapping[str, Any]) -> bool:
    return str(row["note"] or "").startswith(NOT_INSTALLED)


def _base_url(row: Mapping[str, Any]) -> TableCell:
    url = row["base_url"] or ""
    hint = f"{url} ({row['api']})" if url else row["api"]
    return TableCell(shorten(_without_scheme(url), _URL_CHARS), tone="quiet", hint=hint)


def _without_scheme(url: str) -> str:
    return url.removeprefix("https://").removeprefix("http://")
