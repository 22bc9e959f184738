"""An answer that is a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from allos.render.answer import answer_html, answer_text
from allos.render.structured import structured_html, structured_text
from allos.render.style import sheet_of
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge


class Person(BaseModel):
    name: str
    born: int | None = None


@dataclass
class Point:
    x: float
    y: float


@pytest.mark.parametrize(
    ("value", "title", "text"),
    [
        (Person(name="Ada", born=1815), "Person", '{\n  "name": "Ada",\n  "born": 1815\n}'),
        (Point(1.5, float("inf")), "Point", '{\n  "x": 1.5,\n  "y": "Infinity"\n}'),
        ({"a": ["é", None]}, "", '{\n  "a": [\n    "é",\n    null\n  ]\n}'),
        (["x"], "", '[\n  "x"\n]'),
        (3, "", "3"),
    ],
)
def test_values_are_indented_json(value: Any, title: str, text: str) -> None:
    """Models, dataclasses, mappings, lists and plain values, under the name of their type."""
    html = structured_html(value)

    assert structured_text(value) == text
    assert (f'<p class="allos-note">{title}</p>' in html) is bool(title)
    assert "<pre><code>" in html


def test_the_cell_shows_the_value_instead_of_its_text() -> None:
    """The answer's own JSON, in one line or in a fence, is not shown beside it."""
    response = ProviderResponse('```json\n{"name":"Ada"}\n```', parsed=Person(name="Ada"))
    html = answer_html(response)

    assert "Ada" in html
    assert "```" not in html + answer_text(response)
    assert answer_text(response) == '{\n  "name": "Ada",\n  "born": null\n}'
    assert judge(html, styles=frozenset({sheet_of(html)}))[0] == []


def test_what_has_no_json_is_shown_as_written() -> None:
    """A value that cannot be written as JSON leaves the answer's text in its place."""
    circle: list[Any] = []
    circle.append(circle)

    assert structured_html(circle) == ""
    assert "as written" in answer_html(ProviderResponse("as written", parsed=circle))
    assert structured_text("x" * 200_000) == ""


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_values_are_inert(text: str) -> None:
    """A value holds a model's words: they are text."""
    value = {text[:3_000]: [text[:3_000]]}

    assert judge(structured_html(value))[0] == []
