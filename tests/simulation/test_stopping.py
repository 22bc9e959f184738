"""Verdicts of evaluations that are looked at after every row are false in at most 5 % of them.

The whole study takes about a quarter of a minute; with ``--quick`` it is a tenth of it, with wider bounds.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tests.simulation.stopping import KINDS, STUDIES, stopping

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "stopping-early.md"


@pytest.mark.parametrize("kind", KINDS)
def test_false_verdicts(kind: str, request: pytest.FixtureRequest) -> None:
    """Five percent is a bound and not an aim; a model that is clearly better is found, and soon."""
    is_whole = not request.config.getoption("quick")
    studies = STUDIES if is_whole else STUDIES // 10
    scores, best = KINDS[kind]
    found = stopping(kind, scores, best, studies=studies, seed=6)

    assert found.false <= 5 + (0 if is_whole else 300 * math.sqrt(0.05 * 0.95 / studies))
    if best is None:
        assert found.naive > 20
    else:
        assert found.decided > 90
        assert found.rows < 500
    if is_whole:
        printed = re.search(
            rf"^\| {re.escape(kind)} \| ([\d.]+) % \| ([\d.]+) % \| ([\d,]+) \|",
            PAGE.read_text("utf-8"),
            re.M,
        )
        assert printed is not None
        figures = [float(each.replace(",", "")) for each in printed.groups()]
        assert [found.false, found.decided] == pytest.approx(figures[:2], abs=1)
        assert found.rows == pytest.approx(figures[2], rel=0.05)
