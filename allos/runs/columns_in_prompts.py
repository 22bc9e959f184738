"""Whether prompts use the data that was given with them: where none does, every row asks the same."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable

from allos.errors import TemplateError
from allos.runs.grid import Grid, TableRows


def check_columns_in_prompts(grid: Grid) -> None:
    """Warn where no column of the data is in a prompt; the warning names the line that called allos.

    Raises
    ------
    TemplateError
        A column is there in single braces, which are plain text; nothing was sent.
    """
    rows = grid.rows
    if rows is None or grid.names or not len(rows):
        return
    names = [str(name) for name in (rows.names if isinstance(rows, TableRows) else rows[0])]
    name = _in_single_braces(names, grid.texts)
    if name is not None:
        raise TemplateError(
            f"{{{name}}} is plain text: write {{{{ {name} }}}} to put the column in. Nothing was sent."
        )
    if len(rows) > 1:
        example = f"{{{{ {names[0]} }}}}" if names and names[0].isidentifier() else "{{ column }}"
        warnings.warn(
            f"No column of the data is in the prompt, so all {len(rows):,} rows ask the same; "
            f"{example} puts one in.",
            UserWarning,
            stacklevel=_frames_of_allos() + 1,
        )


def _frames_of_allos() -> int:
    """How many frames from the caller up are of this package."""
    frame = sys._getframe(1)
    count = 1
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("allos."):
        frame = frame.f_back
        count += 1
    return count - 1


def _in_single_braces(names: Iterable[str], texts: Iterable[str]) -> str | None:
    """The first of the names that is there as ``{name}``."""
    texts = list(texts)
    for name in names:
        braced = re.compile(r"(?<!\{)\{\s*" + re.escape(name) + r"\s*\}(?!\})")
        if any(braced.search(text) for text in texts):
            return name
    return None
