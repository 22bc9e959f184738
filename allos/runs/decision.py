"""Whether an evaluation is decided, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allos.providers.pricing.estimates import usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How the model with the best scores does against another one."""

    over: str
    """The other model."""
    difference: float
    """Of the mean scores, on the rows that were looked at."""
    is_better: bool
    """Whether it is better, and not only ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a model is better than all others, so far; `str` says it in a sentence.

    Attributes
    ----------
    scorer : str
        Which scores it goes by.
    rows, of_rows : int
        How many rows were looked at, and how many there are.
    first : str or None
        The model with the best scores; None where there are none.
    leads : sequence of Lead
        Of the first one over each other one.
    level : float
        One minus the chance of a false verdict.
    saved_calls : int
        Calls that need not be made.
    saved_usd : float or None
        What they would have cost, by the mean of those that were made; None where that is unknown.
    problem : str or None
        Why it cannot be decided.
    is_over : bool
        Whether nothing more will be looked at.
    """

    scorer: str
    rows: int
    of_rows: int
    level: float
    first: str | None = None
    leads: Sequence[Lead] = ()
    saved_calls: int = 0
    saved_usd: float | None = None
    problem: str | None = None
    is_over: bool = True

    @property
    def best(self) -> str | None:
        """The model that is better than all others; None: not decided."""
        is_best = bool(self.leads) and all(lead.is_better for lead in self.leads)
        return self.first if is_best else None

    @property
    def is_decided(self) -> bool:
        """Whether a model is better than all others."""
        return self.best is not None

    def __str__(self) -> str:
        rows = f"{self.rows:,} of {self.of_rows:,} rows"
        if self.problem is not None:
            return f"Not decided: {self.problem}"
        if self.is_decided:
            return f"Decided after {rows}: {self.first} is better than {self._others(True)}. {self._saving()}"
        so_far = f"Not decided{'' if self.is_over else ' yet'}, after {rows}"
        if not self.leads:
            return f"{so_far}."
        better = f"is better than {self._others(True)}, but" if self._of(True) else "is ahead, but"
        return f"{so_far}: {self.first} {better} cannot be told apart from {self._others(False)}."

    def _of(self, is_better: bool) -> list[Lead]:
        return [lead for lead in self.leads if lead.is_better == is_better]

    def _others(self, is_better: bool) -> str:
        named = [
            f"{lead.over} ({self.scorer} {lead.difference:+.3f})" for lead in self._of(is_better)
        ]
        return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))

    def _saving(self) -> str:
        if not self.saved_calls:
            return "No call was saved."
        calls = f"{self.saved_calls:,} call{'' if self.saved_calls == 1 else 's'}"
        return f"Saved {calls}{f', about {usd(self.saved_usd)}' if self.saved_usd else ''}."
