from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.errors import ConfigurationError, TemplateError
from allos.template import Expression, fill, parse, render


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
    """Inserted values are returned by expression, each evaluated once."""
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
        ("{{ a b }}", "not a valid Python expression"),
        ("{{ x = 1 }}", "not a valid Python expression"),
        ("{{ import os }}", "not a valid Python expression"),
        ("{{ tpoic }}", "Did you mean 'topic'"),
        ("{{ 1/0 }}", "ZeroDivisionError"),
        ("{{ topic.nope }}", "AttributeError"),
        ("{{ await topic }}", "'await' outside function. Assign its result to a variable"),
        ("{{ [x async for x in topic] }}", "Assign its result to a variable"),
        ("{{ wait() }}", r"is a coroutine: run value = await wait\(\) in another cell"),
        ("{{ boom(\n1) }}", r"{{ boom\( 1\) }} failed with ValueError: one two\."),
        ("{{ mute() }}", "failed with Mute. Nothing"),
    ],
)
def test_errors(text: str, words: str) -> None:
    """A template that cannot be filled says where and why in one line, and nothing else escapes."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    async def wait() -> None:
        """Nobody awaits this."""

    def boom(number: int) -> None:
        raise ValueError("one\ntwo")

    def mute() -> None:
        raise Mute

    with pytest.raises(TemplateError, match=words) as caught:
        render(text, {"topic": "x", "wait": wait, "boom": boom, "mute": mute})

    assert "\n" not in str(caught.value)


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


def test_fill_keeps_other_objects() -> None:
    """A value that is not a string is a separate piece, each time; the text between is one piece."""
    pieces, variables = fill(
        "{{n}}See {{ name }}, {{n}}{{n}} and \\{{x}}.",
        {"n": 3, "name": "it"},
        lambda source, value: value,
    )

    assert pieces == [3, "See it, ", 3, 3, " and {{x}}."]
    assert variables == {"n": "3", "name": "it"}
    assert fill("", {}, lambda source, value: value) == ([], {})
    assert fill("{{ '' }}", {}, lambda source, value: value)[0] == []


def test_fill_tells_the_expression() -> None:
    """The converter is called with the expression and its value, once for each."""
    converted: list[tuple[str, Any]] = []

    def convert(source: str, value: Any) -> str:
        converted.append((source, value))
        return source

    assert fill("{{ a }}{{a}}{{ a+1 }}", {"a": 1}, convert)[0] == ["aaa+1"]
    assert converted == [("a", 1), ("a+1", 2)]


def test_value_that_cannot_be_converted() -> None:
    """A failing conversion names the expression; an error of our own stays itself."""

    class Broken:
        def __str__(self) -> str:
            raise OSError("no")

    def refuse(source: str, value: Any) -> str:
        raise ConfigurationError("too large")

    with pytest.raises(
        TemplateError, match=r"\{\{ x \}\} cannot be converted to text: OSError: no"
    ):
        render("{{ x }}", {"x": Broken()})
    with pytest.raises(ConfigurationError, match="too large"):
        fill("{{ x }}", {"x": 1}, refuse)


@settings(deadline=None)
@given(st.lists(st.text().filter(lambda text: "{{" not in text and text[-1:] not in ("{", "\\"))))
def test_text_around_pictures_is_unchanged(texts: list[str]) -> None:
    """Text between other objects is unchanged."""
    pieces, _ = fill("{{ n }}".join(texts), {"n": 3}, lambda source, value: value)

    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "".join(texts)
    assert pieces.count(3) == max(0, len(texts) - 1)
