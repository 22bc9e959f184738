from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd
import pytest

from allos.runs.batching.batch_frame import parsed_columns
from allos.tools.schemas import as_schema


class Kind(Enum):
    BUG = "bug"


@dataclass
class Ticket:
    kind: Kind
    score: int
    weight: float
    urgent: bool | None
    tags: list[str]


def columns(schema: Any, *texts: str | None) -> pd.DataFrame:
    spec = as_schema(schema)
    assert spec is not None
    return parsed_columns(texts, spec, pd.RangeIndex(len(texts)))


def test_fields_have_their_types() -> None:
    """Numbers and booleans are nullable, text is text, nested values are JSON."""
    text = json.dumps(
        {"kind": "bug", "score": 3, "weight": 0.5, "urgent": None, "tags": ["a", "é"]}
    )
    frame = columns(Ticket, text, "no JSON", None)

    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "kind": "str",
        "score": "Int64",
        "weight": "Float64",
        "urgent": "boolean",
        "tags": "str",
    } or pd.__version__.startswith("2")
    assert frame.iloc[0].tolist()[:3] == ["bug", 3, 0.5]
    assert frame["tags"].tolist()[0] == '["a", "é"]'
    assert frame["score"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [(int, '{"value": 3}', 3), (bool, "true", True), (list[str], '{"value": ["a"]}', '["a"]')],
)
def test_a_type_that_is_no_object_is_one_column(schema: Any, text: str, value: Any) -> None:
    """Its name is `value`."""
    frame = columns(schema, text)

    assert frame["value"].tolist() == [value]
