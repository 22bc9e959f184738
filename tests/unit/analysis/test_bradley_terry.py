from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import bradley_terry
from allos.analysis.bradley_terry import fit
from allos.analysis.votes import Votes


def made(count: int = 600, models: int = 4, seed: int = 0, raters: int = 20) -> Votes:
    chooser = np.random.default_rng(seed)
    strength = np.linspace(0, 1.5, models)
    first = chooser.integers(models, size=count)
    second = (first + 1 + chooser.integers(models - 1, size=count)) % models
    chance = 1 / (1 + np.exp(strength[second] - strength[first]))
    return Votes(
        pd.RangeIndex(models),
        first,
        second,
        (chooser.random(count) < chance).astype(float),
        np.zeros(count, dtype=bool),
        np.arange(count) % raters,
        np.arange(count) % 50,
    )


def test_strengths() -> None:
    """A known order is found, around 0."""
    found = fit(made(6000))

    assert found.strengths.tolist() == sorted(found.strengths)
    assert found.strengths.sum() == pytest.approx(0, abs=1e-9)
    assert found.strengths[3] - found.strengths[0] == pytest.approx(1.5, abs=0.25)


def test_covariates_that_are_nothing_change_nothing() -> None:
    """Vote by vote gives what votes of one kind give together."""
    votes = made()
    noise = np.random.default_rng(5).normal(size=(len(votes), 1)) * 1e-6
    plain, beside = fit(votes), fit(votes, noise)

    assert beside.strengths == pytest.approx(plain.strengths, abs=0.05)
    assert beside.covariance.shape == (5, 5)


def test_copied_votes_of_a_rater() -> None:
    """A rater who votes ten times as often is no ten raters: the robust variance stays."""
    votes = made(seed=2)
    copies = {
        name: np.tile(getattr(votes, name), 10)
        for name in ("first", "second", "outcome", "is_bad", "rater", "prompt")
    }
    one, ten = fit(votes), fit(Votes(votes.models, **copies))

    assert np.diag(ten.covariance) == pytest.approx(np.diag(one.covariance), rel=0.15)
    assert (np.diag(ten.naive) < np.diag(one.naive) / 8).all()


def test_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many clusters are summed at once does not change the result."""
    whole = fit(made())
    monkeypatch.setattr(bradley_terry, "_CHUNK_CELLS", 12)

    assert fit(made()).covariance == pytest.approx(whole.covariance)


@pytest.mark.parametrize(("raters", "prompts"), [(1, 50), (20, 1), (1, 1)])
def test_one_rater_or_prompt(raters: int, prompts: int) -> None:
    """One rater, or one prompt, leaves the other way of clustering, or none."""
    votes = made()
    few = Votes(
        votes.models,
        votes.first,
        votes.second,
        votes.outcome,
        votes.is_bad,
        votes.rater % raters,
        votes.prompt % prompts,
    )
    found = fit(few)

    assert np.isfinite(found.covariance).all()
    assert found.dof == max(raters, prompts) - 1 or found.dof == 1
