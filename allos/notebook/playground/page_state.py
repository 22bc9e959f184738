"""What the page of a playground gets. All of it is text that the page shows as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from allos.ids import time_of
from allos.providers.model_choices import ModelChoice
from allos.providers.pricing.estimates import usd
from allos.render.comparison_columns import (
    colour_slots,
    models_in_words,
    root_class,
    shades,
)
from allos.render.comparison_costs import total_cost
from allos.render.format import UNKNOWN
from allos.render.plain import clean_text, shorten
from allos.runs.comparison import Comparison
from allos.runs.playground import Plan, Playground
from allos.runs.playground_draft import PARAMETER_FIELDS

_MAX_COLUMNS = 200
_UNLOGGED = "playground.last.frame  # the log is off: playground is what allos.playground returned"
_MAX_NAME = 120


def facts(playground: Playground, own_class: str) -> dict[str, Any]:
    """What does not change: parameters, and the data's columns."""
    columns = playground.columns
    return {
        "own_class": own_class,
        "columns": None if columns is None else columns[:_MAX_COLUMNS],
        "data_name": playground.data_name or "",
        "row_count": playground.row_count,
        "parameters": [
            {
                "name": each.name,
                "label": each.label,
                "kind": each.kind,
                "choices": list(each.choices),
                "help": each.help,
            }
            for each in PARAMETER_FIELDS.values()
        ],
    }


def plan_state(plan: Plan, models: Sequence[ModelChoice | None], revision: int) -> dict[str, Any]:
    """What a run would send, and what is wrong."""
    state: dict[str, Any] = {
        "revision": revision,
        "problems": {where: _line(text) for where, text in plan.problems.items()},
        "warnings": {where: _line(text) for where, text in plan.warnings.items()},
        "models": _model_states(models),
        "code": plan.code,
        "calls": 0,
    }
    preview = plan.preview
    if preview is not None:
        left = plan.budget_left_usd
        state |= {
            "calls": preview.calls + len(preview.failures),
            "tokens": f"about {_count(preview.input_tokens)} input tokens",
            "cost": preview.price(),
            "left": "" if left is None else f"{usd(left)} left",
            "failures": [f"{_line(name)}: {_line(why)}" for name, why in preview.failures.items()],
            "dropped": sorted(
                {f"{each.name}: {name}" for each in preview.requests for name in each.dropped}
            ),
        }
    return state


def _model_states(models: Sequence[ModelChoice | None]) -> list[dict[str, Any] | None]:
    """The chosen models, in the colours that they will have on the board."""
    names = ["" if each is None else each.name for each in models]
    return [
        None if each is None else {**choice_state(each), "slot": slot, "shade": shade}
        for each, slot, shade in zip(models, colour_slots(names), shades(names), strict=True)
    ]


def choice_state(choice: ModelChoice) -> dict[str, Any]:
    """A model to choose."""
    return {
        "name": choice.name,
        "shown": _line(choice.name),
        "price": choice.price,
        "window": "" if choice.context_window is None else _count(choice.context_window),
        "obstacle": choice.obstacle,
        "advice": _line(choice.advice),
        "usable": choice.usable,
        "listable": choice.listable,
    }


def run_states(comparisons: Iterable[Comparison]) -> list[dict[str, Any]]:
    """The runs, oldest first."""
    return [_run_state(each) for each in comparisons]


def _run_state(comparison: Comparison) -> dict[str, Any]:
    rows = comparison.grid.inputs
    parts = [models_in_words([column.name for column in comparison.columns])]
    parts += [f"{rows:,} rows"] if rows > 1 else []
    if comparison.done:
        parts.append(_spent(comparison))
    else:
        parts.append(f"{comparison.answered:,} of {len(comparison.cells):,} answered")
    return {
        "id": comparison.id,
        "short": f"cmp_…{comparison.id[-4:]}",
        "board": f"live-{root_class(comparison.id)}",
        "done": comparison.done,
        "started_at": time_of(comparison.id),
        "words": " · ".join(part for part in parts if part),
        "rows": f'allos.responses(comparison_id="{comparison.id}")'
        if comparison.layout().logged
        else _UNLOGGED,
    }


def _spent(comparison: Comparison) -> str:
    responses = [each.response for each in list(comparison.cells) if each.response is not None]
    cost = total_cost(responses, spent_now=True).text
    return {"$0": "free", UNKNOWN: "cost unknown"}.get(cost, cost)


def _line(text: str) -> str:
    return shorten(" ".join(clean_text(text).split()), 400)


def _count(number: int) -> str:
    """A number of tokens.

    Examples
    --------
    >>> [_count(x) for x in (950, 4096, 131072, 1047576)]
    ['950', '4.1k', '131k', '1M']
    """
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            value = number / size
            return f"{value:.0f}{unit}" if value >= 10 or value % 1 < 0.05 else f"{value:.1f}{unit}"
    return str(number)
