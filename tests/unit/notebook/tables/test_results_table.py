"""Results of the analysis as tables made for reading."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allos import analysis
from allos.notebook.tables.recognise import table_of
from allos.render.data_table import table_text
from tests.support.analysis_frames import RESULTS, log


@pytest.mark.parametrize("name", RESULTS)
def test_each_result_has_a_table_and_its_parts_have_none(shell: Any, name: str) -> None:
    """Its title names what it is; a part of it is shown as pandas shows it."""
    result = RESULTS[name]()
    html = shell.display_formatter.format(result)[0]["text/html"]
    part = result.iloc[:1]

    assert "allos-out" in html
    assert ">nan<" not in html.lower()
    assert shell.display_formatter.format(part)[0]["text/html"] == part._repr_html_()


def test_intervals_ranks_and_probabilities_are_for_reading() -> None:
    """Two columns become one; the method stands below."""
    ranked = table_text(table_of(RESULTS["leaderboard"]()) or pytest.fail("no table"))
    compared = table_text(table_of(RESULTS["compare_all"]()) or pytest.fail("no table"))

    assert ranked.startswith("3 models ranked by votes\n\nmodel")
    assert "rank" in ranked
    assert " to " in ranked
    assert "rank low" not in ranked
    assert "95 % intervals, Bradley-Terry" in ranked
    assert "p adjusted" in compared
    assert "p value" not in compared


def test_what_drift_compares_is_in_the_unit_of_its_measure() -> None:
    """Seconds, shares and dollars."""
    text = table_text(table_of(RESULTS["drift"]()) or pytest.fail("no table"))

    assert "9.0 s" in text
    assert "$" in text
    assert "%" in text


def test_long_results_are_cut() -> None:
    """As many rows as pandas would show; the title says that there are more."""
    frame = pd.DataFrame(
        {
            "prompt": [f"p{number // 2}" for number in range(400)],
            "model": ["a", "b"] * 200,
            "content": ["x", "y"] * 200,
        }
    )
    table = table_of(analysis.disagreement(frame))

    assert table is not None
    assert table.title == "200 prompts by how much answers differ, the first 60"
    assert len(table.rows) == 60


def test_an_empty_result_is_its_title() -> None:
    """Nothing failed: one line says so."""
    table = table_of(analysis.errors(log().query("status == 'ok'"), by="model"))

    assert table is not None
    assert table.title == "Failed calls, 0 kinds"
