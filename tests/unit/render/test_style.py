"""The style sheet."""

from __future__ import annotations

import re

from allos.render.highlight import TOKEN_CLASSES
from allos.render.style import CSS, LIVE_STYLE, STYLE


def test_every_rule_is_scoped_to_our_classes() -> None:
    """No rule reaches beyond our own output."""
    selectors, depth = [], 0
    for text, brace in re.findall(r"([^{};]*)([{}])", CSS):
        if brace == "{":
            selectors.extend((depth, part.strip()) for part in text.split(","))
        depth += 1 if brace == "{" else -1

    assert depth == 0
    assert {name for level, name in selectors if level == 0} == {
        ".allos-out.allos-out.allos-out",
        ".allos-md.allos-md.allos-md",
    }
    assert all(name[:2] in {"& ", "&>"} for level, name in selectors if level == 1)
    assert {level for level, _ in selectors} == {0, 1}


def test_it_loads_nothing_and_is_small() -> None:
    """No address and no import; it stands in every answer of a notebook."""
    assert not re.search(r"url\(|@import|https?:|expression|<", CSS)
    assert len(STYLE) < 6_000
    assert len(LIVE_STYLE) < 600


def test_every_token_class_has_a_colour() -> None:
    """What `highlight` writes, the sheet knows."""
    assert all(f".{name}{{color:" in CSS for name in TOKEN_CLASSES)
