"""What is typed into a playground, as values or as one line of error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allos.runs.playground_draft import (
    MAX_MODELS,
    PARAMETER_FIELDS,
    Draft,
    DraftModel,
    column_names,
    column_problem,
    parameter_value,
    whole_number,
)
from tests.support.hostile import HOSTILE


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", " 0.2 ", 0.2),
        ("max_tokens", "200", 200),
        ("seed", "-1", -1),
        ("stop", "END", "END"),
        ("effort", "low", "low"),
        ("top_p", "", None),
    ],
)
def test_values(name: str, text: str, value: Any) -> None:
    """Each is of its own type; nothing typed is nothing set."""
    assert parameter_value(name, text) == value


@pytest.mark.parametrize("name", sorted(set(PARAMETER_FIELDS) - {"stop"}))
def test_a_wrong_value_is_one_line(name: str) -> None:
    """Words where a number is due, a number where a word is: the parameter and the value are named."""
    with pytest.raises(ValueError, match=rf"^{name} must be .*'hot'"):
        parameter_value(name, "hot")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many", "9" * 500, "1e3"])
def test_repeats_are_counted(text: str) -> None:
    """Anything but an integer from 1 on is refused, and so is more than there is."""
    with pytest.raises(ValueError, match="repeats must be"):
        whole_number("repeats", text, most=10)


def test_columns() -> None:
    """A name that is missing is told with the nearest one; without data nothing is missing."""
    assert column_problem("Hi {{ name }}", ["name"]) is None
    assert column_problem("Hi {{ anything }}", None) is None
    assert column_problem("{{ a }} {{ b }} {{ a }}", ["name"]) == (
        "{{ a }}, {{ b }} are not columns of the data."
    )
    assert "is not closed" in (column_problem("{{ name", ["name"]) or "")
    assert column_names(r"\{{ x }} {{ y }}") == ["y"]


def test_nothing_is_evaluated() -> None:
    """An expression is no name of a column, whatever it would do."""
    problem = column_problem("{{ __import__('os').system('true') }}", ["text"])

    assert problem is not None
    assert "is not a column" in problem


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [],
        {"models": 1},
        {"models": [{"name": 3}, {}, {"name": ""}], "which": ["all"]},
        {"prompt": {}, "params": ["x"], "n": None, "count": [], "which": "none"},
    ],
)
def test_any_message_is_a_draft(value: Any) -> None:
    """A page may send what it likes: what cannot be meant is dropped."""
    draft = Draft.from_page(value)

    assert draft.which == "all"
    assert draft.prompt == ""
    assert Draft.from_page(json.loads(json.dumps(draft.to_page()))) == draft


def test_a_draft_is_kept_as_typed() -> None:
    """Also where a value is wrong, and whatever the text is."""
    texts = [text for _, text in HOSTILE][:60]
    for text in texts:
        text = text.encode("utf-8", "replace").decode()
        draft = Draft(
            prompt=text,
            system=text,
            models=(DraftModel(name="groq/m", params={"temperature": "hot"}),),
            n="x",
            which="row",
        )
        assert Draft.from_page(draft.to_page()) == draft


def test_sizes_are_capped() -> None:
    """Of models, texts and names; half a surrogate pair does not stay."""
    sent = {
        "prompt": "x" * 2_000_000 + "\ud800",
        "models": [{"name": "m" * 9_999}] * 500,
        "system": "a\ud800",
    }
    draft = Draft.from_page(sent)

    assert len(draft.prompt) == 1_000_000
    assert len(draft.models) == MAX_MODELS
    assert len(draft.models[0].name) == 1_000
    assert draft.system.encode()
