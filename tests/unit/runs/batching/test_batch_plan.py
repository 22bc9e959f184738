from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from allos.messages import Message
from allos.providers import ProviderRegistry
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.data_rows import DataRows
from allos.runs.grid import Grid, build_columns
from allos.session import configure


def plan(
    data: Any,
    prompt: str = "{{ a }}",
    models: Sequence[Any] = ("groq/x", "groq/y"),
    params: Sequence[dict[str, Any]] = ({},),
    n: int = 1,
    **shared: Any,
) -> BatchPlan:
    rows = DataRows(pd.DataFrame(data))
    columns = build_columns(models, params, shared)
    return BatchPlan(Grid([(Message("user", prompt),)], columns, rows=rows, n=n), rows)


def test_every_call_has_a_number_and_a_key() -> None:
    """Numbers and keys lead to each other, and all keys differ."""
    made = plan({"a": ["p", "q", "p"]}, n=2)
    keys = [made.key(position) for position in range(len(made))]

    assert len(set(keys)) == len(made) == 12
    assert [made.find(key) for key in keys] == list(range(12))
    assert [made.position(*made.parts(position)) for position in range(12)] == list(range(12))
    assert made.find("no.such.0") is made.find("") is made.find(keys[0][:-1] + "7") is None


def test_rows_keep_their_keys_when_others_come_and_go() -> None:
    """A key follows from the values that are used, not from place, index or other columns."""
    one = plan({"a": ["p", "q"], "b": [1, 2]})
    two = plan(pd.DataFrame({"a": ["new", "q", "p"], "b": [7, 8, 9]}, index=list("xyz")))

    assert one.row_keys == [two.row_keys[2], two.row_keys[1]]
    assert one.id != two.id
    assert two.has_row_of([one.key(0)])
    assert not plan({"a": ["other"]}).has_row_of([one.key(0)])


def test_the_id_follows_from_data_and_prompt() -> None:
    """Models, parameters and repeats are not part of it: they may be added."""
    data = {"a": ["p", "q"]}

    assert plan(data).id == plan(data, models=["groq/z"], n=3, temperature=1).id
    assert plan(data).id.startswith("bat_")
    assert len(plan(data).id) == 30
    assert plan(data).id != plan(data, "Say {{ a }}").id


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 0.5},
        {"max_tokens": 7},
        {"models": ["groq/other"]},
        {"schema": {"type": "object", "properties": {}}},
        {"base_url": "http://127.0.0.1:1/v1"},
        {"extra": {"top_k": 3}},
    ],
)
def test_what_changes_the_answer_changes_the_key(changed: dict[str, Any]) -> None:
    """What does not (time-outs, attempts, keys) does not."""
    data = {"a": ["p"]}
    usual = {"models": ["groq/x"]}

    assert plan(data, **usual).key(0) != plan(data, **{**usual, **changed}).key(0)
    assert plan(data, **usual).key(0) == plan(
        data, timeout_s=9, max_attempts=2, api_key="gsk-example", **usual
    ).key(0)
    assert plan(data, temperature=1, **usual).key(0) == plan(data, temperature=1.0, **usual).key(0)


def test_settings_and_provider_objects_are_part_of_the_key() -> None:
    """A default temperature changes the answers as one that is given."""
    data, usual = {"a": ["p"]}, ["groq/x"]
    before = plan(data, models=usual).key(0)
    configure(temperature=0.25)
    after = plan(data, models=usual).key(0)
    configure(temperature=None)
    made = [
        ProviderRegistry.get_provider("groq", model="x", api_key="gsk-example", temperature=t)
        for t in (0, 1)
    ]

    assert before != after == plan(data, models=usual, temperature=0.25).key(0)
    assert plan(data, models=made[:1]).key(0) != plan(data, models=made[1:]).key(0)


def test_equal_columns_are_kept_apart() -> None:
    """A model that stands twice is asked twice."""
    assert len(set(plan({"a": ["p"]}, models=["groq/x", "groq/x"]).column_keys)) == 2


def test_rows_with_a_common_beginning_go_together() -> None:
    """By the first column of the prompt, in the order of the first row of each."""
    data = {"doc": ["A", "B", "A", "B"], "q": list("1234")}
    grouped = plan(data, "{{ doc }} {{ q }}")

    assert list(grouped.groups()) == [[0, 2], [1, 3]]
    assert [list(rows) for rows in plan(data, "{{ q }} {{ doc }}").groups()] == [[0, 1, 2, 3]]
    assert [list(rows) for rows in plan(data, "{{ doc }}").groups()] == [[0, 1, 2, 3]]
    assert grouped.prefix_chars([0, 2]) == len("{{ doc }} {{ q }}") + 1


def test_a_task_is_plain_data_with_the_key_of_its_call() -> None:
    """What a starter needs, and no key of a service."""
    made = plan({"a": ["p", "q"]}, n=2, temperature=0, api_key="gsk-example")
    task = made.task(7)

    assert (task.row, task.column, task.sample) == (1, 1, 1)
    assert task.key == made.key(7)
    assert task.messages[0].text == "q"
    assert (task.model, dict(task.params), task.withheld) == (
        "groq/y",
        {"temperature": 0},
        ("api_key",),
    )
