"""Rows of the log in a saved notebook, and the frame that is read back from them.

An output that shows a response carries its row in the output's metadata, under `KEY`: JSON, never
displayed. Nulls are left out, and values that all rows of an output share are written once. `user` and
`host` stay in the log: notebooks are shared with others.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import _process
from allos.errors import LogError
from allos.log.blocks import INT64_LIMIT
from allos.log.columns import STORED, STORED_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from allos.log.log import Log
    from allos.response import ProviderResponse

KEY = "allos"
"""Key in the metadata of an output."""
VERSION = 1
"""Format of the rows."""
VARIABLE = "ALLOS_NOTEBOOK_ROWS"
"""Environment variable; ``off`` keeps rows out of notebooks."""
PRIVATE_COLUMNS = frozenset({"user", "host"})
"""Columns that are never written to a notebook."""

# JupyterLab reads and writes notebooks in JavaScript, whose numbers are exact up to here.
_MAX_EXACT_INT = 2**53


def rows_metadata(responses: Sequence[ProviderResponse]) -> dict[str, Any]:
    """Metadata of an output that shows these responses.

    Parameters
    ----------
    responses : sequence of ProviderResponse
        What the output shows; one without an `id`, or that is kept out of the log, has no row.

    Returns
    -------
    dict
        ``{"allos": {...}}``, JSON values only; empty when there are no rows.
    """
    from allos.log.rows import row_of

    log: Log = _process.current_session().log
    responses = [each for each in responses if each.id is not None and each.context.logged]
    is_off = log.is_paused or os.environ.get(VARIABLE, "").strip().lower() == "off"
    if is_off or not responses:
        return {}
    facts = log.process_facts()
    rows = [_packed(row_of(response, facts)) for response in responses]
    first = rows[0]
    shared = {
        name: value
        for name, value in first.items()
        if len(rows) > 1 and all(row.get(name) == value for row in rows)
    }
    saved: dict[str, Any] = {"version": VERSION}
    if shared:
        saved["shared"] = shared
    saved["rows"] = [
        {name: value for name, value in row.items() if name not in shared} for row in rows
    ]
    return {KEY: saved}


def _packed(row: tuple[Any, ...]) -> dict[str, Any]:
    from allos.log.clean_values import clean_value

    packed = {}
    for column, original in zip(STORED, row, strict=True):
        if original is None or column.name in PRIVATE_COLUMNS:
            continue
        value = clean_value(original, column.sql_type)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        exact = not isinstance(value, int) or abs(value) <= _MAX_EXACT_INT
        packed[column.name] = value if exact else str(value)
    for name, value in _derived(packed).items():
        if packed.get(name) == value:
            del packed[name]
        else:
            packed.setdefault(name, None)
    return packed


def _derived(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Return `prompt` and `system` where they follow from `messages`."""
    messages = json.loads(row.get("messages") or "[]")
    user = [message["content"] for message in messages if message["role"] == "user"]
    system = [m["content"] for m in messages if m["role"] == "system" and m["content"]]
    derived: dict[str, str | None] = {}
    if user and isinstance(user[-1], str):
        derived["prompt"] = user[-1]
    if system and all(isinstance(content, str) for content in system):
        derived["system"] = "\n\n".join(system)
    return derived


def from_notebook(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Responses that a saved notebook shows, one row each, oldest first. No cell is run.

    The outputs of answers, comparisons and tool runs contain their rows. Outputs that are damaged or
    were not written by allos are skipped, with a warning that says how many.

    Parameters
    ----------
    path : str or path-like
        An ``.ipynb`` file.

    Returns
    -------
    pandas.DataFrame
        Columns and dtypes of `allos.responses`, also without rows. `user`, `host`, `rating` and
        `note` are null: they are stored in the log only.

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
    from allos.log import frame
    from allos.log.blocks import block_from_rows
    from allos.log.columns import FRAME_NAMES

    path = Path(path)
    rows: dict[str, tuple[Any, ...]] = {}
    skipped = 0
    for saved in _saved_rows(_read_cells(path)):
        try:
            found = _rows(saved)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            skipped += 1
            continue
        for row in found:
            rows.setdefault(row[0], row)  # a response may be shown twice
    if skipped:
        warnings.warn(
            f"{str(path)!r}: skipped {skipped} output{'s' if skipped > 1 else ''} whose rows are "
            "damaged or of another version; the rows of all other outputs were read",
            UserWarning,
            stacklevel=2,
        )
    blocks = [block_from_rows(STORED_NAMES, list(rows.values()))]
    order = frame.time_order(blocks)
    columns = {name: frame.column(blocks, name) for name in FRAME_NAMES}
    if order is not None:
        columns = {name: values.take(order) for name, values in columns.items()}
    return frame.responses_frame(columns, len(rows))


def _read_cells(path: Path) -> list[Any]:
    """Cells of a notebook file."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LogError(f"cannot read the notebook {str(path)!r}: {error.strerror}") from error
    except (ValueError, RecursionError):
        notebook = None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise LogError(
            f"{str(path)!r} is not a valid notebook: expected JSON of nbformat 4 with cells. "
            "Pass an .ipynb file that Jupyter has saved"
        )
    return cells


def _saved_rows(cells: Sequence[Any]) -> Iterator[Any]:
    """Metadata of outputs under `KEY`, in the order of the notebook."""
    for cell in cells:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            metadata = output.get("metadata") if isinstance(output, dict) else None
            if isinstance(metadata, dict) and KEY in metadata:
                yield metadata[KEY]


def _rows(saved: Any) -> list[tuple[Any, ...]]:
    """Rows of one output, values in the order of `STORED`; raises where they are not as written."""
    if saved["version"] != VERSION:
        raise ValueError("another version")
    shared = saved.get("shared", {})
    return [_row({**shared, **row}) for row in saved["rows"]]


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
    if (not isinstance(value, str) and number != value) or not -INT64_LIMIT <= number < INT64_LIMIT:
        raise ValueError(value)
    return number
