"""What an evaluation would send and cost, and what it could show, before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from allos.analysis import power
from allos.errors import ConfigurationError
from allos.messages import Prompt
from allos.providers import Provider
from allos.providers.pricing.estimates import usd
from allos.providers.validation import check_numbers
from allos.runs.batch import batch, preview_batch
from allos.runs.batching.batch_preview import BatchPreview
from allos.runs.column_checks import OPTIONS
from allos.runs.evaluation import Evaluation
from allos.runs.keywords import checked_keywords, keyword_names
from allos.runs.score import normalize_scorers

_MOST_REPEATS = 10
_LEVEL = 0.95
_OF_RESULTS = ("target", "count_failures", "until", "decide_by")
"""Arguments of `evaluate` that change nothing of what is sent at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPreview(BatchPreview):
    """What an evaluation would send and could show. Nothing was sent; `str` says it in a few lines.

    The differences are those of mean scores of two models, which are found four times out of five.
    """

    rows: int
    repeats: int
    difference: float
    """What is to be shown."""
    shows: float
    """The smallest difference that the rows and repeats can show."""
    rows_needed: int
    """How many rows show the difference, with as many repeats."""
    repeats_needed: int | None = None
    """How many repeats show it with the rows that there are; None: more than 10, or no number of them."""
    assumptions: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether the rows and repeats can show the difference."""
        return self.rows_needed <= self.rows

    @property
    def row_cost_usd(self) -> float | None:
        """Upper bound of the cost of one more row; None when it is unknown for one of the models."""
        total = 0.0
        for each in self.columns:
            worst = None if each.example is None else each.example.estimate.worst_cost_usd
            if worst is None:
                return None
            total += worst * self.repeats
        return total

    def _more(self, rows: float) -> str:
        """Calls and cost of so many rows more."""
        calls = round(rows * self.repeats * len(self.columns))
        cost = self.row_cost_usd
        at_most = "cost unknown" if cost is None else f"at most {usd(cost * rows)}"
        return f"{calls:,} more calls, {at_most}"

    def power_lines(self) -> list[str]:
        """What it can show, and what the next useful size costs."""
        repeats = "" if self.repeats == 1 else f", {self.repeats} answers each,"
        lines = [
            f"{self.rows:,} rows{repeats} can show a difference of {self.shows:.3f} between two models, four "
            f"times out of five. {self.assumptions}"
        ]
        if self.is_enough:
            lines.append(f"That is enough for a difference of {self.difference:g}.")
            return lines
        lines.append(
            f"A difference of {self.difference:g} needs {self.rows_needed:,} rows: "
            f"{self._more(self.rows_needed - self.rows)}."
        )
        if self.repeats_needed is not None:
            share = (self.repeats_needed - self.repeats) / self.repeats
            lines.append(
                f"Or {self.repeats_needed} answers to each of these rows (n={self.repeats_needed}): "
                f"{self._more(self.rows * share)}."
            )
        return lines

    def __str__(self) -> str:
        return "\n".join([*self.power_lines(), BatchPreview.__str__(self)])

    def __repr__(self) -> str:
        return f"<EvaluationPreview: {self.cost()}; shows a difference of {self.shows:.3f}>"


@checked_keywords(*keyword_names(batch), *_OF_RESULTS, *OPTIONS)
def preview_evaluation(
    data: Any,
    prompt: Prompt | None = None,
    *,
    models: Sequence[str | Provider] | str | Provider,
    scorers: Any = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    difference: float = 0.05,
    pass_rate: float = 0.5,
    pilot: Evaluation | None = None,
    **options: Any,
) -> EvaluationPreview:
    """Return what `evaluate` would send and cost with the same arguments, and what it could show.

    Nothing is sent.

    Parameters
    ----------
    data, prompt, models, scorers, params, n, **options
        As in `evaluate`.
    difference : float
        Of mean scores or pass rates, that is to be shown: 0.05 is 5 points.
    pass_rate : float
        Rough pass rate, where nothing else is known.
    pilot : Evaluation, optional
        Of a few rows, with the same scorer first: how much scores vary is taken from it.

    Returns
    -------
    EvaluationPreview
        That of the batch, with the difference that it can show, and the rows and repeats that it takes to show
        the one wanted. With more than two models for the corrected comparison of all pairs.

    Raises
    ------
    ConfigurationError, TemplateError
        As in `evaluate`, or a number is out of its range.

    Examples
    --------
    >>> import pandas as pd
    >>> tickets = pd.DataFrame({"text": [f"Ticket {number}" for number in range(200)]})
    >>> found = preview_evaluation(
    ...     tickets, "Classify: {{ text }}", models=["groq/x", "groq/y"], api_key="gsk-example"
    ... )
    >>> found.calls, found.rows_needed, found.is_enough
    (400, 1180, False)
    """
    if pilot is not None and not isinstance(pilot, Evaluation):
        raise ConfigurationError(
            f"pilot must be an evaluation of a few rows, got {type(pilot).__name__}. Nothing was sent."
        )
    check_numbers(difference=difference, pass_rate=pass_rate)
    if scorers is not None:
        normalize_scorers(scorers, options.get("target", ""))
    kept = {name: value for name, value in options.items() if name not in _OF_RESULTS}
    planned = preview_batch(data, prompt, models=models, params=params, n=n, **kept)
    columns = len(planned.columns)
    if columns < 2:
        raise ConfigurationError("preview_evaluation() needs two models, or sets of parameters.")
    rows = (planned.calls + planned.answered) // (columns * n)
    spread = _spread(pass_rate, pilot)
    level = 1 - (1 - _LEVEL) / (columns * (columns - 1) / 2)
    shown = power(max(rows, 2), n, level=level, **spread)
    needed = power(difference=difference, repeats=n, level=level, **spread)
    more = power(max(rows, 2), range(n, max(n, _MOST_REPEATS) + 1), level=level, **spread)
    enough = more[more["difference"] <= difference]["repeats"]
    return EvaluationPreview(
        **{each.name: getattr(planned, each.name) for each in fields(planned)},
        rows=rows,
        repeats=n,
        difference=difference,
        shows=shown["difference"].item(),
        rows_needed=needed["n_prompts"].item(),
        repeats_needed=int(enough.min()) if len(enough) else None,
        assumptions=shown.attrs["assumptions"],
    )


def _spread(pass_rate: float, pilot: Evaluation | None) -> dict[str, Any]:
    """What `power` is told of the scores."""
    if pilot is None:
        return {"pass_rate": pass_rate}
    scorer = pilot.scorers[0].name
    table = pilot.table
    first, second, *_ = [*table[table["scorer"] == scorer]["model"], None, None]
    return {"pilot": pilot.scores(), "score": scorer, "a": first, "b": second}
