"""The rules that hide a static output under a live view."""

from __future__ import annotations

from allos.render.live_over_static import rules_html


def test_rules_are_of_one_kind_of_view() -> None:
    """A chart hides no table, and there is nothing to see or to load."""
    html = rules_html("allos-chart")

    assert html.startswith('<div class="allos-chart-rules"><style>')
    assert "allos-table" not in html
    assert "url(" not in html
