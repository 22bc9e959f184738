"""A playground that begins with what a comparison has asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from allos.providers import Provider
from allos.render.comparison_view import ColumnView, ComparisonView, PromptView
from allos.runs.comparison import Comparison
from allos.runs.grid import Column, Model
from allos.runs.playground import Playground, build_playground
from allos.runs.playground_draft import PARAMETER_FIELDS

_PROMPT = "prompt"


def edit(comparison: Any) -> Playground:
    """Return a playground with the prompt, system prompt, models, parameters and data of a comparison.

    Several prompts that are no template become data of one column. Images and files are not taken over.

    Raises
    ------
    ConfigurationError
        Nothing of it can be edited.
    """
    view = comparison.layout()
    columns: Sequence[Column | ColumnView] = view.columns
    prompt, system, rows = _asked(view)
    if isinstance(comparison, Comparison):
        columns = comparison.columns
        grid = comparison.grid
        if len(grid.prompts) == 1 and grid.rows is not None:
            template = PromptView.of(grid.prompts[0])
            prompt, system, rows = (
                template.text,
                template.system,
                [grid.rows[at] for at in range(len(grid.rows))],
            )
    make = partial(
        build_playground,
        prompt,
        system=system or None,
        models=[_model(column) for column in columns],
        data=rows,
        n=view.n,
        params={},
    )
    # In the comparison's session, and for its cell.
    return comparison.in_context(make) if isinstance(comparison, Comparison) else make()


def _asked(view: ComparisonView) -> tuple[str, str, list[Mapping[str, Any]] | None]:
    """Prompt, system prompt and rows, where only what was sent is known."""
    if not view.rows:
        return view.prompt.text, view.prompt.system, None
    return (
        f"{{{{ {_PROMPT} }}}}",
        view.prompt.system,
        [{_PROMPT: row.prompt.text} for row in view.rows],
    )


def _model(column: Column | ColumnView) -> Model:
    params = {name: value for name, value in column.params.items() if name in PARAMETER_FIELDS}
    model: str | Provider = getattr(column, "model", column.name)
    return {"model": model, **params} if params else model
