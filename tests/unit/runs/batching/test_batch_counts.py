"""Counts of a batch, by column."""

from __future__ import annotations

from allos.response import ProviderResponse
from allos.runs.batching.batch_counts import ColumnCounts


def _counted(*replayed: bool) -> ColumnCounts:
    counts = ColumnCounts("groq/a", calls=3)
    counts.start()
    for each in replayed:
        counts.add(ProviderResponse("Hi", metadata={"output_tokens": 8}, replayed=each))
    return counts


def test_speed_is_that_of_calls_that_were_made() -> None:
    """Recorded answers are there at once: their tokens say nothing about the speed of a model."""
    made, some = _counted(False, False), _counted(False, True)

    assert made.tokens_per_second is not None
    assert (some.tokens_per_second, some.output_tokens, some.replayed) == (None, 16, 1)
    assert ColumnCounts("groq/a", calls=3).tokens_per_second is None
