"""Evaluations against a server: batches, scores, intervals."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import ConfigurationError
from allos.runs.evaluation import Evaluation
from allos.session import Session
from tests.support.fake_server import FakeServer, Fault, Reply, Seen


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-test")
    yield
    allos.stop_all()
    allos.log.close()


def tickets(count: int = 40) -> pd.DataFrame:
    labels = ["billing", "shipping"]
    return pd.DataFrame(
        {
            "text": [f"ticket {number}" for number in range(count)],
            "label": [labels[number % 2] for number in range(count)],
        }
    )


def answer(seen: Seen) -> Reply | Fault:
    """A good model, but for one failure and one answer that is cut; and one that always says the same."""
    number = int(seen.prompt.rpartition(" ")[2])
    if seen.model == "same":
        return Reply("billing")
    if number == 3:
        return Fault.status(400)
    if number == 4:
        return Reply("bil", finish="length")
    return Reply(["Billing.", "shipping"][number % 2])


def test_models_are_scored_and_compared(server: FakeServer) -> None:
    """Scores by model with intervals, failures apart, every two models on the same rows."""
    server.reply(answer)
    found = allos.evaluate(
        tickets(),
        "Classify: {{ text }}",
        models=["groq/good", "groq/same"],
        scorers=["exact", "similarity"],
        target="label",
    )
    frame, table, pairs = found.frame, found.table, found.comparisons
    exact = table[table["scorer"] == "exact"].set_index("model")

    assert len(frame) == 80
    assert frame["exact"].notna().sum() == 78
    assert exact["mean"].to_dict() == {"groq/good": 1.0, "groq/same": 0.5}
    assert exact.loc["groq/good", ["n_answers", "unknown", "failed", "cut"]].tolist() == [
        38,
        2,
        1,
        1,
    ]
    assert (exact["low"] <= exact["mean"]).all()
    assert (exact["mean"] <= exact["high"] + 1e-9).all()
    assert pairs.set_index("scorer").loc["exact", "p_adjusted"] < 0.001
    assert "exact: groq/good is better than groq/same on these rows" in str(found)
    assert "1 cut, 1 failed" in found.to_html()


def test_other_scorers_ask_nothing_again(server: FakeServer) -> None:
    """Answers are kept, scores are made anew."""
    server.reply(answer)
    options: dict[str, Any] = {"models": "groq/same", "target": "label"}
    first = allos.evaluate(tickets(), "{{ text }}", scorers="exact", **options).wait(30)

    async def again() -> Evaluation:
        return await allos.evaluate(tickets(), "{{ text }}", scorers="includes", **options)

    second = asyncio.run(again())
    rescored = allos.score(first.frame, [lambda row: row["content"] == "billing"])

    assert server.count == 40
    assert second.table["mean"].tolist() == [0.5]
    assert second.comparisons.empty
    # Shown as tables made for reading.
    assert [second.table.result_of, second.comparisons.result_of] == [
        "score_summary",
        "compare_all",
    ]
    assert rescored["scorer"].tolist() == [1.0] * 40


def test_a_decided_evaluation_goes_on_where_it_stopped(server: FakeServer) -> None:
    """What is saved is told in calls and money; running it again, or with more rows, pays nothing twice."""

    def say(seen: Seen) -> Reply:
        number = int(seen.prompt.rpartition(" ")[2])
        return Reply(
            "billing" if seen.model == "openai/gpt-oss-20b" else ["billing", "no"][number % 2]
        )

    server.reply(say)
    options: dict[str, Any] = {
        "models": ["groq/openai/gpt-oss-20b", "groq/llama-3.1-8b-instant"],
        "scorers": [allos.scorers.regex("billing", name="found")],
        "until": "decided",
    }
    first = allos.evaluate(tickets(200), "{{ text }}", **options).wait(30)
    asked = server.count
    again = allos.evaluate(tickets(200), "{{ text }}", **options).wait(30)
    saved = first.decision.saved_calls if first.decision else 0

    assert first.decision is not None
    assert first.decision.best == "groq/openai/gpt-oss-20b"
    assert saved == 400 - asked == 400 - len(first.frame)
    assert first.decision.saved_usd == pytest.approx(
        first.frame["cost_usd"].sum() * saved / asked, rel=0.1
    )
    assert f"Saved {saved} calls, about $" in str(first)
    assert (again.id, again.decision, server.count) == (first.id, first.decision, asked)
    assert allos.batches()["state"].tolist() == ["decided"]
    with pytest.raises(ConfigurationError, match=r"run allos\.evaluate\(\) again"):
        allos.resume(first.id)  # it would ask, and pay, the rest
    assert server.count == asked

    grown = allos.evaluate(tickets(250), "{{ text }}", **options).wait(30)
    texts = [(seen.model, seen.prompt) for seen in server.requests]
    assert grown.id == first.id
    assert grown.decision is not None
    assert grown.decision.of_rows == 250
    assert len(set(texts)) == len(texts)


def test_a_model_judges(server: FakeServer) -> None:
    """The judge sees question, right answer and answer in a fence; a score that cannot be read is unknown."""

    def grade(seen: Seen) -> Reply:
        if seen.model != "judge":
            return Reply("billing")
        score = 0.75 if re.search(r"<<<RIGHT ANSWER \w{16}>>>\nbilling\n<<<END", seen.prompt) else 7
        return Reply(f'{{"rationale": "so", "score": {score}}}')

    server.reply(grade)
    judge = allos.judge(rubric="Is it right?", model="groq/judge", target="label", name="graded")
    frame = allos.evaluate(
        tickets(4), "Classify: {{ text }}", models="groq/same", scorers=[judge]
    ).frame
    asked = [request for request in server.requests if request.model == "judge"]

    assert frame["graded"].fillna(-1).tolist() == [0.75, -1, 0.75, -1]
    assert frame["graded_error"].str.startswith("SchemaError").tolist()[1::2] == [True, True]
    assert re.search(r"<<<CONVERSATION \w{16}>>>\nClassify: ticket", asked[0].prompt)
    assert re.search(r"<<<ANSWER \w{16}>>>\nbilling\n<<<END OF ANSWER", asked[0].prompt)
    assert len(allos.responses(tags="judge")) == 4
    other = allos.judge(rubric="Is it polite?", model="groq/judge")
    assert judge.version != other.version


def test_an_answer_is_judged_once(server: FakeServer) -> None:
    """Also when the cell runs again in a new session, and whichever API; what is another judge, or a new answer, is asked."""

    def grade(seen: Seen) -> Reply:
        is_judge = "<<<ANSWER" in (seen.prompt or "")
        return Reply('{"rationale": "so", "score": 0.5}' if is_judge else "billing")

    def asked() -> int:
        return len(allos.responses(tags="judge"))

    server.reply(grade)
    for number, model in enumerate(("groq/judge", "openai/judge", "anthropic/judge"), 1):
        for rows in (4, 4, 5):  # the same twice, then one row more
            with Session().active():
                judge = allos.judge(
                    rubric="Is it right?", model=model, target="label", max_tokens=50
                )
                found = allos.evaluate(
                    tickets(rows), "Classify: {{ text }}", models="groq/same", scorers=[judge]
                )
                assert found.frame["judge"].tolist() == [0.5] * rows
                assert allos.score(found.batch.frame, [judge])["judge"].tolist() == [0.5] * rows
                assert asked() == 5 * (number - 1) + rows
                allos.log.close()
    again = {"model": model, "max_tokens": 50}
    frame = found.batch.frame
    before = asked()
    for judge, more in (
        (allos.judge(rubric="Is it right?", target="label", **again), 0),
        (allos.judge(rubric="Is it right?", target="label", refresh=True, **again), 5),
        (allos.judge(rubric="Is it polite?", target="label", **again), 5),
        (allos.judge(rubric="Is it right?", target="text", **again), 5),
        (allos.judge(rubric="Is it right?", target="label", **{**again, "max_tokens": 51}), 5),
    ):
        allos.score(frame, [judge])
        before += more
        assert asked() == before


def test_what_a_judge_did_not_say_is_asked_again(server: FakeServer) -> None:
    """A failure, a refusal or words in place of a score are no score; without a log nothing is lost either."""
    replies = iter(
        [Fault.status(400), Reply("very good"), Reply('{"rationale": "so", "score": 1}')]
    )
    server.reply(lambda seen: next(replies))
    frame = pd.DataFrame({"prompt": ["Hi"], "content": ["Hello."]})
    judge = allos.judge(rubric="Is it right?", model="groq/judge")
    with allos.log.paused():
        scores = [allos.score(frame, [judge])["judge"].fillna(-1).item() for _ in range(4)]

    assert scores == [-1, -1, 1, 1]
    assert server.count == 3


def test_a_scorer_that_fails_everywhere_leaves_the_others(server: FakeServer) -> None:
    """Its scores are unknown, and the table says of how many rows."""
    server.reply(answer)

    def broken(row: Any) -> float:
        raise ValueError("no")

    found = allos.evaluate(
        tickets(),
        "{{ text }}",
        models=["groq/good", "groq/same"],
        scorers=[broken, "exact"],
        target="label",
    )

    assert found.table.query("scorer == 'broken'")["n_answers"].tolist() == [0, 0]
    assert found.table.query("scorer == 'exact'")["mean"].tolist() == [1.0, 0.5]
    assert "broken" in str(found)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"target": "lbl"}, "the data has no column 'lbl'. Did you mean 'label'"),
        ({"target": 5}, "the data has no column 5"),
        ({"confirm": True}, "confirm must be a function"),
        ({"system": 5}, "content must be strings"),
        ({"scorers": ["exct"]}, "There is no scorer 'exct'"),
        ({"scorers": allos.scorers.exact(name="label")}, "has a column 'label' already"),
    ],
)
def test_wrong_arguments_send_nothing(
    server: FakeServer, wrong: dict[str, Any], message: str
) -> None:
    """Each is one line, before anything is sent."""
    given: dict[str, Any] = {"scorers": ["exact"], "target": "label", **wrong}
    with pytest.raises(ConfigurationError, match=message):
        allos.evaluate(tickets(), "{{ text }}", models="groq/same", **given)

    assert not server.count
