"""A comparison as the beginning of a playground."""

from __future__ import annotations

from typing import Any

import pytest

import allos
from allos.runs.playground_edit import edit
from allos.testing import ScriptedProvider


def test_all_of_it_is_taken_over() -> None:
    """Prompt, system prompt, models with parameters, repeats and data; a provider object stays one."""
    own = ScriptedProvider("Yes.", name="groq")
    rows = [{"text": "a", "id": 1}, {"text": "b", "id": 2}]
    made = edit(
        allos.compare(
            "Say {{ text }}",
            models=[own, {"model": own, "seed": 3}],
            system="Be kind to {{ id }}",
            data=rows,
            n=2,
            temperature=0,
        ).wait(20)
    )

    assert made.draft.prompt == "Say {{ text }}"
    assert made.draft.system == "Be kind to {{ id }}"
    assert [dict(each.params) for each in made.draft.models] == [
        {"temperature": "0"},
        {"temperature": "0", "seed": "3"},
    ]
    assert made.draft.n == "2"
    assert made.columns == ["text", "id"]
    assert [each.content for each in made.run().wait(20).responses] == ["Yes."] * 8


@pytest.mark.parametrize("prompts", [["One?"], ["One?", "Two {{ x }}?"]])
def test_finished_ones_too(prompts: list[str]) -> None:
    """Several prompts are rows of data; braces in them stay what they are."""
    own = ScriptedProvider("Yes.", name="groq")
    done = allos.compare(prompts=prompts, models=[own]).wait(20)
    made = edit(allos.board(done.frame))
    arguments: dict[str, Any] = made._arguments()[0]
    asked = [row["prompt"] for row in arguments.get("data", [])] or [arguments["prompt"]]

    assert asked == prompts
