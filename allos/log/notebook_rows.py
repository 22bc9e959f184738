"""Rows of the log as a saved notebook carries them, and the frame that comes of them again.

The output of an answer holds its row in the output's metadata, under `KEY`: JSON, never shown. What
is null is left out, and what all rows of an output share is written once. `user` and `host` stay in
the log: a notebook is passed on to others.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.log.columns import STORED, STORED_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from allos.response import ProviderResponse

KEY = "allos"
"""Key of the metadata of an output."""
VERSION = 1
VARIABLE = "ALLOS_NOTEBOOK_ROWS"
"""Environment variable; ``off`` keeps rows out of notebooks."""
PRIVATE_COLUMNS = frozenset({"user", "host"})
"""Columns that stay in the log."""

_INT64 = 2**63
# JupyterLab reads and writes notebooks with JavaScript, whose numbers hold no more.
_EXACT = 2**53


def rows_metadata(responses: Sequence[ProviderResponse]) -> dict[str, Any]:
    """Metadata of an output that shows these responses.

    Parameters
    ----------
    responses : sequence of ProviderResponse
        What the output shows; those without an `id` have no row.

    Returns
    -------
    dict
        ``{"allos": {...}}``, JSON values only; empty when there is nothing to keep.
    """
    from allos.log.provenance import process_facts
    from allos.log.rows import row_of

    responses = [response for response in responses if response.id is not None]
    if not responses or os.environ.get(VARIABLE, "").strip().lower() == "off":
        return {}
    facts = process_facts()
    rows = [_packed(row_of(response, facts)) for response in responses]
    first = rows[0]
    shared = {
        name: value
        for name, value in first.items()
        if len(rows) > 1 and all(row.get(name) == value for row in rows)
    }
    kept: dict[str, Any] = {"version": VERSION}
    if shared:
        kept["shared"] = shared
    kept["rows"] = [
        {name: value for name, value in row.items() if name not in shared} for row in rows
    ]
    return {KEY: kept}


def _packed(row: tuple[Any, ...]) -> dict[str, Any]:
    from allos.log.rows import clean_value

    packed = {}
    for column, given in zip(STORED, row, strict=True):
        if given is None or column.name in PRIVATE_COLUMNS:
            continue
        value = clean_value(given, column.sql_type)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        exact = not isinstance(value, int) or abs(value) <= _EXACT
        packed[column.name] = value if exact else str(value)
    for name, value in _derived(packed).items():
        if packed.get(name) == value:
            del packed[name]
        else:
            packed.setdefault(name, None)
    return packed


def _derived(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Return `prompt` and `system` where `messages` holds them as plain texts."""
    messages = json.loads(row.get("messages") or "[]")
    asked = [message["content"] for message in messages if message["role"] == "user"]
    told = [m["content"] for m in messages if m["role"] == "system" and m["content"]]
    found: dict[str, str | None] = {}
    if asked and isinstance(asked[-1], str):
        found["prompt"] = asked[-1]
    if told and all(isinstance(text, str) for text in told):
        found["system"] = "\n\n".join(told)
    return found


def from_notebook(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Responses that a saved notebook shows, one row each, oldest first. Runs nothing.

    Answers, comparisons and runs with tools carry their rows in the notebook's outputs. Outputs that
    are damaged or come from elsewhere are skipped, and a warning tells how many.

    Parameters
    ----------
    path : str or path-like
        An ``.ipynb`` file.

    Returns
    -------
    pandas.DataFrame
        Columns and dtypes of `allos.responses`, also without rows. `user`, `host`, `rating` and
        `note` are null: they live in the log alone.

    Raises
    ------
    LogError
        The file cannot be read, or is not a notebook.

    Examples
    --------
    >>> import allos
    >>> df = allos.from_notebook("study.ipynb")  # doctest: +SKIP
    >>> df.groupby("model")["cost_usd"].sum()  # doctest: +SKIP
    """
    import pandas as pd

    from allos.log import frame
    from allos.log.columns import NAMES

    path = Path(path)
    rows: dict[str, tuple[Any, ...]] = {}
    skipped = 0
    for kept in _kept(_notebook(path)):
        try:
            found = _rows(kept)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            skipped += 1
            continue
        for row in found:
            rows.setdefault(row[0], row)  # an answer may be shown twice
    if skipped:
        warnings.warn(
            f"{str(path)!r}: skipped {skipped} output{'s' if skipped > 1 else ''} whose rows are "
            "damaged or of another version; the rows of all others are here",
            UserWarning,
            stacklevel=2,
        )
    blocks = [frame.row_block(STORED_NAMES, list(rows.values()))]
    order = frame.time_order(blocks)
    columns = {name: frame.column(blocks, name) for name in NAMES}
    if order is not None:
        columns = {name: values.take(order) for name, values in columns.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)), copy=False)


def _notebook(path: Path) -> list[Any]:
    """Cells of a notebook file."""
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LogError(f"cannot read the notebook {str(path)!r}: {error.strerror}") from error
    except (ValueError, RecursionError):
        book = None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise LogError(
            f"{str(path)!r} is not a notebook (JSON of nbformat 4 with cells). "
            "Name the .ipynb file as Jupyter saved it"
        )
    return cells


def _kept(cells: Sequence[Any]) -> Iterator[Any]:
    """What outputs hold under our key, in the order of the notebook."""
    for cell in cells:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            metadata = output.get("metadata") if isinstance(output, dict) else None
            if isinstance(metadata, dict) and KEY in metadata:
                yield metadata[KEY]


def _rows(kept: Any) -> list[tuple[Any, ...]]:
    """Rows of one output, in the order of `STORED`; an error where anything is not as we wrote it."""
    if kept["version"] != VERSION:
        raise ValueError("another version")
    shared = kept.get("shared", {})
    return [_row({**shared, **row}) for row in kept["rows"]]


def _row(packed: dict[str, Any]) -> tuple[Any, ...]:
    packed = {**_derived(packed), **packed}
    values = tuple(_value(packed.get(column.name), column.sql_type) for column in STORED)
    if not values[0]:
        raise ValueError("no id")
    return values


def _value(value: Any, sql_type: str) -> Any:
    if value is None:
        return None
    if sql_type == "TEXT":
        if not isinstance(value, str):
            raise TypeError(value)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    if sql_type == "REAL":
        if isinstance(value, str) or not math.isfinite(value):
            raise TypeError(value)
        return float(value)
    number = int(value)
    if (not isinstance(value, str) and number != value) or not -_INT64 <= number < _INT64:
        raise ValueError(value)
    return number
