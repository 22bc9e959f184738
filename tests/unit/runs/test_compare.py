from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import allos
from allos import context
from allos.engine import retry
from allos.errors import ConfigurationError
from allos.providers import ProviderRegistry
from allos.providers.pricing.planned_requests import Preview
from allos.runs.active_runs import stop_all
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.layers import Layer

STORY = Reply(chunks=["word "] * 200, delay_s=0.02)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer("Hello.") as started, retry.using(base_s=0):
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        yield started
        stop_all()
        allos.log.close()


def _started(comparison: Comparison, count: int) -> None:
    """Wait until so many cells have shown text."""
    seen = threading.Event()

    def look() -> None:
        if sum(bool(cell.pieces) for cell in comparison.cells) >= count:
            seen.set()

    comparison.watch(look)
    look()

    assert seen.wait(10)


def test_grid_of_models_parameters_and_repeats(server: FakeServer) -> None:
    """Every model meets every set of parameters, n times, in order; each is a row of the log."""
    comparison = compare(
        "Hi",
        models=["groq/a", "groq/b"],
        params=[{"temperature": 0}, {"temperature": 1}],
        n=2,
        max_tokens=9,
        system="Be terse",
        tags=["try"],
    )
    responses = comparison.wait(30).responses
    frame = allos.responses(comparison_id=comparison.id)

    assert [(r.model, r.metadata["temperature"], r.context.sample_index) for r in responses] == [
        (m, t, k) for m in ("a", "b") for t in (0, 1) for k in (0, 1)
    ]
    assert all(r.ok and r.content == "Hello." for r in responses)
    assert len(frame) == 8
    assert set(frame["tags"]) == {'["try"]'}
    assert {tuple(m["role"] for m in r.body["messages"]) for r in server.requests} == {
        ("system", "user")
    }
    assert all(r.body["max_tokens"] == 9 for r in server.requests)
    assert comparison.done
    assert comparison not in allos.current_session().active_runs


def test_repeats_of_a_column_start_in_order(server: FakeServer) -> None:
    """The first repeat is what a board shows: its call goes out first, whichever column is slow."""
    comparison = compare("Hi", models=["groq/a", "groq/b", "groq/c"], n=7).wait(30)

    for column in comparison.columns:
        repeats = [cell for cell in comparison.cells if cell.column is column]
        started = [cell.started or 0 for cell in repeats]
        assert started == sorted(started)


def test_returns_before_anything_is_answered(server: FakeServer) -> None:
    """compare does not wait; the answers come all at once, not one after the other."""
    server.reply(STORY)
    comparison = compare("Hi", models=["groq/a", "groq/b", "groq/c"])
    early = comparison.done
    _started(comparison, 3)

    assert not early
    assert server.max_concurrency_seen == 3
    comparison.cancel()
    comparison.wait(10)


