"""Scorers that score an answer once: while an evaluation goes on, and then for its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from allos.runs.batching.batch_frame import LOG_SUFFIX
from allos.scorers import Scorer


def remembered(scorer: Scorer) -> Scorer:
    """The same scorer, which keeps the score of each row of the log; errors are not kept.

    Parameters
    ----------
    scorer : Scorer

    Examples
    --------
    >>> from allos.scorers import as_scorer
    >>> seen = []
    >>> scorer = remembered(as_scorer(lambda row: seen.append(row["id"]) or 1.0))
    >>> scorer({"id": "a"}), scorer({"id": "a"}), seen
    (1.0, 1.0, ['a'])
    """
    scores: dict[Any, Any] = {}
    function = scorer.function

    def once(row: Mapping[str, Any], *expected: Any) -> Any:
        key = row_id(row)
        if key is None:
            return function(row, *expected)
        if key not in scores:
            scores[key] = function(row, *expected)
        return scores[key]

    async def once_async(row: Mapping[str, Any], *expected: Any) -> Any:
        key = row_id(row)
        if key is None:
            return await function(row, *expected)
        if key not in scores:
            scores[key] = await function(row, *expected)
        return scores[key]

    return replace(scorer, function=once_async if scorer.is_async else once)


def row_id(row: Mapping[str, Any]) -> Any:
    """Id of the row of the log, also where the data has such a column."""
    return row.get(f"id{LOG_SUFFIX}", row.get("id"))
