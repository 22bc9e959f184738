"""The live comparison board: a widget, and its page's own modules.

`widget` has the anywidget and the thread that sends updates; `allos.runs.board_messages` computes what
has changed since the last one. The page's sources are in ``frontend/``; ``make frontend`` bundles them
into ``static/``.
"""

from allos.notebook.board.widget import make_board

__all__ = ["make_board"]
