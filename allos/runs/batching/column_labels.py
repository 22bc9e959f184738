"""Names of the columns of a batch, as people read them."""

from __future__ import annotations

from allos.call_params import setting_labels
from allos.runs.batching.batch_plan import BatchPlan


def column_labels(plan: BatchPlan) -> list[str]:
    """Name of each column: the model, and the parameters in which columns of a model differ."""
    columns = plan.grid.columns
    return setting_labels([each.name for each in columns], [each.params for each in columns])
