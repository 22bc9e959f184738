"""The intervals contain the truth as often as they say, in studies whose truth is known.

The whole study takes about a minute; with ``--quick`` it is a tenth of it, with wider bounds.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from tests.simulation import coverage
from tests.simulation.coverage import PAIRED, SCORES, STUDIES, VOTES, Coverage

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "interval-coverage.md"


@pytest.fixture
def studies(request: pytest.FixtureRequest) -> int:
    return STUDIES // 10 if request.config.getoption("quick") else STUDIES


def check(found: Coverage, studies: int) -> None:
    """From 93 to 97 percent; with few studies as far beside as chance may take it."""
    beside = 0 if studies == STUDIES else 3 * 100 * math.sqrt(0.05 * 0.95 / studies)

    assert 93 - beside <= found.ours <= 97 + beside
    if studies == STUDIES:
        printed = _printed()[found.kind]
        assert (found.ours, found.small, found.naive) == pytest.approx(printed, abs=1.5)


def _printed() -> dict[str, tuple[float, ...]]:
    """Figures of the page, by kind of study."""
    rows = re.findall(
        r"^\| (.+?) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", PAGE.read_text("utf-8"), re.M
    )
    return {kind: tuple(map(float, figures)) for kind, *figures in rows}


@pytest.mark.parametrize("kind", SCORES)
def test_scores(kind: str, studies: int) -> None:
    """Mean scores of one model; naive intervals fail where answers belong together."""
    found = coverage.scores(f"mean: {kind}", studies=studies, seed=1, **SCORES[kind])

    check(found, studies)
    if "documents" in kind:
        assert found.naive < 90


@pytest.mark.parametrize("kind", PAIRED)
def test_differences(kind: str, studies: int) -> None:
    """Differences of two models on the same prompts."""
    check(
        coverage.differences(f"difference: {kind}", studies=studies, seed=2, **PAIRED[kind]),
        studies,
    )


@pytest.mark.parametrize("kind", VOTES)
def test_votes(kind: str, studies: int) -> None:
    """Ratings by votes; the known ranking is found, and the naive interval fails."""
    found = coverage.rankings(f"votes: {kind}", studies=studies, seed=3, **VOTES[kind])

    check(found.coverage, studies)
    assert found.coverage.naive < found.coverage.ours - 2
    assert found.order > 0.85
    assert found.ranks > 95


@pytest.mark.parametrize("pass_fail", [False, True])
def test_p_values_of_equal_models(pass_fail: bool, studies: int) -> None:
    """They are uniform, so that 5 % of them are below 0.05."""
    found = coverage.null_p_values(pass_fail=pass_fail, studies=studies, seed=4)
    # Mid-p values are those of whole numbers: uniform up to the steps between them.
    step = 0.03 if pass_fail else 0.0

    assert scipy.stats.kstest(found, "uniform").statistic < 1.63 / math.sqrt(studies) + step
    for bar in (0.01, 0.05, 0.2):
        assert np.mean(found < bar) == pytest.approx(bar, abs=4 * math.sqrt(bar / studies))
