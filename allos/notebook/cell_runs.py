"""Background runs of a cell: running the cell again stops what it had started."""

from __future__ import annotations

import weakref
from typing import Any

from allos import context


class CellRuns:
    """Keeps the runs of each cell; a session calls it for every new background run."""

    def __init__(self) -> None:
        self._by_cell: dict[str, tuple[int | None, list[weakref.ref[Any]]]] = {}
        """By cell id: the execution count, and the runs of that execution."""

    def __call__(self, run: Any) -> None:
        """Stop the runs of the cell's earlier execution, and keep the new run."""
        origin = context.current()
        if origin.cell_id is None:
            return
        execution_count, runs = self._by_cell.get(origin.cell_id, (None, []))
        if execution_count != origin.execution_count:
            for reference in runs:
                earlier = reference()
                if earlier is not None and earlier is not run:  # a batch goes on as it is
                    earlier.cancel()
            runs = []
        self._by_cell[origin.cell_id] = (origin.execution_count, [*runs, weakref.ref(run)])
