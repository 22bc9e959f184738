from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import drift


def week(seed: int, seconds: float, prompts: int = 20, **columns: object) -> pd.DataFrame:
    """Three repeats of each prompt, some slower than others."""
    generator = np.random.default_rng(seed)
    asked = [f"p{number % prompts}" for number in range(3 * prompts)]
    slow = seconds + generator.exponential(0.1, size=len(asked))
    return pd.DataFrame(
        {"model": "m", "prompt": asked, "status": "ok", "latency_s": slow, **columns}
    )


def measure(found: pd.DataFrame, name: str) -> dict[str, object]:
    (row,) = found[found["measure"] == name].to_dict("records")
    return row


def test_a_slower_model_is_found() -> None:
    """Pairs of the same prompts tell a change; repeats do not count as prompts."""
    row = measure(drift(week(1, 1.0), week(2, 2.0)), "latency_s")

    assert row["changed"] is True
    assert row["prompts"] == 20
    assert row["paired"] is True
    assert row["difference"] == pytest.approx(1.0, abs=0.1)


def test_nothing_is_made_of_chance() -> None:
    """Two weeks of the same model are called a change about as often as the level says, or less."""
    alarms = [
        measure(drift(week(2 * n, 1.0), week(2 * n + 1, 1.0)), "latency_s")["changed"]
        for n in range(60)
    ]

    assert sum(map(bool, alarms)) <= 8


def test_other_prompts_are_said() -> None:
    """Without common prompts all are compared, and the note says so; with few there is no verdict."""
    others = week(2, 2.0).assign(prompt=lambda frame: "other " + frame["prompt"])
    few = drift(week(1, 1.0, prompts=2), week(2, 2.0, prompts=2))

    assert measure(drift(week(1, 1.0), others), "latency_s")["note"] == "not the same prompts"
    assert pd.isna(measure(few, "latency_s")["changed"])


def test_another_model_behind_the_name() -> None:
    """A new served model or fingerprint is a change, and is named."""
    before = week(1, 1.0, response_model="m-01", system_fingerprint="fp_1")
    after = week(2, 1.0, response_model="m-02", system_fingerprint="fp_1")
    found = drift(before, after)

    assert measure(found, "response_model")["changed"] is True
    assert measure(found, "response_model")["note"] == "new: m-02"
    assert measure(found, "system_fingerprint")["changed"] is False


def test_answers_are_compared_with_repeats() -> None:
    """Answers that differ only as much as repeats did are no change; new ones are."""
    same, new = week(1, 1.0, content="4"), week(2, 1.0, content="5")

    assert measure(drift(same, same), "same_answer")["changed"] is False
    assert measure(drift(same, new), "same_answer")["changed"] is True
    assert measure(drift(same, new), "same_answer")["b"] == 0.0


def test_answers_without_repeats_are_compared_with_nothing() -> None:
    """Only prompts that were repeated tell how much answers differ anyway; the others shift no mean."""
    repeated = pd.DataFrame({"model": "m", "prompt": ["p", "p"], "content": ["4", "4"]})
    once = pd.DataFrame({"model": "m", "prompt": ["q"], "content": ["4"]})
    found = drift(pd.concat([repeated, once]), pd.concat([repeated, once.assign(content="5")]))
    same = measure(found, "same_answer")

    assert (same["a"], same["b"], same["difference"], same["prompts"]) == (1.0, 1.0, 0.0, 1)
    assert measure(drift(once, once.assign(content="5")), "same_answer")["b"] == 0.0


def test_groups_in_one_frame_only_have_no_row() -> None:
    """What is not in both has nothing to be compared with; frames without rows give none."""
    assert len(drift(week(1, 1.0), week(1, 1.0).assign(model="other"))) == 0
    assert len(drift(week(1, 1.0).iloc[:0], week(1, 1.0))) == 0
    assert set(drift(week(1, 1.0), week(2, 1.0), by=None)["measure"]) >= {"latency_s", "error_rate"}
