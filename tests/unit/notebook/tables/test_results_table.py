"""Results of the analysis as tables made for reading."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allos import analysis
from allos.analysis.results import as_result
from allos.notebook.tables.recognise import table_of
from allos.render.data_table import table_html, table_text
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


def _scored(**columns: Any) -> pd.DataFrame:
    """Scores of two settings, as an evaluation has them."""
    names = [
        f"groq/llama-3.1-8b-instant (temperature={value}, max_tokens=2000)" for value in (0, 1)
    ]
    facts = {
        "n_prompts": 40,
        "n_answers": 40,
        "mean": [0.61, -0.001],
        "low": [0.5, -0.2],
        "high": [0.7, 0.2],
    }
    outcomes = {"unknown": [3, 0], "refused": [1, 0], "cut": 0, "failed": [1, 0], "cancelled": 0}
    return pd.DataFrame({"scorer": "exact", "model": names, **facts, **outcomes, **columns})


def test_a_table_has_room_beside_a_notebook() -> None:
    """A value and its interval are one column, with as many digits as tell something; what all rows have is said once."""
    table = table_of(as_result(_scored(), "score_summary")) or pytest.fail("no table")
    html = table_html(table)

    assert list(table.heads) == ["model", "prompts", "mean", "no score"]
    assert table.title == "Scores of 2 groups, exact"
    assert [row[2] for row in table.rows] == ["0.61 (0.50 to 0.70)", "0.00 (−0.20 to 0.20)"]
    assert [row[3] for row in table.rows] == ["1 refused, 1 failed, 1 others", "0"]
    assert "(temperature=1, max_tokens=2000)" in html
    assert html.count('<td class="allos-long"') == 2


def test_several_scorers_are_a_column() -> None:
    """They tell rows apart; so do answers where there are repeats."""
    frame = _scored(scorer=["exact", "short"], n_answers=[80, 79])
    table = table_of(as_result(frame, "score_summary")) or pytest.fail("no table")

    assert list(table.heads) == ["scorer", "model", "prompts", "answers", "mean", "no score"]
    assert table.title == "Scores of 2 groups"


def test_a_median_has_its_percentile_behind_it() -> None:
    """And a note says what the rows hide; names are never cut."""
    frame = pd.DataFrame(
        {"setting": ["groq/llama-3.1-8b-instant (temperature 0, max_tokens 2000)"], "calls": [2]}
    ).assign(latency_s_p50=0.5, latency_s_p95=2.0)
    frame.attrs["notes"] = ["Something."]
    text = table_text(table_of(as_result(frame, "summary")) or pytest.fail("no table"))

    assert "latency (p95)" in text
    assert "0.50 s (2.0 s)" in text
    assert "max_tokens 2000)" in text
    assert text.endswith("Something.")
