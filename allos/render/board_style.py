"""What the board's own style sheet, of its front end, is written upon: colours, and all of an answer."""

from __future__ import annotations

from allos.render.style import CSS, DIRECTION_CSS
from allos.render.tokens import column_colours, declare

_SLOTS = column_colours(".allos-board .c", ".allos-board .s")

BOARD_CSS = f".allos-board{{{declare(text='var(--allos-ink)')}}}{_SLOTS}{CSS}{DIRECTION_CSS}"
"""Text of the style sheet; the board's own comes behind it."""
