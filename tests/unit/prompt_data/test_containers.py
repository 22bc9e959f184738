from __future__ import annotations

from collections import UserList, deque, namedtuple
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from allos.errors import ConfigurationError
from allos.prompt_data import data_text, json_value

A = np.arange(3)
Pair = namedtuple("Pair", "a b")


@dataclass
class Record:
    name: str
    values: Any
    hidden: str = field(default="no", repr=False)


@dataclass
class WithOwnText:
    values: Any

    def __str__(self) -> str:
        return "own text"


class Model(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    values: Any


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([A, 1], "[[0, 1, 2], 1]"),
        ((A,), "([0, 1, 2],)"),
        ({"a": A, 1: [A]}, "{'a': [0, 1, 2], 1: [[0, 1, 2]]}"),
        (deque([A]), "[[0, 1, 2]]"),
        (UserList([A]), "[[0, 1, 2]]"),
        ({np.int64(1): 2}, "{1: 2}"),
        ({(np.str_("a"), np.int64(1)): [A]}, "{('a', 1): [[0, 1, 2]]}"),
        ({"a": A}.values(), "[[0, 1, 2]]"),
        (Record("n", A), "Record(name='n', values=[0, 1, 2])"),
        (Pair(A, "x"), "Pair(a=[0, 1, 2], b='x')"),
        (SimpleNamespace(a=A), "SimpleNamespace(a=[0, 1, 2])"),
        (Model(values=A), "Model(values=[0, 1, 2])"),
        ({np.int64(3)}, "{3}"),
    ],
)
def test_containers_of_arrays(value: Any, text: str) -> None:
    """They are written as Python writes them, with the values of what they hold."""
    data = data_text(value)

    assert data is not None
    assert (data.text, data.notes("x")) == (text, [])


def test_tables_stand_below() -> None:
    """A table in a container has a name there and stands below; each note says which was cut."""
    data = data_text({"train": pd.DataFrame({"a": [1]}), "test": [np.arange(9000)]})

    assert data is not None
    assert data.text.startswith("{'train': <['train'], below>, 'test': [<['test'][0], below>]}\n\n")
    assert "['train']:\nDataFrame, 1 row, 1 column\n" in data.text
    assert "\n\n['test'][0]:\nFirst " in data.text
    assert [note.partition(": ")[0] for note in data.notes("x")] == ["x['test'][0]"]


def test_many_tables_share_the_budget() -> None:
    """A hundred long arrays are a hundred short texts."""
    data = data_text([np.arange(5000)] * 100)

    assert data is not None
    assert len(data.text) < 100 * 400
    assert len(data.notes("x")) == 100


@pytest.mark.parametrize(
    "value", [WithOwnText(A), list(range(100_000)), [[1], {"a": (2,)}], deque([1])]
)
def test_others_have_their_own_text(value: Any) -> None:
    """A class with a text of its own, and containers of plain values, are left to `str`."""
    assert data_text(value) is None


def test_what_cannot_be_sent() -> None:
    """An iterator, also inside of a container, and a container in itself are refused."""
    loop: list[Any] = []
    loop.append(loop)
    for value in (iter([]), {"a": [map(str, [])]}, StringIO("text"), loop):
        with pytest.raises(ConfigurationError, match="expected data, got"):
            data_text(value)


def test_json_values() -> None:
    """Arrays that fit are lists; longer ones and tables are text; anything else is as it was."""
    plain = {"a": 1}

    assert json_value(plain) is plain
    assert json_value(A) == [0, 1, 2]
    assert json_value(np.float32(0.5)) == 0.5
    assert json_value(pd.DataFrame({"a": [1]})).startswith("DataFrame, 1 row")
    assert json_value(np.arange(9000)).startswith("First ")
