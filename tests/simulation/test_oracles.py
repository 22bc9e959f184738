"""The statistics agree with SciPy, statsmodels, choix and evalica where these do the same."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from allos.analysis import agreement, leaderboard, paired, power, score_summary
from allos.analysis.bradley_terry import fit
from allos.analysis.distributions import t_cdf, t_quantile
from allos.analysis.mcnemar import mid_p
from allos.analysis.multiple_tests import holm
from allos.analysis.votes import read_votes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of their own imports
    import choix
    import evalica
    import statsmodels.api as sm
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import TTestPower
    from statsmodels.stats.proportion import proportion_confint


def votes(count: int = 1500, models: int = 5, seed: int = 0) -> pd.DataFrame:
    chooser = np.random.default_rng(seed)
    strength = np.linspace(0, 1.5, models)
    first = chooser.integers(models, size=count)
    second = (first + 1 + chooser.integers(models - 1, size=count)) % models
    wins = chooser.random(count) < 1 / (1 + np.exp(strength[second] - strength[first]))
    names = np.array([f"m{number}" for number in range(models)])
    return pd.DataFrame(
        {
            "rater": np.arange(count) % 30,
            "prompt": np.arange(count) % 101,
            "model_a": names[first],
            "model_b": names[second],
            "winner": np.where(wins, "a", "b"),
        }
    )


@pytest.mark.parametrize("dof", [0.7, 1, 2.5, 8, 40, 1000, 1e6])
def test_student_t(dof: float) -> None:
    """Distribution and quantiles are SciPy's."""
    for value in (-30, -2, -0.1, 0, 0.7, 3):
        assert t_cdf(value, dof) == pytest.approx(scipy.stats.t.cdf(value, dof), abs=1e-9)
    for probability in (0.001, 0.4, 0.9, 0.975, 0.9999):
        assert t_quantile(probability, dof) == pytest.approx(
            scipy.stats.t.ppf(probability, dof), rel=1e-6
        )


def test_cluster_robust_means() -> None:
    """With clusters of one size CR2 is CR1, statsmodels' own."""
    chooser = np.random.default_rng(0)
    cluster = np.repeat(np.arange(12), 5)
    score = chooser.normal(size=12)[cluster] + chooser.normal(size=60)
    frame = pd.DataFrame({"model": "m", "prompt": range(60), "c": cluster, "score": score})
    found = score_summary(frame, score="score", cluster="c").iloc[0]
    theirs = sm.OLS(score, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "df_correction": True}, use_t=True
    )

    assert (found["low"], found["high"]) == pytest.approx(tuple(theirs.conf_int()[0]))


@pytest.mark.parametrize("passed", [0, 1, 17, 30])
def test_pass_rates(passed: int) -> None:
    """Independent answers have Wilson's interval."""
    frame = pd.DataFrame({"model": "m", "prompt": range(30), "ok": np.arange(30) < passed})
    found = score_summary(frame, score="ok").iloc[0]
    theirs = proportion_confint(passed, 30, method="wilson")

    assert (found["low"], found["high"]) == pytest.approx(theirs, abs=1e-9)


def test_paired_t() -> None:
    """Numbers, once for each prompt, are SciPy's paired t-test."""
    chooser = np.random.default_rng(0)
    a, b = chooser.normal(size=(2, 25))
    frame = pd.DataFrame(
        {
            "model": ["a"] * 25 + ["b"] * 25,
            "prompt": [*range(25), *range(25)],
            "score": [*a, *b],
        }
    )
    found = paired(frame, score="score", a="a", b="b").iloc[0]
    theirs = scipy.stats.ttest_rel(a, b)

    assert found["p_value"] == pytest.approx(theirs.pvalue)
    assert (found["low"], found["high"]) == pytest.approx(tuple(theirs.confidence_interval()))


@pytest.mark.parametrize(("first", "second"), [(3, 9), (0, 4), (20, 21), (50, 31)])
def test_mcnemar(first: int, second: int) -> None:
    """The mid-p value is the exact one without half of the observed outcome."""
    exact = mcnemar([[0, first], [second, 0]], exact=True).pvalue
    point = scipy.stats.binom.pmf(min(first, second), first + second, 0.5)

    assert mid_p(first, second) == pytest.approx(exact - point, abs=1e-9)


def test_holm() -> None:
    """Corrected p-values are those of statsmodels."""
    values = np.random.default_rng(0).random(12) ** 3

    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


