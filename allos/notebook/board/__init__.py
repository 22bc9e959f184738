"""The live comparison board: a widget, what it tells the page, and the page's own modules.

`widget` holds the anywidget and the thread that feeds it, `updates` works out what the page does not
know yet. The page's sources lie in ``frontend/``; ``make frontend`` bundles them into ``static/``.
"""

from allos.notebook.board.widget import make_board

__all__ = ["make_board"]
