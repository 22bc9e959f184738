"""The playground: a widget in which prompts are edited and models chosen, and the boards of its runs below.

`widget` has the anywidget, `page_state` what its page gets, `output` the static version and where all
of it is shown. The page's sources are in the board's ``frontend/``, under ``src/playground/``.
"""

from allos.notebook.playground.output import EditedOutput
from allos.notebook.playground.widget import make_playground

__all__ = ["EditedOutput", "make_playground"]