def test_failing_column_leaves_the_others_alone(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused call and a missing key are failed responses and rows; the other column answers."""
    server.reply(Fault.bad_key(), on="bad")
    comparison = compare("Hi", models=["groq/good", "groq/bad", "openai/gpt-5-mini"])
    good, bad, keyless = comparison.responses
    rows = allos.responses(comparison_id=comparison.id).set_index("model")

    assert good.ok
    assert (bad.status, type(bad.error).__name__) == ("error", "AuthenticationError")
    assert (keyless.status, type(keyless.error).__name__) == ("error", "MissingKeyError")
    assert rows["status"].to_dict() == {"good": "ok", "bad": "error", "gpt-5-mini": "error"}
    assert rows.loc["gpt-5-mini", "prompt"] == "Hi"


def test_frame_has_the_columns_of_the_log(server: FakeServer) -> None:
    """`frame` is in the order of the cells, typed like the log, without asking the log."""
    comparison = compare("Hi", models=["groq/b", "groq/a"], n=2)
    frame = comparison.frame

    assert frame["model"].tolist() == ["b", "b", "a", "a"]
    assert list(frame.columns) == list(allos.responses(limit=1).columns)
    assert frame.dtypes.to_dict() == allos.responses().dtypes.to_dict()


def test_can_be_awaited(server: FakeServer) -> None:
    """`await comparison` waits on any loop and gives the comparison back."""

    async def run() -> Comparison:
        return await compare("Hi", models=["groq/a", "groq/b"])

    assert [r.content for r in asyncio.run(run()).responses] == ["Hello."] * 2


def test_stop_one_keeps_its_part_and_closes_its_connection(server: FakeServer) -> None:
    """A stopped cell is cancelled with what had arrived; the server sees it leave; others go on."""
    server.reply(STORY, on="slow")
    comparison = compare("Hi", models=["groq/slow", "groq/quick"])
    slow, quick = comparison.cells
    _started(comparison, 2)
    slow.stop()
    comparison.wait(10)
    seen = next(r for r in server.requests if r.model == "slow")

    assert slow.response is not None
    assert quick.response is not None
    assert slow.response.status == "cancelled"
    assert slow.response.content
    assert server.wait_closed(seen)
    assert quick.response.ok
    assert allos.responses(model="slow")["status"].tolist() == ["cancelled"]


def test_stop_before_the_start_sends_nothing(server: FakeServer) -> None:
    """Cells that are stopped while they wait for their thread become cancelled responses."""
    gate = threading.Event()
    layer = Layer(before=lambda call: gate.wait(10) and None)
    allos.current_session().add_interceptor(layer)
    comparison = compare("Hi", models=["groq/a"])
    comparison.cancel()
    gate.set()
    comparison.wait(10)

    assert comparison.responses[0].status == "cancelled"


def test_retry_replaces_the_answer_and_keeps_both_rows(server: FakeServer) -> None:
    """Retrying a failed cell asks again; the row of the failure stays."""
    server.script(Fault.bad_key())
    comparison = compare("Hi", models=["groq/a"])
    comparison.wait(10)
    comparison.cells[0].retry()
    comparison.wait(10)

    assert comparison.cells[0].run == 1
    assert comparison.responses[0].ok
    assert allos.responses(comparison_id=comparison.id)["status"].tolist() == ["error", "ok"]


def test_add_a_model_to_a_finished_comparison(server: FakeServer) -> None:
    """A new column asks the same and joins the same comparison."""
    comparison = compare("Hi", models=["groq/a"], n=2)
    comparison.wait(10)
    comparison.add("groq/b", temperature=0.5)

    assert [r.model for r in comparison.responses] == ["a", "a", "b", "b"]
    assert len(allos.responses(comparison_id=comparison.id)) == 4


def test_waiting_attempt_is_visible(server: FakeServer) -> None:
    """While a cell waits to try again it says so, and why."""
    server.script(Fault.status(429, retry_after="0.3"))
    states: list[tuple[str, object]] = []
    comparison = compare("Hi", models=["groq/a"])
    cell = comparison.cells[0]
    comparison.watch(lambda: states.append((cell.state, cell.attempt and cell.attempt["wait_s"])))
    comparison.wait(10)

    assert ("waiting", 0.3) in states
    assert cell.state == "ok"
    assert cell.attempt is None


def test_a_call_that_waits_for_its_turn_is_queued(server: FakeServer) -> None:
    """It is not "running" while the limits hold it back, and its clock starts with its turn."""
    server.reply(STORY)
    provider = ProviderRegistry.get_provider("groq", model="m", max_in_flight=1)
    comparison = compare("Hi", models=[provider], n=2)
    first, second = comparison.cells
    _started(comparison, 1)
    running = {first.state: first, second.state: second}
    let_go = time.perf_counter()
    running["running"].stop()
    _started(comparison, 2)
    comparison.cancel()
    comparison.wait(10)

    assert set(running) == {"running", "queued"}
    assert (running["queued"].started or 0) >= let_go


def test_provider_objects_and_origin(server: FakeServer) -> None:
    """Provider objects are models too; the rows carry the context that compare was called in."""
    provider = ProviderRegistry.get_provider("groq", model="m", temperature=0.3)
    with context.using(cell_id="c1", variables={"x": "1"}):
        comparison = compare("Hi", models=[provider])
    comparison.wait(10)
    row = allos.responses(comparison_id=comparison.id).iloc[0]

    assert row["cell_id"] == "c1"
    assert row["variables"] == '{"x":"1"}'
    assert row["temperature"] == 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": []}, "at least one model"),
        ({"models": ["grok/x"]}, "Did you mean 'groq'"),
        ({"models": ["groq"]}, "names no model"),
        ({"models": [3]}, "got int"),
        ({"models": ["groq/"]}, "write groq/MODEL"),
        ({"models": 5}, "models must be a list"),
        ({"models": {"groq/a": 1}}, "models must be a list"),
        ({"models": ["groq/a"], "params": 5}, "params must be a list of dicts"),
        ({"models": ["groq/a"], "params": "temperature"}, "params must be a list of dicts"),
        ({"models": ["groq/a"], "params": [None]}, "params must be a list of dicts"),
        ({"models": ["groq/a"], "params": [{5: 1}]}, "params must be a list of dicts"),
        ({"models": ["groq/a"], "n": 0}, "n must be an integer >= 1, got 0"),
    ],
)
def test_mistakes_send_nothing(
    server: FakeServer, arguments: dict[str, object], message: str
) -> None:
    """What cannot be compared is told before anything is sent."""
    with pytest.raises(ConfigurationError, match=message):
        compare("Hi", **arguments)  # type: ignore[arg-type]
    assert server.requests == []


def test_whatever_a_provider_raises_ends_its_cell(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that fails to be made is a failed response; nobody waits for it for ever."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no licence")

    monkeypatch.setattr(ProviderRegistry, "get_provider", broken)
    (response,) = compare("Hi", models=["groq/a"]).wait(10).responses

    assert response.status == "error"
    assert str(response.error) == "RuntimeError: no licence. Nothing was sent."


@pytest.mark.parametrize("where", ["shared", "params"])
def test_what_is_no_schema_starts_nothing(server: FakeServer, where: str) -> None:
    """A wrong schema, or a missing package for it, is an error at once and no comparison that failed."""
    given = {"schema": {"type": "nothing"}}
    invalid = given if where == "shared" else {"params": [{}, given]}

    with pytest.raises(ConfigurationError, match="schema"):
        compare("Hi", models=["groq/a"], **invalid)
    assert server.requests == []
    assert not allos.current_session().active_runs


def test_missing_package_is_no_finished_comparison(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both packages for JSON schemas are missing, that is said, and nothing ends as done."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    monkeypatch.setitem(sys.modules, "jsonschema", None)

    with pytest.raises(ImportError, match="jsonschema"):
        compare("Hi", models=["groq/a"], schema={"type": "object"})
    assert server.requests == []


def test_models_may_come_from_a_generator(server: FakeServer) -> None:
    """Models are gone through once, so what `confirm` sees is what is asked."""
    seen: list[int] = []
    names = (f"groq/{name}" for name in "ab")
    answers = compare(
        "Hi", models=names, confirm=lambda plan: seen.append(len(plan.requests)) or True
    ).responses

    assert seen == [2]
    assert [answer.model for answer in answers] == ["a", "b"]


def test_wait_gives_up_in_time(server: FakeServer) -> None:
    """`wait(timeout_s=)` raises TimeoutError and lets the calls go on."""
    server.reply(STORY)
    comparison = compare("Hi", models=["groq/a", "groq/b"])
    with pytest.raises(TimeoutError, match="2 of 2"):
        comparison.wait(timeout_s=0.05)

    assert stop_all() == 1
    assert {r.status for r in comparison.wait(10).responses} == {"cancelled"}


@pytest.mark.process
def test_exit_says_what_was_cancelled(server: FakeServer, tmp_path: Path) -> None:
    """A script that ends while answers are still coming says so in one line, and ends."""
    server.reply(STORY)
    script = textwrap.dedent(
        f"""
        import os
        os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY="gsk-test")
        os.environ["ALLOS_LOG"] = {str(tmp_path / "exit.sqlite")!r}
        import threading
        import allos
        begun = threading.Event()
        comparison = allos.compare("Hi", models=["groq/a", "groq/b"])
        comparison.watch(lambda: all(c.pieces for c in comparison.cells) and begun.set())
        assert begun.wait(30)
        """
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0
    assert done.stderr == "allos: 2 answers of a comparison had not come and were cancelled.\n"
    allos.log.open(tmp_path / "exit.sqlite")
    assert allos.responses()["status"].tolist() == ["cancelled", "cancelled"]


def test_prompts_and_rows_of_data_are_rows_of_the_grid(server: FakeServer) -> None:
    """Every model is asked every prompt with every row; the board knows what was put in."""
    comparison = compare(
        prompts=["Greet {{ name }}.", "Thank {{ name }}."],
        models=["groq/a", "groq/b"],
        data=pd.DataFrame({"name": ["Ada", "Bo"]}),
    ).wait(30)
    view = comparison.view()
    texts = ["Greet Ada.", "Greet Bo.", "Thank Ada.", "Thank Bo."]

    assert len(comparison.responses) == 8
    assert [row.prompt.text for row in view.rows] == texts
    assert [row.values for row in view.rows] == [{"name": "Ada"}, {"name": "Bo"}] * 2
    assert [cell.row for cell in view.cells] == [0, 1, 2, 3] * 2
    assert comparison.cells[3].view().row == 3
    assert sorted(allos.responses(comparison_id=comparison.id)["prompt"]) == sorted(texts * 2)


def test_one_row_of_data_is_one_prompt(server: FakeServer) -> None:
    """With its value put in; without data a prompt is taken as it is."""
    one = compare("Greet {{ name }}.", models="groq/a", data=[{"name": "Ada"}]).wait(30).view()
    plain = compare("Greet {{ name }}.", models="groq/a").wait(30).view()

    assert (one.rows, one.prompt.text) == ((), "Greet Ada.")
    assert (plain.rows, plain.prompt.text) == ((), "Greet {{ name }}.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Give either a prompt or prompts"),
        ({"prompt": "Hi", "prompts": ["Hi"]}, "Give either a prompt or prompts"),
        ({"prompts": "Hi"}, "prompts must be a list"),
        ({"prompts": []}, "prompts is empty"),
        ({"prompt": "Hi {{ nam }}", "data": [{"name": "Ada"}]}, "Did you mean 'name'"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(
    server: FakeServer, arguments: dict[str, object], message: str
) -> None:
    """One line, and nothing is sent."""
    with pytest.raises(allos.AllosError, match=message):
        compare(models=["groq/a"], **arguments)  # type: ignore[arg-type]

    assert server.requests == []


def test_confirm_is_told_of_the_whole_grid(server: FakeServer) -> None:
    """How many calls there are, with the longest prompt of each model."""
    seen: list[Preview] = []

    def confirm(preview: Preview) -> bool:
        seen.append(preview)
        return False

    with pytest.raises(allos.BudgetError):
        compare(
            "Say {{ text }}",
            models=["groq/a", "groq/b"],
            data=[{"text": "x"}, {"text": "long " * 50}],
            n=3,
            confirm=confirm,
        )
    (preview,) = seen

    assert preview.calls == 12
    assert "long long" in str(preview.requests[0].body)
    assert server.requests == []


def test_a_preview_has_the_arguments_of_a_comparison() -> None:
    """So that a grid can be looked at before anything is sent."""
    plan = allos.preview(
        prompts=["Greet {{ name }}.", "Thank {{ name }}."],
        models=["groq/a"],
        data=[{"name": "Ada"}, {"name": "Bo"}],
        api_key="gsk-example",
        n=2,
    )

    assert plan.calls == 8
    with pytest.raises(ConfigurationError, match="need models="):
        allos.preview("Hi {{ name }}", model="groq/a", data=[{"name": "Ada"}])


def test_failed_calls_are_made_again(server: FakeServer) -> None:
    """Only those."""
    server.script(Fault.status(400), Reply(text="Now."), on="bad")
    comparison = compare("Hi", models=["groq/good", "groq/bad"]).wait(30)
    failed = [response.ok for response in comparison.responses]
    comparison.retry(failed=True)

    assert failed == [True, False]
    assert [response.content for response in comparison.wait(30).responses] == ["Hello.", "Now."]
    assert len(server.requests) == 3
