"""Colours and fonts of charts: those of the board."""

from __future__ import annotations

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
FIGURE_PX, BESIDE_PX = WIDTH + 16, WIDTH + 80
"""Where the figures of a row stand, and what is said beside them."""
LABEL_PX = 280
"""Longest label of an axis; a longer one ends in an ellipsis."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

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
