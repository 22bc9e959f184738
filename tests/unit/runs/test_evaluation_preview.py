from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.analysis import power
from allos.errors import ConfigurationError
from allos.testing import ScriptedProvider

PRICED = ["groq/llama-3.1-8b-instant", "groq/openai/gpt-oss-20b"]


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.log.close()


def preview(rows: int = 100, **options: Any) -> Any:
    data = pd.DataFrame({"text": [f"Ticket {number:04}" for number in range(rows)]})
    given = {"models": PRICED, "api_key": "gsk-example", "max_tokens": 10, **options}
    return allos.preview_evaluation(data, "{{ text }}", **given)


def test_what_it_can_show_and_what_the_next_size_costs() -> None:
    """Arguments of `evaluate` that change nothing of it are taken; more rows cost as those that there are."""
    found = preview(scorers=["exact"], target="text", until="decided")
    cost = found.worst_cost_usd

    assert found.calls == 200
    assert found.shows == pytest.approx(power(100)["difference"].item())
    assert found.rows_needed == power(difference=0.05)["n_prompts"].item()
    assert found.row_cost_usd == pytest.approx(cost / 100)
    assert not found.is_enough
    assert "A difference of 0.05 needs 1,180 rows: 2,160 more calls, at most $" in str(found)
    assert "200 calls, at most $" in str(found)
    assert preview(1200).is_enough
    assert "enough for a difference of 0.05" in str(preview(1200))


def test_repeats_help_where_they_are_enough() -> None:
    """More answers to the same rows, and more models, which need more."""
    found = preview(300, difference=0.08, models=[*PRICED, "groq/unknown"])

    assert found.repeats_needed == 5
    assert "Or 5 answers to each of these rows (n=5): 3,600 more calls, cost unknown." in str(found)
    assert found.shows > preview(300).shows
    assert preview(300, difference=0.01).repeats_needed is None


def test_a_pilot_knows_better() -> None:
    """How much scores vary is that of a small evaluation."""
    data = pd.DataFrame({"text": [f"{number}" for number in range(20)], "label": "1"})
    always, never = ScriptedProvider("1", model="always"), ScriptedProvider("2", model="never")
    small = allos.evaluate(
        data, "{{ text }}", models=[always, never], scorers=["exact"], target="label"
    )
    found = preview(pilot=small)

    assert found.assumptions.startswith("From the pilot")
    assert found.shows == 0


def test_one_model_has_nothing_to_be_compared_with() -> None:
    """One line says so."""
    with pytest.raises(ConfigurationError, match="two models"):
        preview(models="groq/x")
