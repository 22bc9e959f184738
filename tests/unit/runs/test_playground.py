"""A playground without a notebook: what it would run, what is wrong, the same as code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import allos
from allos import context
from allos.errors import ConfigurationError
from allos.runs.playground import Playground, playground
from allos.runs.playground_draft import DraftModel
from allos.session import Session
from allos.testing import ScriptedProvider

TICKETS = pd.DataFrame({"text": ["Parcel late", "Wrong size"], "at": [1, 2]})


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test-key")
    with Session().active() as session:
        yield session


def change(made: Playground, **fields: Any) -> Playground:
    made.draft = replace(made.draft, **fields)
    return made


def test_it_starts_with_what_is_given() -> None:
    """Models, parameters for all and for one, texts, data with its name."""
    made = playground(
        "Answer: {{ text }}",
        models=["groq/other", {"model": "groq/m", "effort": "low"}],
        system="Be kind.",
        data=TICKETS,
        n=2,
        temperature=0.2,
    )

    assert made.draft.models[1] == DraftModel(name="groq/m", params={"effort": "low"})
    assert made.draft.params == {"temperature": "0.2"}
    assert (made.data_name, made.columns, made.draft.which) == ("TICKETS", ["text", "at"], "all")
    plan = made.plan()
    assert plan.problems == {}
    assert plan.preview is not None
    assert plan.preview.calls == 8


def test_without_a_model_the_default_one_is_chosen() -> None:
    """So that a person who knows no names can press Run."""
    assert [each.name for each in playground("Hi").draft.models] == ["local/smollm2"]
    assert playground("Hi", models=[]).plan().problems == {"models": "Choose a model."}


def test_large_data_starts_with_some_rows() -> None:
    """Nobody pays for a thousand rows by the first press."""
    rows = [{"text": str(at)} for at in range(1_000)]
    made = playground("{{ text }}", models=["groq/m"], data=rows)
    plan = made.plan()
    assert plan.preview is not None
    assert plan.preview.calls == 5

    plan = change(made, which="all").plan()
    assert plan.preview is not None
    assert plan.preview.is_large
    assert "1,000 calls" in plan.preview.size()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"prompt": " "}, "prompt"),
        ({"prompt": "{{ txt }}"}, "prompt"),
        ({"system": "{{ 1 + 1 }}"}, "system"),
        ({"models": ()}, "models"),
        ({"models": (DraftModel(name="grok/x"),)}, "models.0"),
        ({"models": (DraftModel(name="groq/m", params={"seed": "x"}),)}, "models.0.seed"),
        ({"params": {"top_p": "3"}}, "params.top_p"),
        ({"n": "0"}, "n"),
        ({"which": "first", "count": "3"}, "count"),
    ],
)
def test_every_field_has_its_own_line(fields: dict[str, Any], where: str) -> None:
    """One line beside the field, the plan has no calls, and nothing runs."""
    made = change(playground("{{ text }}", models=["groq/m"], data=TICKETS), **fields)
    plan = made.plan()

    assert list(plan.problems) == [where]
    assert "\n" not in plan.problems[where]
    assert not plan.can_run
    with pytest.raises(ConfigurationError, match="Nothing was sent"):
        made.run()
    assert made.comparisons == []
    assert made.as_code()


def test_what_does_not_stop_it_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key, and braces without data."""
    monkeypatch.delenv("GROQ_API_KEY")
    from allos.providers import model_choices

    model_choices._obstacles.clear()
    plan = playground("{{ x }}", models=["groq/m"]).plan()
    model_choices._obstacles.clear()

    assert set(plan.warnings) == {"models.0", "prompt"}
    assert "%allos key groq" in plan.warnings["models.0"]
    assert plan.can_run


@pytest.mark.parametrize(
    "arguments",
    [
        {"prompt": 7},
        {"models": ["grok/x"]},
        {"temperature": "hot"},
        {"temprature": 1},
        {"n": 0},
        {"data": 7},
        {"data": []},
        {"api_key": "gsk-secret"},
        {"tools": [print]},
        {"models": [{"model": "groq/m", "timeout_s": 3}]},
    ],
)
def test_bad_arguments_are_one_line(arguments: dict[str, Any]) -> None:
    """At the call already, where the person who typed it looks."""
    with pytest.raises(ConfigurationError) as error:
        playground(**{"prompt": "Hi", **arguments})
    assert "\n" not in str(error.value)
    assert "gsk-secret" not in str(error.value)


def test_runs_are_comparisons_of_their_own() -> None:
    """Each run is kept; the rows of all are one frame; the code does the same as the run."""
    model = ScriptedProvider("Yes.", name="groq")
    made = playground("{{ text }}?", models=[model], data=TICKETS, max_tokens=9)
    first = made.run().wait(20)
    change(made, prompt="{{ text }}!", params={})
    second = made.run().wait(20)

    assert made.comparisons == [first, second]
    assert made.last is second
    assert list(made.frame["content"]) == ["Yes."] * 4
    assert [row.prompt.text for row in second.view().rows] == ["Parcel late!", "Wrong size!"]


def test_the_code_runs() -> None:
    """What was clicked can be kept in a cell: the same calls, by the log's own hash."""
    tickets = TICKETS
    made = change(
        playground("Answer {{ text }}", models=["groq/m"], data=tickets),
        which="sample",
        count="1",
        params={"temperature": "0.5", "stop": "END"},
        models=(DraftModel(name="groq/m"), DraftModel(name="local/x.gguf", params={"seed": "3"})),
    )
    seen: list[Any] = []
    source = made.as_code().replace("allos.compare(", "keep(")
    exec(source, {"keep": lambda *a, **k: seen.append((a, k)), "tickets": tickets})
    ((prompt,), keywords) = seen[0]

    assert "data=tickets.sample(1, random_state=0)" in source
    wanted = made.plan().preview
    assert wanted is not None
    again = allos.preview(prompt, **keywords)
    assert [each.body for each in again.requests] == [each.body for each in wanted.requests]


def test_a_cell_that_runs_again_goes_on_with_what_was_typed() -> None:
    """As long as its call is the same; another call begins anew."""
    with context.using(cell_id="c1"):
        first = playground("Hi", models=["groq/m"])
        change(first, prompt="Typed")
        again = playground("Hi", models=["groq/m"])
        other = playground("Hi there", models=["groq/m"])
    with context.using(cell_id="c2"):
        elsewhere = playground("Hi", models=["groq/m"])

    assert again.draft.prompt == "Typed"
    assert again.comparisons is first.comparisons
    assert other.draft.prompt == "Hi there"
    assert elsewhere.draft.prompt == "Hi"


def test_the_budget_is_told() -> None:
    """What is left of it stands beside the cost."""
    allos.budget(1.0)
    plan = playground("Hi", models=["groq/m"]).plan()
    assert plan.budget_left_usd == 1.0


def test_its_text_says_what_it_is() -> None:
    """Where nothing can be clicked: the code that does the same."""
    made = playground("Hi", models=["groq/m"])

    assert "allos.compare(" in str(made)
    assert repr(made) == "Playground(groq/m; 0 runs)"
