"""Colours and fonts of charts: those of the board."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allos.render.tokens import SLOT_COLOURS

# Greys that can be read on white and on near-black alike. `picture` knows them again, and gives them the
# colours of the page where it can.
INK = "#70777f"
QUIET = "#757c84"
LINE = "#7b828a"

ACCENT = SLOT_COLOURS[0]
GOOD = SLOT_COLOURS[1]
BAD = SLOT_COLOURS[7]

WIDTH = 440
"""Pixels of the ground of a chart, without what is written beside it."""
FIGURE_PX = WIDTH + 16
"""Where the figures of a row stand."""
_BESIDE_PX = WIDTH + 80
_DIGIT_PX = 8.0
"""Width of a bold character of a figure, about."""
LABEL_PX = 280
"""Longest label of an axis; a longer one ends in an ellipsis."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def beside_px(figures: Iterable[str]) -> float:
    """Where words stand that are said beside these figures.

    Examples
    --------
    >>> beside_px(["89%"]) < beside_px(["89%", "$0.000787"])
    True
    """
    widest = max(map(len, figures), default=0)
    return max(_BESIDE_PX, FIGURE_PX + _DIGIT_PX * widest + 14)


CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET,
        "labelFontSize": 11,
        "labelLimit": LABEL_PX,
        "labelPadding": 6,
        "titleColor": QUIET,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "titleLimit": WIDTH,
        "gridColor": LINE,
        "gridOpacity": 0.22,
        "domain": False,
        "ticks": False,
        "labelOverlap": True,
        "labelSeparation": 6,
        "labelFlush": False,
    },
    "axisBand": {
        "labelOverlap": False,
        "labelColor": INK,
        "labelFontSize": 12,
        "labelPadding": 10,
        "grid": False,
    },
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": LABEL_PX,
        "symbolType": "circle",
        "symbolSize": 70,
        "symbolStrokeWidth": 0,
        "columns": 4,
        "offset": 8,
    },
    "title": {
        "anchor": "start",
        "frame": "group",
        "color": INK,
        "fontSize": 13,
        "fontWeight": 600,
        "limit": 640,
        "subtitleColor": QUIET,
        "subtitleFontSize": 11.5,
        "subtitlePadding": 5,
        "offset": 14,
    },
    "concat": {"spacing": 26},
}
"""Vega-Lite's `config`."""
