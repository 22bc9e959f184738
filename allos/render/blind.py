"""A comparison without what tells its models apart: for people who vote on its answers."""

from __future__ import annotations

import random
from dataclasses import replace

from allos.render.comparison_view import CellView, ColumnView, ComparisonView
from allos.response import ProviderResponse

HIDDEN = "name hidden"
"""Stands in place of each model."""


def blind_view(view: ComparisonView) -> ComparisonView:
    """Answers alone: names, settings, numbers and errors are left out, each prompt has an order of its own.

    Parameters
    ----------
    view : ComparisonView

    Returns
    -------
    ComparisonView
        The same for the same comparison. While calls run no text is shown: how fast it comes tells models
        apart.
    """
    indexes = [column.index for column in view.columns]
    rows = max((cell.row for cell in view.cells), default=0) + 1
    orders = [_order(view.id, row, indexes) for row in range(rows)]
    is_over = all(cell.response is not None for cell in view.cells)
    cells = [
        _blind_cell(cell, orders[cell.row][cell.column], is_over=is_over) for cell in view.cells
    ]
    cells.sort(key=lambda cell: (cell.column, cell.row, cell.sample_index))
    return replace(
        view,
        columns=tuple(ColumnView(index=index, name=HIDDEN) for index in indexes),
        cells=tuple(cells),
    )


def _order(id: str, row: int, columns: list[int]) -> dict[int, int]:
    """Where each column's answers to one prompt stand."""
    shuffled = list(columns)
    random.Random(f"{id} {row}").shuffle(shuffled)
    return dict(zip(columns, shuffled, strict=True))


def _blind_cell(cell: CellView, column: int, *, is_over: bool) -> CellView:
    response = cell.response
    if not is_over or response is None:
        return CellView(column=column, row=cell.row, sample_index=cell.sample_index)
    text = response.content if response.ok else ""
    return CellView(
        column=column,
        row=cell.row,
        sample_index=cell.sample_index,
        state=cell.state if response.ok else "cancelled",
        text=text,
        response=ProviderResponse(text, metadata={"status": "ok" if response.ok else "cancelled"}),
    )
