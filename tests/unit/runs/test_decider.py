from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import BadRequestError, ConfigurationError
from allos.request import Request
from allos.runs.evaluation import Evaluation
from allos.testing import Answer, Hold, ScriptedProvider

ROWS = 200
DATA = pd.DataFrame({"item": [f"item {number}" for number in range(ROWS)], "label": "yes"})


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.stop_all()
    allos.log.close()


def number_of(request: Request) -> int:
    return int((request.messages[-1].text or "").rpartition(" ")[2])


def model(name: str, rate: float, **options: Any) -> ScriptedProvider:
    """It is right on so many of the rows, chosen at random."""

    def answer(request: Request) -> str:
        is_right = random.Random(f"{name} {number_of(request)}").random() < rate
        return "yes" if is_right else "no"

    return ScriptedProvider(answer, model=name, **options)


def evaluate(models: list[ScriptedProvider], **options: Any) -> Evaluation:
    given = {"scorers": ["exact"], "target": "label", "until": "decided", **options}
    return allos.evaluate(DATA, "{{ item }}", models=models, **given)


def test_it_stops_spending_once_it_is_decided() -> None:
    """Running it again asks nothing, says the same, and without `until` goes on with the rest."""
    good, bad = model("good", 0.95), model("bad", 0.6)
    found = evaluate([good, bad]).wait(30)
    asked = len(good.requests)
    again = evaluate([good, bad]).wait(30)

    assert found.decision is not None
    assert found.decision.best == "scripted/good"
    assert found.decision.rows <= asked < 100
    assert found.decision.saved_calls == 2 * (ROWS - asked)
    assert len(bad.requests) == asked == len(found.frame) / 2
    assert found.table["n_answers"].tolist() == [asked, asked]
    assert str(found).startswith(
        f"Decided after {found.decision.rows} of 200 rows: scripted/good is"
    )
    assert "chosen before" in found.to_html()
    assert "not needed" in str(found.batch)
    assert (again.id, again.decision, len(good.requests)) == (found.id, found.decision, asked)
    assert len(list(again.batch)) == 2 * asked

    whole = evaluate([good, bad], until=None).wait(30)
    assert whole.decision is None
    assert len(whole.frame) == 400
    assert len(good.requests) == 200

    late = evaluate([good, bad]).wait(30).decision
    assert late is not None
    assert (late.rows, late.saved_calls) == (found.decision.rows, 0)


def test_equal_models_are_asked_everything() -> None:
    """It says who is ahead, and that it is not decided."""
    found = evaluate([model("one", 0.7), model("two", 0.7)]).wait(30)

    assert str(found).startswith("Not decided, after 200 of 200 rows: scripted/")
    assert "cannot be told apart from" in str(found)
    assert len(found.frame) == 400


def test_rows_are_looked_at_in_their_order() -> None:
    """A row that is slow keeps those behind it waiting, and few are sent meanwhile."""
    hold, bad = Hold(), model("bad", 0.5)
    first: list[int] = []

    def slow(request: Request) -> Answer:
        first.append(number_of(request))
        return Answer([hold, "yes"]) if number_of(request) == first[0] else Answer("yes")

    good = ScriptedProvider(slow, model="good")
    found = evaluate([good, bad])
    hold.wait_until_reached()
    with pytest.raises(TimeoutError):
        found.wait(0.5)
    assert str(found.decision) == "Not decided yet, after 0 of 200 rows."
    assert len(good.requests) <= 16
    hold.release()
    found.wait(30)

    assert found.decision is not None
    assert found.decision.is_decided
    asked = [number_of(request) for request in good.requests]
    assert sorted(asked) != list(range(len(asked)))


def test_answers_are_scored_once() -> None:
    """A scorer that costs something is not called again for the table."""
    seen = []

    def right(row: Any) -> bool:
        seen.append(row["id"])
        return bool(row["content"] == "yes")

    found = evaluate([model("good", 0.95), model("bad", 0.5)], scorers=right).wait(30)

    assert len(found.table) == 2
    assert len(seen) == len(set(seen)) == len(found.frame)


def failing(row: Any) -> float:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("scorer", "says"),
    [
        (lambda row: 5, "Not decided: scores of scorer go outside 0 to 1 (5 to 5)"),
        (failing, "Not decided, after 200 of 200 rows."),
    ],
)
def test_scores_that_cannot_decide(scorer: Callable[..., float], says: str) -> None:
    """Every row is asked, as without `until`."""
    models = [model("one", 0.7), model("two", 0.7)]
    found = evaluate(models, scorers=scorer).wait(30)

    assert str(found.decision).startswith(says)
    assert [len(each.requests) for each in models] == [200, 200]


def test_failures_do_not_decide() -> None:
    """A service that fails is not a model that is wrong, unless it is to count as one."""
    broken = ScriptedProvider(BadRequestError("no"), model="broken")
    good = model("good", 0.9)
    found = evaluate([good, broken]).wait(30)

    assert str(found.decision) == "Not decided, after 200 of 200 rows."
    counted = evaluate([good, broken], count_failures=True).wait(30)
    assert counted.decision is not None
    assert counted.decision.best == "scripted/good"


def test_repeats_and_the_scorer_that_decides() -> None:
    """Repeats of a row are averaged; which scorer decides can be said."""
    models = [model("good", 0.95), model("bad", 0.5)]
    found = evaluate(
        models, n=2, scorers=[lambda row: 1, "exact"], decide_by="exact", batch_id="named"
    ).wait(30)

    assert found.id == "named"
    assert found.decision is not None
    assert found.decision.scorer == "exact"
    assert found.decision.saved_calls == 4 * ROWS - len(found.frame)


@pytest.mark.parametrize("until", ["decided", None])
def test_running_it_again_while_it_runs(until: str | None) -> None:
    """It is the same batch and the same decision; without `until` the rest is asked after all."""
    hold = Hold()
    good = ScriptedProvider(Answer([hold, "yes"]), model="good")
    bad = model("bad", 0.5)
    found = evaluate([good, bad])
    hold.wait_until_reached()
    again = evaluate([good, bad], until=until)
    hold.release()
    again.wait(30)

    assert again.batch is found.batch
    asked = [number_of(request) for request in good.requests]
    assert len(asked) == len(set(asked))
    if until is None:
        assert again.decision is None
        assert len(asked) == 200
    else:
        assert again.decision is found.decision
        assert again.decision is not None
        assert again.decision.is_decided


def test_cancel_ends_it() -> None:
    """Nobody waits for a decision that will not come."""
    hold = Hold()
    found = evaluate([ScriptedProvider(Answer([hold, "yes"])), model("other", 0.5)])
    hold.wait_until_reached()
    found.batch.cancel()
    hold.release()
    found.wait(30)

    assert str(found.decision).startswith("Not decided, after 0 of 200 rows")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"until": "sure"}, "until must be 'decided' or None"),
        ({"models": ["groq/x"]}, "needs two models"),
        ({"decide_by": "exat"}, "Did you mean 'exact'"),
        ({"until": None, "decide_by": "exact"}, "is for until='decided'"),
    ],
)
def test_bad_input(changes: dict[str, Any], says: str) -> None:
    """Nothing is sent."""
    models = [model("one", 0.5), model("two", 0.5)]
    with pytest.raises(ConfigurationError, match=says):
        evaluate(**{"models": models, **changes})
    assert models[0].requests == []
