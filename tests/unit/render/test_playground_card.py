"""The static version of a playground."""

from __future__ import annotations

import pytest

from allos.render.playground_card import playground_card
from allos.render.style import sheet_of
from allos.runs.playground import playground
from tests.support.hostile import HOSTILE, judge


@pytest.mark.parametrize("text", [text for _, text in HOSTILE])
def test_hostile_texts_do_nothing(text: str) -> None:
    """In the prompt, the system prompt, the data and the names of its columns: all is code to read."""
    text = text.encode("utf-8", "replace").decode()
    made = playground(text, models=["groq/m"], system=text, data=[{text: text}])
    html = playground_card(made.as_code(), "own-class")
    faults, seen = judge(
        html,
        styles=frozenset({sheet_of('<div class="allos-md"><p></p><pre><code></code></pre></div>')}),
        classes=frozenset({"own-class"}),
    )

    assert faults == []
    assert "allos.compare(" in seen
