"""The rule that breaks lines of an error at words."""

from __future__ import annotations

from allos.render.error_rule import error_rule_html


def test_it_holds_for_the_next_output_alone_and_loads_nothing() -> None:
    """Errors of others stay as their page shows them."""
    alone, below = (error_rule_html(is_alone=each) for each in (True, False))

    for html in (alone, below):
        assert "+.jp-OutputArea-child pre{word-break:normal" in html
        assert "url(" not in html
    assert "display:none" in alone
    assert ".allos-error-rule)" not in alone
    assert "display" not in below
