"""Where each key was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import plural, records
from allos.render.data_table import DataTable, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("found_in",)

_PLACES = {"process": "this process", "keyring": "the keyring", "colab": "Colab's secrets"}


def table(frame: pd.DataFrame) -> DataTable:
    """Table of the services that have a key; never the keys."""
    rows = [
        [
            TableCell(row["provider"], tone="strong"),
            TableCell(_PLACES.get(row["found_in"], row["found_in"]), tone="quiet"),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title=plural(len(rows), "key")
        if rows
        else "No key was found: %allos key PROVIDER asks for one.",
        heads=("service", "found in"),
        rows=rows,
    )
