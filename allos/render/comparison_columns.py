"""Columns of a comparison: letter, colour, and the parameters that differ between them.

Shared by the static table, its plain-text version and the live board.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from zlib import crc32

from allos.call_params import differing_labels, shared_labels
from allos.render.comparison_view import ColumnView, ComparisonView, Tint

COLOURS = 10
"""How many colour classes there are, ``allos-c0`` to ``allos-c9``."""
SHADES = 4
"""How many shades of a colour there are, ``allos-shade0`` to ``allos-shade3``."""


def root_class(comparison_id: str) -> str:
    """CSS class by which the live board finds, and hides, the static table of its comparison.

    Examples
    --------
    >>> root_class("cmp_01KAN3")
    'allos-cmp-cmp_01kan3'
    """
    return f"allos-cmp-{re.sub('[^0-9a-z_]', '', comparison_id.lower())}"


def answer_anchor(prefix: str, column: int, row: int) -> str:
    """Id by which a link finds an answer in the static table; the board follows the same links.

    Examples
    --------
    >>> answer_anchor(root_class("cmp_01KAN3"), 1, 2)
    'allos-cmp-cmp_01kan3-b3'
    """
    return f"{prefix}-{key_letter(column).lower()}{row + 1}"


def key_letter(index: int) -> str:
    """Letter of a column, from A; after Z comes AA.

    Examples
    --------
    >>> [key_letter(index) for index in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def colour_slots(names: Sequence[str]) -> list[int]:
    """Colour of each column, 0 to 9. A model has the same colour in every comparison where it is free.

    Parameters
    ----------
    names : sequence of str
        ``provider/model``, column by column. A name added at the end changes no other colour.

    Examples
    --------
    >>> slots = colour_slots(["groq/a", "openai/b", "groq/a"])
    >>> slots[0] == slots[2] != slots[1]
    True
    """
    slots: dict[str, int] = {}
    for name in names:
        if name not in slots:
            used = list(slots.values())
            fewest = min(used.count(slot) for slot in range(COLOURS))
            start = crc32(name.encode("utf-8", "surrogatepass"))
            slots[name] = next(
                slot
                for slot in ((start + step) % COLOURS for step in count())
                if used.count(slot) == fewest
            )
    return [slots[name] for name in names]


def models_in_words(names: Sequence[str]) -> str:
    """How many models stand in how many columns.

    Examples
    --------
    >>> models_in_words(["groq/a", "groq/b"]), models_in_words(["groq/a", "groq/a"])
    ('2 models', '1 model in 2 columns')
    """
    models = len(set(names))
    words = f"{models} model{'' if models == 1 else 's'}"
    return words if models == len(names) else f"{words} in {len(names)} columns"


def shades(names: Sequence[str]) -> list[int]:
    """Shade of each column among those of the same model, 0 to 3: its settings differ.

    Examples
    --------
    >>> shades(["groq/a", "openai/b", "groq/a"])
    [0, 0, 1]
    """
    return [names[:index].count(name) % SHADES for index, name in enumerate(names)]


def shared_params(columns: Sequence[ColumnView]) -> list[str]:
    """Parameters that are the same in all columns, as short labels such as ``temperature 0.2``."""
    return shared_labels([column.params for column in columns])


def common_labels(view: ComparisonView) -> list[str]:
    """What all columns have in common, as short labels: the number of repeats, then parameters."""
    repeats = [f"n = {view.n}"] if view.n > 1 else []
    return repeats + shared_params(view.columns)


def differing_params(columns: Sequence[ColumnView]) -> list[list[str]]:
    """Parameters that are not the same in all columns, as short labels, column by column."""
    return differing_labels([column.params for column in columns])


def column_labels(columns: Sequence[ColumnView]) -> list[list[str]]:
    """What tells columns of one model apart: which run each is of, then its `differing_params`.

    Of a column that is not one model: what its `column_title` is of.
    """
    return [
        [*([column.run] if column.run else []), *labels, *column.values.values()]
        if column.name or not column.values
        else [", ".join(column.values)]
        for column, labels in zip(columns, differing_params(columns), strict=True)
    ]


def column_title(column: ColumnView) -> str:
    """Name of a column: its model, else what its answers have in common.

    Examples
    --------
    >>> column_title(ColumnView(index=0, name="", values={"language": "Thai", "temperature": "0"}))
    'Thai · 0'
    """
    return column.name or " · ".join(column.values.values()) or ("all" if column.tint else "")


def column_heading(column: ColumnView) -> tuple[str, str]:
    """What stands above a column, never blank, and the service of its model.

    Examples
    --------
    >>> column_heading(ColumnView(index=0, name="groq/m"))
    ('m', 'groq')
    >>> column_heading(ColumnView(index=0, name="", values={"language": "Thai"}))
    ('Thai', '')
    """
    if not column.name and (title := column_title(column)):
        return title, ""
    return column.heading


def column_tints(columns: Sequence[ColumnView]) -> list[Tint]:
    """Colour of each column: its own, else its model's."""
    names = [column.name for column in columns]
    return [
        column.tint or Tint(slot, shade)
        for column, slot, shade in zip(columns, colour_slots(names), shades(names), strict=True)
    ]
