"""An Altair chart that knows which rows of a frame its marks stand for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

import pandas as pd

from allos.charts import picture
from allos.charts.lazy_altair import alt
from allos.charts.theme import CONFIG

MARK, ABOUT = "mark", "about"
"""Columns that every chart's data have: the number of the mark, and what it says."""
_NOTE_CHARS = 90
"""In one line of the note."""


@dataclass(slots=True, eq=False)
class Marks:
    """Rows behind the marks of a chart, and the marks that are selected."""

    frame: pd.DataFrame
    rows: Sequence[Sequence[int]]
    """For each mark the positions of its rows in the frame."""
    selected: frozenset[int] = field(default_factory=frozenset)


class _WithRows:
    """What both kinds of charts have; a copy of a chart shares the selection."""

    marks = Marks(pd.DataFrame(), ())

    @property
    def rows(self) -> pd.DataFrame:
        """Rows of the frame behind the marks that are selected; no rows where none is."""
        known = [mark for mark in self.marks.selected if 0 <= mark < len(self.marks.rows)]
        rows = sorted({row for mark in known for row in self.marks.rows[mark]})
        return self.marks.frame.iloc[rows]

    def copy(self, deep: bool | Iterable[Any] = True, ignore: list[str] | None = None) -> Self:
        """Return a copy; see `altair.SchemaBase.copy`."""
        copied: Self = super().copy(deep, ignore)  # type: ignore[misc]  # of the chart beside it
        object.__setattr__(copied, "marks", self.marks)
        return copied

    def page_svg(self) -> str:
        """Picture for a page: in its colours, and each mark with its number."""
        return picture.page_svg(self.to_dict())  # type: ignore[attr-defined]

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return picture.bundle(self.to_dict())  # type: ignore[attr-defined]


@cache
def _classes() -> tuple[type[Any], type[Any]]:
    """Classes of charts; made when first used, since their base classes are slow to import."""

    class Chart(_WithRows, alt.LayerChart):
        """A chart of one panel."""

    class Panels(_WithRows, alt.VConcatChart):
        """A chart of several panels, one below the other."""

    return Chart, Panels


def finish(
    panels: Sequence[Any],
    frame: pd.DataFrame,
    rows: Sequence[Sequence[int]],
    title: str,
    subtitle: str = "",
) -> Any:
    """Chart of these panels, with its colours and fonts.

    Parameters
    ----------
    panels : sequence of altair.LayerChart
        Their data have the columns `MARK` and `ABOUT`.
    frame : pandas.DataFrame
        What `rows` are part of.
    rows : sequence of sequence of int
        For each mark the positions of its rows in the frame.
    title, subtitle : str
        Where the frame says that settings of a model are taken together, that is a second line.
    """
    note = str(frame.attrs.get("mixed_settings", ""))
    lines = [each for each in (subtitle, *textwrap.wrap(note, _NOTE_CHARS)) if each]
    heading = {"text": title, **({"subtitle": lines if note else subtitle} if lines else {})}
    chart_of_one, chart_of_several = _classes()
    made: Any
    if len(panels) == 1:
        made = chart_of_one(layer=panels[0].layer)
        for name in ("data", "width", "height"):
            made[name] = panels[0]._get(name)
    else:
        made = chart_of_several(vconcat=list(panels)).resolve_scale(color="shared")
    made = made.properties(title=heading).configure(**CONFIG)
    object.__setattr__(made, "marks", Marks(frame, rows))
    return made
