"""A live view over a static output, as a comparison's board is over its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allos.notebook.front_end import is_colab, is_interactive
from allos.notebook.mime_bundles import Bundle
from allos.render.live_over_static import rules_html


def show_over(shell: Any, static: Bundle, name: str, make: Callable[[], Any]) -> bool:
    """Show a static output and the live view; False, and nothing, where nobody could use that.

    Parameters
    ----------
    shell : InteractiveShell
    static : tuple of dict
        Data by MIME type and metadata; what a saved notebook shows.
    name : str
        Class of the live view's element.
    make : callable
        Makes the widget.
    """
    if not is_interactive(shell) or is_colab():
        return False
    shell.display_pub.publish({"text/html": rules_html(name), "text/plain": ""})
    shell.display_pub.publish(*static)
    data, metadata = shell.display_formatter.format(make())
    if data:  # a widget of ipywidgets 7 has shown itself
        data["text/plain"] = (
            ""  # what pages without widgets show: below the other it would be noise
        )
        shell.display_pub.publish(data, metadata)
    return True
