"""Several runs of the same prompts: their columns side by side, and what has changed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from allos.render.comparison_view import ColumnView, ComparisonView


def side_by_side(view: ComparisonView) -> ComparisonView:
    """View with the runs of a model next to each other, and how much the answers of each row differ."""
    models: dict[Any, list[ColumnView]] = {}
    for column in view.columns:
        key = (column.name, json.dumps(column.params, sort_keys=True, default=str))
        models.setdefault(key, []).append(column)
    order = [column for of_model in models.values() for column in of_model]
    moved = {column.index: index for index, column in enumerate(order)}
    texts = {(c.column, c.row): c.text for c in reversed(view.cells) if c.state == "ok"}
    pairs = [pair for of_model in models.values() for pair in pairwise(of_model)]
    # Where each run asked another model, or asked differently, that is the change to look at.
    pairs = pairs or list(pairwise(order))
    rows = []
    for row in view.rows:
        changes = [
            word_distance(texts[a.index, row.index], texts[b.index, row.index])
            for a, b in pairs
            if (a.index, row.index) in texts and (b.index, row.index) in texts
        ]
        rows.append(replace(row, change=sum(changes) / len(changes) if changes else None))
    cells = (replace(cell, column=moved[cell.column]) for cell in view.cells)
    return replace(
        view,
        columns=tuple(replace(column, index=index) for index, column in enumerate(order)),
        cells=tuple(sorted(cells, key=lambda c: (c.column, c.row, c.sample_index))),
        rows=tuple(rows),
    )


def word_distance(a: str, b: str) -> float:
    """How much two texts differ: the share of their words that the other one does not have.

    Examples
    --------
    >>> word_distance("a b", "a c"), word_distance("", "")
    (0.5, 0.0)
    """
    words_a, words_b = Counter(a.split()), Counter(b.split())
    most = max(words_a.total(), words_b.total())
    return 1 - (words_a & words_b).total() / most if most else 0.0
