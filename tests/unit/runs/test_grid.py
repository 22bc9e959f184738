from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from allos.errors import ConfigurationError, TemplateError
from allos.messages import Message, MessageRole
from allos.parts import Image
from allos.providers import ProviderRegistry
from allos.runs.grid import Grid, build_columns, normalize_params
from allos.secret import seal_secrets
from tests.support.pictures import PNG

HELLO = (Message(MessageRole.USER, "Hello!"),)
KEY = "gsk-of-nobody-else-1234"


def _texts(grid: Grid) -> list[str | None]:
    return [task.messages[-1].text for task in grid]


def test_every_axis_meets_every_other_in_order() -> None:
    """Prompts x models x parameters x rows x repeats: column by column, each task with its place."""
    prompts = [(Message(MessageRole.USER, f"{letter} {{{{ word }}}}"),) for letter in "AB"]
    columns = build_columns(
        ["groq/a", "groq/b"], [{"temperature": 0}, {"temperature": 1}], {"n": 1}
    )
    grid = Grid(prompts, columns, rows=[{"word": "x"}, {"word": "y"}], n=2)
    tasks = list(grid)
    places = [(t.model, t.params["temperature"], t.prompt, t.row, t.sample) for t in tasks]

    assert len(grid) == len(tasks) == 32
    assert places == [
        (model, temperature, prompt, row, sample)
        for model in ("groq/a", "groq/b")
        for temperature in (0, 1)
        for prompt in (0, 1)
        for row in (0, 1)
        for sample in (0, 1)
    ]
    assert _texts(grid)[:8] == ["A x", "A x", "A y", "A y", "B x", "B x", "B y", "B y"]
    assert len({task.key for task in tasks}) == 32
    assert [task.key for task in grid] == [task.key for task in tasks]


def test_equal_columns_are_numbered_on() -> None:
    """Each call among equal columns has a number of its own, so recorded answers are told apart."""
    columns = build_columns(["groq/a", "groq/b", "groq/a"], [{}], {})
    grid = Grid([HELLO], columns, n=2).with_column("groq/a", {}).with_column("groq/a", {"seed": 1})
    repeats = {task.key: task.repeat for task in grid}

    assert list(repeats.values()) == [0, 1, 0, 1, 2, 3, 4, 5, 0, 1]
    assert [column.duplicate_index for column in grid.columns] == [0, 0, 1, 2, 0]


def test_tasks_are_made_one_at_a_time() -> None:
    """A grid of a hundred million calls costs nothing until its tasks are taken."""
    grid = Grid([HELLO], build_columns(["groq/a"], [{}], {}), n=10**8)
    tasks = iter(grid)

    assert len(grid) == 10**8
    assert [next(tasks).sample for _ in range(3)] == [0, 1, 2]


def test_no_key_is_in_a_task() -> None:
    """Every task of a grid can be pickled, and holds no key: not a shared one, a column's, a header's
    nor one of a provider object."""
    shared: dict[str, Any] = {"api_key": KEY, "headers": {"x-api-key": KEY}, "temperature": 0.5}
    seal_secrets(shared)
    provider = ProviderRegistry.get_provider("groq", model="m", api_key=KEY)
    params = normalize_params([{"max_tokens": 5}, {"api_key": f"{KEY}-other"}])
    grid = Grid([HELLO], build_columns(["groq/a", provider], params, shared), n=2)
    pickled = [pickle.dumps(task) for task in grid]

    assert len(pickled) == 8
    assert not any(KEY.encode() in data for data in pickled)
    assert [pickle.loads(data) for data in pickled] == list(grid)
    assert {task.withheld for task in grid} == {
        ("api_key", "headers"),
        ("model", "api_key", "headers"),
    }
    assert grid.columns[2].model is provider
    assert [task.model for task in grid.tasks_of(grid.columns[2])] == ["groq/m", "groq/m"]


def test_what_is_not_plain_data_stays_with_the_run() -> None:
    """Functions and classes among the parameters are named by a task; pictures go along."""

    @dataclass
    class Answer:
        text: str

    def look_up(word: str) -> str:
        return word

    picture = (Message(MessageRole.USER, ["What is it?", Image(data=PNG)]),)
    params = {"schema": Answer, "tools": [look_up], "stop": ["END"], "extra": {"k": [1, None]}}
    (task,) = Grid([picture], build_columns("groq/a", [params], {}))
    back = pickle.loads(pickle.dumps(task))

    assert task.withheld == ("schema", "tools")
    assert back == task
    assert back.params == {"stop": ["END"], "extra": {"k": [1, None]}}


def test_rows_fill_only_what_the_user_wrote() -> None:
    """Values of a row take the place of its names in system and user texts, once; a model's words
    and values that look like a template stay as they are."""
    prompt = (
        Message(MessageRole.SYSTEM, "Be {{tone}}."),
        Message(MessageRole.USER, ["About {{ word }}: ", Image(data=PNG), r"\{{ word }}"]),
        Message(MessageRole.ASSISTANT, "I see {{ word }}."),
        Message(MessageRole.USER, "And {{word}}?"),
    )
    rows = [{"tone": "terse", "word": "{{ tone }}", "unused": 1}]
    (task,) = Grid([prompt], build_columns("groq/a", [{}], {}), rows=rows)
    system, first, answer, last = task.messages

    assert system.text == "Be terse."
    assert first.content is not None
    assert (first.content[0], first.content[2]) == ("About {{ tone }}: ", "{{ word }}")
    assert answer.text == "I see {{ word }}."
    assert last.text == "And {{ tone }}?"
    assert task.variables == {"tone": "terse", "word": "{{ tone }}"}


def test_values_of_rows_are_whole_or_say_that_they_are_cut() -> None:
    """An array or a table in a row is its data; an iterator is refused before any call."""
    rows: list[dict[str, Any]] = [{"x": np.arange(3)}, {"x": [np.arange(9000)]}]
    columns = build_columns("groq/a", [{}], {})
    short, long = Grid([(Message(MessageRole.USER, "{{ x }}"),)], columns, rows=rows)

    assert short.messages[0].text == "[0, 1, 2]"
    assert "of 9,000 values (int64, shape (9000,)):" in long.messages[0].text
    with pytest.raises(TemplateError, match="pass list"):
        list(Grid([(Message(MessageRole.USER, "{{ x }}"),)], columns, rows=[{"x": iter([])}]))


@pytest.mark.parametrize("text", ["{{ wrod }}", "{{ word.upper() }}", "{{ 1 + 1 }}"])
def test_nothing_is_evaluated(text: str) -> None:
    """Only plain names of the data are substituted; anything else is an error before any call."""
    with pytest.raises(TemplateError, match="is not a column of the data"):
        Grid(
            [(Message(MessageRole.USER, text),)],
            build_columns("groq/a", [{}], {}),
            rows=[{"word": "x"}, {"word": "y"}],
        )


@pytest.mark.parametrize("n", [0, -1, True, 1.0, "2", None])
def test_repeats_are_counted(n: Any) -> None:
    """n is an integer of at least one."""
    with pytest.raises(ConfigurationError, match="n must be an integer >= 1, got"):
        Grid([HELLO], [], n=n)
