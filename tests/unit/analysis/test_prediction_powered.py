from __future__ import annotations

import math

import numpy as np
import pytest

from allos.analysis.prediction_powered import (
    UNKNOWN,
    Cell,
    corrected_mean,
    judge_weights,
    part_of,
    with_disagreements,
)


def a_cell(labels: int, rest: int, *, noise: float = 0.5, bias: float = 1.0, seed: int = 0) -> Cell:
    """Answers that a judge scores too high, the first of them labelled."""
    chooser = np.random.default_rng(seed)
    quality = chooser.normal(size=labels + rest)
    human = quality + 0.3 * chooser.normal(size=labels + rest)
    human[labels:] = np.nan
    judge = quality + bias + noise * chooser.normal(size=labels + rest)
    return Cell(judge, human, np.arange(labels + rest))


def test_the_formula_of_the_paper() -> None:
    """Estimate, weight and variance are those of PPI++ (arXiv:2311.01453), where there are many labels."""
    cell = a_cell(800, 4000)
    y, f, g = cell.human[:800], cell.judge[:800], cell.judge[800:]
    weight = np.cov(y, f)[0, 1] / cell.judge.var(ddof=1) / (1 + 800 / 4000)
    mean = weight * g.mean() + (y - weight * f).mean()
    variance = weight**2 * g.var(ddof=1) / 4000 + (y - weight * f).var(ddof=1) / 800
    found = corrected_mean([cell])

    assert found.mean == pytest.approx(mean, abs=1e-3)
    assert found.weight == pytest.approx(weight, rel=1e-3)
    assert found.variance == pytest.approx(variance, rel=0.01)
    assert 800 < found.dof < 4800


def test_a_weight_is_found_without_its_label() -> None:
    """Each label's weight is the one that the other labels give."""
    cell = a_cell(8, 30)
    for number, weight in enumerate(judge_weights(cell)):
        others = np.delete(np.arange(8), number)
        together = np.cov(cell.judge[others], cell.human[others])[0, 1]
        expected = together / cell.judge.var(ddof=1) / (1 + 8 / 30)

        assert weight == pytest.approx(min(1.0, max(0.0, expected)))


def test_a_useless_judge_weighs_nothing() -> None:
    """Without a judge to go by, mean and interval are those of the labels."""
    cell = a_cell(12, 100)
    constant = Cell(np.full(112, 3.0), cell.human, cell.cluster)
    everything = a_cell(12, 0)
    for each in (constant, everything):
        found = corrected_mean([each])
        labels = each.human[:12]

        assert found.weight == 0
        assert found.mean == pytest.approx(labels.mean())
        assert found.variance == pytest.approx(labels.var(ddof=1) / 12)
        assert found.dof == pytest.approx(11)


def test_too_few_labels_claim_nothing() -> None:
    """Two labels, or labels of one cluster, have no interval."""
    few, alike = a_cell(2, 20), a_cell(8, 20)
    alike = Cell(alike.judge, alike.human, np.where(np.arange(28) < 8, 0, np.arange(28)))

    assert part_of(few) is None
    assert part_of(alike) is None
    assert corrected_mean([a_cell(9, 20), few]) == UNKNOWN
    assert math.isnan(corrected_mean([]).interval(0.95)[0])


def test_clusters_widen() -> None:
    """Answers in fours of one kind say as much as a quarter of them."""
    cell = a_cell(40, 200)
    fours = np.repeat(np.arange(240), 4)
    alone = corrected_mean([cell])
    repeated = Cell(np.repeat(cell.judge, 4), np.repeat(cell.human, 4), fours)

    assert corrected_mean([repeated]).variance == pytest.approx(alone.variance, rel=0.05)
    independent = Cell(repeated.judge, repeated.human, np.arange(960))
    assert corrected_mean([independent]).variance < alone.variance / 3


def test_strata_weigh_what_they_are() -> None:
    """More labels in one stratum do not give it more weight."""
    good, bad = a_cell(10, 290, bias=0), a_cell(60, 40, bias=2)
    low, high = corrected_mean([good]), corrected_mean([bad])
    both = corrected_mean([good, Cell(bad.judge, bad.human, bad.cluster + 300)])

    assert both.mean == pytest.approx(0.75 * low.mean + 0.25 * high.mean)
    assert both.variance == pytest.approx(0.75**2 * low.variance + 0.25**2 * high.variance)


def test_labels_that_all_agree_prove_little() -> None:
    """Two labels half a point off keep an interval from having no width."""
    judge = np.tile([1.0, 0.0, 1.0, 1.0], 10)
    cell = Cell(judge, np.where(np.arange(40) < 8, judge, np.nan), np.arange(40))
    low, high = corrected_mean([with_disagreements(cell)]).interval(0.95)

    assert low < 0.6
    assert high > 0.9
