"""Plain text whose lines break at words in JupyterLab, which breaks them anywhere."""

from __future__ import annotations

from typing import Any

from allos.notebook.front_end import is_colab, is_interactive
from allos.render.error_rule import error_rule_html


def break_at_words(shell: Any) -> None:
    """Let the lines of the cell's next output break at words, where a page shows it.

    Parameters
    ----------
    shell : InteractiveShell
    """
    if is_interactive(shell) and not is_colab():
        rule = error_rule_html(is_alone=True)
        shell.display_pub.publish({"text/html": rule, "text/plain": ""})
