"""A live view over a static output."""

from __future__ import annotations

from typing import Any

from allos.notebook.live_view import show_over


def test_a_shell_without_a_page_gets_no_live_view(shell: Any) -> None:
    """Nothing is shown, and the widget is not made."""
    assert not show_over(shell, ({"text/plain": "x"}, {}), "allos-chart", lambda: 1 / 0)
