"""Evaluations with a known truth that are looked at after every row: how often is the verdict false?

Run ``python -m tests.simulation.stopping`` to print the table of
``docs/explanation/stopping-early.md`` (half a minute).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allos.analysis.separation import Separation

STUDIES = 1000
ROWS = 1000
Scores = Callable[[np.random.Generator, int], np.ndarray]
"""Scores of so many studies: study, row, model."""


@dataclass(frozen=True)
class Stopped:
    """Of one kind of evaluation."""

    kind: str
    false: float
    """Percent of studies with a verdict for a model that is not better than all others."""
    decided: float
    """Percent with a verdict that is right."""
    rows: float
    """Median of the rows after which it is decided; all of them where it is not."""
    naive: float
    """Percent of false verdicts of a paired t-test that is looked at after every row from the 20th on."""


def pass_fail(*rates: float) -> Scores:
    """Models that pass by chance, on prompts that are easy or hard for all of them."""
    centre = np.log(np.array(rates) / (1 - np.array(rates))) * 1.2

    def scores(chooser: np.random.Generator, studies: int) -> np.ndarray:
        hard = chooser.normal(size=(studies, ROWS, 1))
        drawn = chooser.random((studies, ROWS, len(rates)))
        return (drawn < 1 / (1 + np.exp(-(hard + centre)))).astype(float)

    return scores


def numbers(*means: float) -> Scores:
    """Models whose scores are any number from 0 to 1."""

    def scores(chooser: np.random.Generator, studies: int) -> np.ndarray:
        drawn = [chooser.beta(4 * mean, 4 * (1 - mean), size=(studies, ROWS)) for mean in means]
        return np.stack(drawn, axis=-1)

    return scores


def same_table(chooser: np.random.Generator, studies: int) -> np.ndarray:
    """One table on which two models have the same total, in another order in each study."""
    table = np.zeros((ROWS, 2))
    table[: ROWS // 2, 0] = table[ROWS // 2 :, 1] = 1
    return np.stack([chooser.permutation(table) for _ in range(studies)])


def stopping(kind: str, scores: Scores, best: int | None, *, studies: int, seed: int) -> Stopped:
    """Studies of one kind; `best` is the model that is better than all others, None where none is."""
    drawn = scores(np.random.default_rng(seed), studies)
    models = drawn.shape[-1]
    test = Separation(models, studies=studies)
    stops = np.full(studies, ROWS)
    for row in range(ROWS):
        was_open = test.best < 0
        test.add(drawn[:, row])
        stops[was_open & (test.best >= 0)] = row + 1
    is_right = test.best == (-2 if best is None else best)
    return Stopped(
        kind,
        100 * float(((test.best >= 0) & ~is_right).mean()),
        100 * float(is_right.mean()),
        float(np.median(stops)),
        100 * float(_naive(drawn).mean()) if best is None else float("nan"),
    )


def _naive(drawn: np.ndarray) -> np.ndarray:
    """Whether a t-test of the first two models is ever significant, looked at after every row."""
    difference = drawn[:, :, 0] - drawn[:, :, 1]
    count = np.arange(1, ROWS + 1)
    mean = np.cumsum(difference, axis=1) / count
    spread = np.sqrt(np.maximum(np.cumsum(difference**2, axis=1) / count - mean**2, 1e-12))
    found = np.abs(mean) > 1.96 * spread / np.sqrt(count)
    return np.asarray(found[:, 20:].any(axis=1))


KINDS: dict[str, tuple[Scores, int | None]] = {
    "2 equal, pass/fail 70 %": (pass_fail(0.7, 0.7), None),
    "2 equal, pass/fail 97 %": (pass_fail(0.97, 0.97), None),
    "2 equal, numbers": (numbers(0.6, 0.6), None),
    "2 equal on one table": (same_table, None),
    "2 equal, 1 worse": (pass_fail(0.8, 0.8, 0.6), None),
    "5 equal, pass/fail 70 %": (pass_fail(0.7, 0.7, 0.7, 0.7, 0.7), None),
    "80 % and 70 %": (pass_fail(0.8, 0.7), 0),
    "90 % and 60 %": (pass_fail(0.9, 0.6), 0),
    "95 % and 90 %": (pass_fail(0.95, 0.9), 0),
    "mean 0.60 and 0.50": (numbers(0.6, 0.5), 0),
    "85 %, 75 % and 60 %": (pass_fail(0.85, 0.75, 0.6), 0),
}


def table(studies: int = STUDIES) -> str:
    """All studies, as a table in Markdown."""
    lines = [
        "| models | false verdicts | right verdicts | rows, median | false, t-test after every row |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, (scores, best) in KINDS.items():
        found = stopping(kind, scores, best, studies=studies, seed=6)
        naive = "" if best is not None else f"{found.naive:.1f} %"
        lines.append(
            f"| {kind} | {found.false:.1f} % | {found.decided:.1f} % | {found.rows:,.0f} | {naive} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