@pytest.mark.parametrize("prompts", [5, 12, 60, 400])
def test_power(prompts: int) -> None:
    """The power of a paired t-test is that of statsmodels."""
    for effect in (0.1, 0.3) if prompts < 400 else (0.1,):
        found = power(prompts, difference=effect, prompt_sd=1.0, repeat_sd=0.0)["power"].item()
        theirs = TTestPower().power(effect, prompts, 0.05)

        assert found == pytest.approx(theirs, abs=0.02)


def test_strengths() -> None:
    """Strengths are choix's and evalica's, the virtual votes apart."""
    frame = votes()
    read = read_votes(frame)
    won = read.outcome == 1
    pairs = np.column_stack(
        [np.where(won, read.first, read.second), np.where(won, read.second, read.first)]
    )
    ours = fit(read).strengths
    theirs = choix.ilsr_pairwise(len(read.models), pairs.tolist())
    winners = [evalica.Winner.X if one else evalica.Winner.Y for one in won]
    counted = evalica.bradley_terry(
        frame["model_a"], frame["model_b"], winners, tolerance=1e-10, limit=1000
    )
    logs = np.log(counted.scores[list(read.models)].to_numpy())

    assert ours == pytest.approx(theirs - theirs.mean(), abs=0.01)
    assert ours == pytest.approx(logs - logs.mean(), abs=0.01)


def test_ties_are_half_wins() -> None:
    """As evalica takes them."""
    frame = votes(seed=1)
    frame.loc[::5, "winner"] = "tie"
    names = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    theirs = evalica.bradley_terry(
        frame["model_a"],
        frame["model_b"],
        [names[winner] for winner in frame["winner"]],
        tie_weight=0.5,
        tolerance=1e-10,
        limit=1000,
    )
    logs = np.log(theirs.scores)
    expected = 1000 + 400 / math.log(10) * (logs - logs.mean())
    found = leaderboard(frame).set_index("model")["rating"]

    assert found.to_numpy() == pytest.approx(expected[found.index].to_numpy(), abs=2)


@pytest.mark.parametrize("column", ["rater", "prompt"])
def test_sandwich(column: str) -> None:
    """Clustered one way, standard errors of differences are those of statsmodels' logistic regression."""
    frame = votes(4000)
    # The other way then adds nothing: each vote is a cluster of its own, and so is the intersection.
    other = "prompt" if column == "rater" else "rater"
    frame[other] = range(len(frame))
    read = read_votes(frame)
    found = fit(read)
    design = np.zeros((len(frame), 5))
    design[np.arange(len(frame)), read.first] += 1
    design[np.arange(len(frame)), read.second] -= 1
    theirs = sm.GLM(read.outcome, design[:, 1:], family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": frame[column].to_numpy()}
    )
    ours = [
        math.sqrt(
            found.covariance[place, place] + found.covariance[0, 0] - 2 * found.covariance[0, place]
        )
        for place in range(1, 5)
    ]

    assert ours == pytest.approx(list(theirs.bse), rel=0.03)


def test_bootstrap_by_prompt() -> None:
    """The sandwich agrees with drawing prompts again, with replacement."""
    chooser = np.random.default_rng(0)
    frame = votes(3000, models=3).assign(rater=lambda rows: range(len(rows)))
    liked = chooser.normal(size=(101, 3))
    names = {"m0": 0, "m1": 1, "m2": 2}
    first, second = frame["model_a"].map(names), frame["model_b"].map(names)
    lean = liked[frame["prompt"], first] - liked[frame["prompt"], second]
    frame["winner"] = np.where(chooser.random(3000) < 1 / (1 + np.exp(-lean)), "a", "b")
    of_prompt = [rows for _, rows in frame.groupby("prompt")]
    found = leaderboard(frame).sort_values("model")
    drawn = []
    for _ in range(200):
        again = pd.concat([of_prompt[place] for place in chooser.integers(101, size=101)])
        drawn.append(leaderboard(again).sort_values("model")["rating"].to_numpy())
    half = (found["high"] - found["low"]) / 2

    assert half.to_numpy() == pytest.approx(1.98 * np.std(drawn, axis=0), rel=0.2)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha(scale: str) -> None:
    """Krippendorff's alpha is evalica's, values missing."""
    chooser = np.random.default_rng(0)
    truth = chooser.integers(1, 6, size=60)
    table = np.clip(truth + chooser.integers(-1, 2, size=(4, 60)), 1, 5).astype(float)
    table[chooser.random((4, 60)) < 0.2] = np.nan
    frame = (
        pd.DataFrame(table).stack().rename_axis(["rater", "prompt"]).rename("rating").reset_index()
    )
    found = agreement(frame, value="rating", scale=scale)["alpha"].item()  # type: ignore[arg-type]

    assert found == pytest.approx(evalica.alpha(pd.DataFrame(table), distance=scale).alpha)
