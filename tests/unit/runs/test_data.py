"""Rows of the data of a comparison."""

from __future__ import annotations

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.runs.data import data_rows


class Polars:
    """What is used of a polars frame."""

    columns = ("text",)

    def to_dicts(self) -> list[dict[str, str]]:
        return [{"text": "a"}]


def test_rows_of_frames_and_of_lists() -> None:
    """pandas, polars, mappings; names of columns are strings."""
    assert data_rows(None) is None
    assert data_rows(pd.DataFrame({"text": ["a", "b"], 1: [2, 3]})) == [
        {"text": "a", "1": 2},
        {"text": "b", "1": 3},
    ]
    assert data_rows(Polars()) == [{"text": "a"}]
    assert data_rows(({"text": "a"},)) == [{"text": "a"}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "must be a DataFrame or a list of dicts"),
        (7, "must be a DataFrame or a list of dicts"),
        (["a"], "each row of data must be a dict"),
        ([], "data has no rows"),
        (pd.DataFrame({"text": []}), "data has no rows"),
    ],
)
def test_what_has_no_rows_is_refused(data: object, message: str) -> None:
    """One line says what it should be."""
    with pytest.raises(ConfigurationError, match=message):
        data_rows(data)
