from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from allos.runs.remembered_scores import remembered
from allos.scorers import Scorer, as_scorer


def test_an_async_scorer_stays_one() -> None:
    """It is awaited once for each row of the log, whatever the data's own `id` is."""
    seen = []

    async def length(row: Mapping[str, Any]) -> int:
        seen.append(row["content"])
        return len(row["content"])

    scorer = remembered(as_scorer(length))
    rows = [
        {"id": "same", "id_log": "1", "content": "a"},
        {"id": "same", "id_log": "2", "content": "bb"},
    ]

    assert scorer.is_async
    assert [asyncio.run(scorer(row)) for row in [*rows, *rows]] == [1, 2, 1, 2]
    assert seen == ["a", "bb"]


def test_errors_and_rows_without_an_id_are_not_kept() -> None:
    """They are scored again; the expected value is passed on."""
    seen = []

    def fail(row: Mapping[str, Any], expected: Any) -> None:
        seen.append(expected)
        raise ValueError("no score")

    scorer = remembered(
        Scorer(name="s", version="1", function=fail, target="label", needs_target=True)
    )
    for row in ({"id": "1", "label": "x"}, {"id": "1", "label": "x"}, {"label": "y"}):
        with pytest.raises(ValueError, match="no score"):
            scorer(row)

    assert seen == ["x", "x", "y"]
