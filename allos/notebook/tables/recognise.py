"""Which frames are shown as a table of allos: its own ones, and parts of them.

The frame itself stays a plain `pandas.DataFrame`: it is known by its columns, so that a part of its rows,
sorted or filtered, looks the same. The frame of a batch, where the columns of the data are first, and a part of
the columns, which may have any names, are known by a mark that pandas keeps, ``frame.attrs["allos_rows"]``;
frames whose columns depend on a service or a call (models) by ``frame.attrs["allos_view"]``, and results of
`allos.analysis` by their class.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import pandas as pd

    from allos.analysis.results import ResultFrame
    from allos.render.data_table import DataTable


class TableModule(Protocol):
    """A module that shows one kind of frame."""

    COLUMNS: tuple[str, ...]
    """Columns of the frame, in order; others may follow."""

    def table(self, frame: pd.DataFrame) -> DataTable:
        """Table that shows a frame with these columns."""


_MODULES = {
    "created_at": ("responses_table", "search_table"),
    "calls": ("costs_table",),
    "ready": ("services_table",),
    "value": ("settings_table",),
    "turns": ("chats_table",),
    "found_in": ("keys_table",),
    "stopped": ("stopped_table",),
    "batch_id": ("batches_table",),
}
"""By the first column: modules of this package, imported for the first such frame."""


def table_of(frame: pd.DataFrame) -> DataTable | None:
    """Table that shows a frame; None for a frame that is not one of allos.

    Parameters
    ----------
    frame : pandas.DataFrame
    """
    result_of = getattr(frame, "result_of", None) if type(frame).__name__ == "ResultFrame" else None
    if isinstance(result_of, str):
        from allos.notebook.tables import results_table

        return results_table.table(cast("ResultFrame", frame))
    columns = tuple(frame.columns)
    if frame.attrs.get("allos_view") == "models" and "model" in columns:
        from allos.notebook.tables import models_table

        return models_table.table(frame)
    first = columns[0] if columns and isinstance(columns[0], str) else ""
    for name in _MODULES.get(first, ()):
        module: Any = importlib.import_module(f"allos.notebook.tables.{name}")
        shown: TableModule = module
        if columns[: len(shown.COLUMNS)] == shown.COLUMNS:
            return shown.table(frame)
    if frame.attrs.get("allos_rows") != "responses":
        return None
    from allos.notebook.tables import responses_table

    if responses_table.has_all_columns(frame):
        return responses_table.table(frame)
    return responses_table.part_table(frame) if responses_table.is_part(frame) else None
