"""What the tables of a batch show, taken from a live one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allos.render.batch_table import BatchColumnView, BatchRowView, BatchView
from allos.runs.batching.batch_counts import ColumnCounts

if TYPE_CHECKING:
    from allos.response import ProviderResponse


def column_view(counts: ColumnCounts) -> BatchColumnView:
    """Counts of a column as they are now."""
    return BatchColumnView(
        name=counts.name,
        calls=counts.calls,
        kept=counts.kept,
        ok=counts.ok,
        cancelled=counts.cancelled,
        not_sent=counts.not_sent,
        spared=counts.spared,
        errors=dict(counts.errors),
        output_tokens=counts.output_tokens,
        cache_read_tokens=counts.cache_read_tokens,
        tokens_per_second=counts.tokens_per_second,
        cost_usd=counts.cost_usd,
        unknown_cost=counts.unknown_cost,
        left_s=counts.left_s,
    )


def row_view(index: object, model: str, response: ProviderResponse) -> BatchRowView:
    """One call that has ended."""
    error = response.error
    return BatchRowView(
        index=str(index),
        model=model,
        text=str(error) if error is not None else response.content,
        is_failed=error is not None,
        latency_s=response.latency_s,
    )


def batch_view(
    *,
    id: str,
    state: str,
    at_service: tuple[int, int] | None = None,
    counts: Sequence[ColumnCounts],
    newest: Sequence[BatchRowView],
    failed: Sequence[BatchRowView],
    notes: Sequence[str],
    logged: bool,
) -> BatchView:
    """View of a whole batch."""
    return BatchView(
        id=id,
        state=state,
        at_service=at_service,
        columns=[column_view(each) for each in counts],
        newest=newest,
        failed=failed,
        notes=notes,
        logged=logged,
    )
