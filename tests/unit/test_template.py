from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.errors import TemplateError
from allos.template import Expression, parse, render


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Explain {{topic}}.", "Explain gravity."),
        ("{{ topic }}{{topic}}", "gravitygravity"),
        ("{{ topic.upper() }}", "GRAVITY"),
        ("{{ {'a': {'b': 1}}['a']['b'] }}", "1"),
        ("{{ [x * 2 for x in numbers] }}", "[2, 4]"),
        ("{{ '}}' }}", "}}"),
        ('{"json": {"a": [1, {}]}}', '{"json": {"a": [1, {}]}}'),
        ("{topic} ${topic} %s {0}", "{topic} ${topic} %s {0}"),
        (r"\{{topic}}", "{{topic}}"),
        (r"\{{ {{topic}} \{{", "{{ gravity {{"),
        ("}} {{topic}} }}", "}} gravity }}"),
        ("", ""),
        ("{{\n  topic\n}}", "gravity"),
        ("{{ braces }}", "{{topic}}"),
        ("Grüße 🙂\r\n\t{{topic}}\x00", "Grüße 🙂\r\n\tgravity\x00"),
        ("{{ sum(numbers) }}", "3"),
    ],
)
def test_render(text: str, expected: str) -> None:
    """Expressions are put in once, and everything outside them stays byte for byte."""
    names = {"topic": "gravity", "numbers": [1, 2], "braces": "{{topic}}"}

    assert render(text, names)[0] == expected


def test_variables() -> None:
    """What was put in is told by expression, each evaluated once."""
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    text, variables = render("{{count()}} {{ count() }} {{1+1}}", {"count": count})

    assert text == "1 1 2"
    assert variables == {"count()": "1", "1+1": "2"}


def test_to_text() -> None:
    """How a value becomes text is the caller's choice."""
    assert render("{{x}}", {"x": 1.5}, to_text=lambda value: f"<{value}>")[0] == "<1.5>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb {{ x", "line 2 is not closed"),
        ("{{ }}", "is empty"),
        ("{{}}", "is empty"),
        ("{{ a b }}", "not a Python expression"),
        ("{{ x = 1 }}", "not a Python expression"),
        ("{{ import os }}", "not a Python expression"),
        ("{{ tpoic }}", "Did you mean 'topic'"),
        ("{{ 1/0 }}", "ZeroDivisionError"),
        ("{{ topic.nope }}", "AttributeError"),
    ],
)
def test_errors(text: str, words: str) -> None:
    """A template that cannot be filled says where and why, and nothing else escapes."""
    with pytest.raises(TemplateError, match=words):
        render(text, {"topic": "x"})


def test_names_of_an_expression() -> None:
    """An expression tells which names it reads, in order."""
    (expression,) = parse("{{ f(a, b=a + c) }}")

    assert isinstance(expression, Expression)
    assert set(expression.names) == {"f", "a", "c"}


def test_namespace_is_left_alone() -> None:
    """Evaluation puts nothing into the caller's namespace."""
    names: dict[str, Any] = {"x": 1}
    render("{{ (y := x) }}", names)

    assert names == {"x": 1}


@settings(deadline=None)
@given(st.text())
def test_text_without_braces_is_unchanged(text: str) -> None:
    """Any text without the opening mark comes out as it went in."""
    if "{{" not in text:
        assert render(text, {}) == (text, {})


@settings(deadline=None)
@given(st.text())
def test_values_are_never_looked_at(value: str) -> None:
    """Whatever a value holds, it is put in as it is."""
    assert render("[{{ value }}]", {"value": value})[0] == f"[{value}]"
