from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import variance_split
from allos.errors import ConfigurationError


def scored(
    prompt: float,
    repeat: float,
    judge: float = 0,
    *,
    prompts: int = 400,
    repeats: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores with these standard deviations; with judges, two for each answer, of ten."""
    chooser = np.random.default_rng(seed)
    of_prompt = np.repeat(np.arange(prompts), repeats)
    values = (chooser.normal(size=prompts) * prompt)[of_prompt]
    values = values + chooser.normal(size=len(values)) * repeat
    frame = pd.DataFrame(
        {"model": "m", "prompt": of_prompt, "id": range(len(values)), "score": values}
    )
    if not judge:
        return frame
    frame = frame.loc[frame.index.repeat(2)].reset_index(drop=True)
    first = chooser.integers(10, size=len(frame) // 2)
    second = (first + 1 + chooser.integers(9, size=len(first))) % 10
    frame["judge"] = np.column_stack([first, second]).ravel()
    frame["score"] += chooser.normal(size=len(frame)) * judge
    return frame


def test_components() -> None:
    """Known variances are found."""
    found = variance_split(scored(2, 1), score="score").iloc[0]

    assert found["prompt_variance"] == pytest.approx(4, rel=0.2)
    assert found["repeat_variance"] == pytest.approx(1, rel=0.1)
    assert np.isnan(found["judge_variance"])
    assert found["prompt_share"] + found["repeat_share"] == pytest.approx(1)


def test_judges() -> None:
    """What judges differ by on one answer is told from what repeats differ by."""
    found = variance_split(scored(2, 1, 1.5), score="score", answer="id", judge="judge").iloc[0]

    assert found["prompt_variance"] == pytest.approx(4, rel=0.25)
    assert found["repeat_variance"] == pytest.approx(1, rel=0.35)
    assert found["judge_variance"] == pytest.approx(2.25, rel=0.2)
    assert found["n_answers"] == 1200


def test_one_judge_for_each_answer() -> None:
    """Without a second judge on an answer, a judge's noise is part of what repeats differ by."""
    frame = scored(2, 1).assign(judge=lambda rows: rows["id"] % 7)
    found = variance_split(frame, score="score", answer="id", judge="judge").iloc[0]

    assert found["repeat_variance"] == pytest.approx(1, rel=0.15)
    assert np.isnan(found["judge_variance"])


@pytest.mark.parametrize(
    ("prompt", "repeat", "cost", "said"),
    [(2, 1, 1, "rows"), (1, 5, 1, "repeats"), (2, 1, 100, "repeats"), (1, 5, 0, "rows")],
)
def test_advice(prompt: float, repeat: float, cost: float, said: str) -> None:
    """Rows where prompts differ, repeats where answers do, unless rows cost much or nothing."""
    found = variance_split(scored(prompt, repeat), score="score", row_cost=cost)

    assert found["best_spent_on"].item() == said
    assert found["advice"].item().startswith(f"The next dollar is best spent on {said}: ")
    assert found.attrs["advice"] == found["advice"].tolist()


def test_unknown_split() -> None:
    """Without repeats, with one prompt, or without spread, nothing is advised, and it is said why."""
    alone = variance_split(scored(2, 1, repeats=1), score="score").iloc[0]
    one = variance_split(scored(2, 1, prompts=1), score="score").iloc[0]
    equal = variance_split(scored(0, 0), score="score").iloc[0]

    assert [row["best_spent_on"] for row in (alone, one, equal)] == [None] * 3
    assert "repeats" in alone["advice"]
    assert "prompts" in one["advice"]
    assert "equal" in equal["advice"]


def test_unknown_scores_and_models() -> None:
    """Each model has a row; scores that are unknown are counted."""
    frame = pd.concat([scored(2, 1), scored(1, 1).assign(model="n")], ignore_index=True)
    frame.loc[:4, "score"] = None
    found = variance_split(frame, score="score")

    assert found["model"].tolist() == ["m", "n"]
    assert found["unknown"].tolist() == [5, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"judge": "id"}, "answer= must name"),
        ({"row_cost": -1}, "row_cost must be"),
        ({"row_cost": "1"}, "row_cost must be"),
    ],
)
def test_invalid(arguments: dict[str, object], said: str) -> None:
    """Judges need to know which answer they judged; a cost is not negative."""
    with pytest.raises(ConfigurationError, match=said):
        variance_split(scored(1, 1), score="score", **arguments)  # type: ignore[arg-type]
