"""Names of the columns of a batch, as people read them."""

from __future__ import annotations

from allos.runs.batching.batch_plan import BatchPlan


def column_labels(plan: BatchPlan) -> list[str]:
    """Name of each column: the model, and the parameters in which columns of a model differ."""
    labels: list[str] = []
    for column in plan.grid.columns:
        twins = [each for each in plan.grid.columns if each.name == column.name]
        differing = [
            name
            for name in column.params
            if any(each.params.get(name) != column.params[name] for each in twins)
        ]
        given = ", ".join(f"{name}={column.params[name]}" for name in differing)
        label = f"{column.name} ({given})" if given else column.name
        again = sum(each == label or each.startswith(f"{label} [") for each in labels)
        labels.append(f"{label} [{again + 1}]" if again else label)
    return labels
