"""Batches against a server that speaks all three APIs, and fails."""

from __future__ import annotations

import asyncio
import math
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos import engine
from allos.engine import retry
from allos.errors import (
    AuthenticationError,
    BatchPausedError,
    BudgetError,
    ConfigurationError,
    Interrupted,
    TemplateError,
)
from allos.profiles import Api
from allos.providers import ProviderRegistry
from allos.runs import scheduler
from allos.runs.batching import batch_calls
from allos.session import current_session
from tests.contract.conftest import Make
from tests.support.fake_server import FakeServer, Fault, Reply, Seen

SCHEMA = {
    "title": "Label",
    "type": "object",
    "properties": {"label": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["label", "score"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("ALLOS_LOG", str(path))
    yield path
    allos.stop_all()
    allos.log.close()


@pytest.fixture(autouse=True)
def services(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two services, each with a key."""
    for name in ("GROQ", "MISTRAL"):
        monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        monkeypatch.setenv(f"{name}_API_KEY", f"{name.lower()}-key-of-the-test")


def table(count: int = 6) -> pd.DataFrame:
    texts = [f"<{number}>" for number in range(count)]
    return pd.DataFrame(
        {"text": texts, "gold": range(count)}, index=[f"i{n}" for n in range(count)]
    )


def echo(seen: Seen) -> Reply:
    return Reply(f"echo {(seen.prompt or '').rpartition(' ')[2]}")


def paid(server: FakeServer) -> Counter[str]:
    return Counter(request.prompt or "" for request in server.requests)


# ---- rows -----------------------------------------------------------------------------------------


def test_one_row_for_each_call_on_every_api(server: FakeServer, make: Make, api: Api) -> None:
    """Index, columns and order of the data are kept; each row has the log's columns and its answer."""
    server.reply(echo)
    batch = allos.batch(table(), "Say {{ text }}", models=[make(), make(model="m2")], n=2)
    frame = batch.frame

    assert len(batch) == len(frame) == 24
    assert list(frame.index) == [f"i{row}" for row in range(6) for _ in range(4)]
    assert list(frame["model"][:4]) == ["m", "m", "m2", "m2"]
    assert list(frame["sample_index"][:4]) == [0, 1, 0, 1]
    assert list(frame["content"]) == [f"echo <{gold}>" for gold in frame["gold"]]
    assert set(frame["api"]) == {api}
    assert set(frame["run_id"]) == {batch.id}
    assert not frame["stream"].any()
    assert list(frame["variables"][:1]) == ['{"text":"<0>"}']


def test_wide_has_a_column_for_each_model(server: FakeServer) -> None:
    """One row for each row of the data, names as people read them."""
    server.reply(lambda seen: Reply(f"{seen.model} {seen.prompt}"))
    batch = allos.batch(
        table(2),
        "{{ text }}",
        models=["groq/a", "mistral/b"],
        params=[{"temperature": 0}, {"temperature": 1}],
    )
    wide = batch.wide()

    assert list(wide.columns) == [
        *("text", "gold"),
        *("groq/a (temperature 0)", "groq/a (temperature 1)"),
        *("mistral/b (temperature 0)", "mistral/b (temperature 1)"),
    ]
    assert wide.loc["i1", "mistral/b (temperature 0)"] == "b <1>"
    assert "groq/a (temperature 0) status" in batch.wide(["content", "status"]).columns
    with pytest.raises(ConfigurationError, match=r"no column 'contents'\. Did you mean 'content'"):
        batch.wide("contents")


def test_fields_of_a_schema_are_typed_columns(server: FakeServer) -> None:
    """Null where an answer does not match; a field that the data has as well gets another name."""
    server.script('{"label": "a", "score": 1}', "nothing", '{"label": "c", "score": 3}')
    batch = allos.batch(
        table(3).rename(columns={"gold": "label"}),
        "{{ text }}",
        models="groq/a",
        schema=SCHEMA,
        concurrency=1,
    )
    frame = batch.frame

    assert list(frame["label"]) == [0, 1, 2]
    assert frame["label_parsed"].isna().tolist() == [False, True, False]
    assert str(frame["score"].dtype) == "Int64"
    assert frame["error_type"].tolist()[1] == "SchemaError"


def test_a_scalar_schema_is_the_column_value(server: FakeServer) -> None:
    """A type that is no object is one column."""
    server.reply('{"value": true}')

    assert allos.batch(table(2), "{{ text }}", models="groq/a", schema=bool).frame[
        "value"
    ].tolist() == [True, True]


def test_columns_of_the_data_keep_their_names(server: FakeServer) -> None:
    """A column of the log that the data has as well ends in ``_log``."""
    data = table(2).assign(id=[7, 8], model="mine")
    frame = allos.batch(data, "{{ text }}", models="groq/a").frame

    assert frame["id"].tolist() == [7, 8]
    assert frame["model"].tolist() == ["mine"] * 2
    assert frame["model_log"].tolist() == ["a", "a"]
    assert frame["id_log"].notna().all()


@pytest.mark.parametrize("on_error", ["row", "raise"])
def test_a_failed_call_is_a_row_or_an_error(server: FakeServer, on_error: str) -> None:
    """An error is a row, or pauses the batch; the others keep their answers."""
    server.reply(
        lambda seen: Fault.status(400, message="odd") if "<2>" in seen.prompt else Reply("ok")
    )
    batch = allos.batch(table(4), "{{ text }}", models="groq/a", on_error=on_error, concurrency=1)
    if on_error == "raise":
        with pytest.raises(allos.ProviderError, match="odd"):
            batch.wait(20)
        assert batch.state == "paused"
        assert 2 <= len(batch.partial) < 5
    else:
        frame = batch.wait(20).frame
        assert frame["status"].tolist() == ["ok", "ok", "error", "ok"]
        assert frame["error_type"].tolist()[2] == "BadRequestError"


def test_nothing_is_evaluated_and_nothing_sent_for_bad_data(server: FakeServer) -> None:
    """A column that is missing, a null, an expression: one line each, before anything is sent."""
    for prompt, error in (
        ("{{ txt }}", r"'?txt'? .*is not a column of the data\. Did you mean 'text'\?|txt"),
        ("{{ text.upper() }}", r"text.upper\(\) .*is not a column of the data"),
        ("{{ empty }}", r"2 rows have no value in this column, the first at index 'i1'"),
    ):
        data = table(3).assign(empty=["a", None, None])
        with pytest.raises(TemplateError, match=error):
            allos.batch(data, prompt, models="groq/a")
    for data in (None, 3, pd.DataFrame(), pd.DataFrame([[1, 2]], columns=["a", "a"]), "x.xls"):
        with pytest.raises(ConfigurationError, match="Nothing was sent"):
            allos.batch(data, "{{ a }}", models="groq/a")

    assert not server.count


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"concurrency": 0}, "concurrency must be an integer >= 1"),
        ({"on_error": "ignore"}, "on_error must be 'row' or 'raise'"),
        ({"batch_id": ""}, "batch_id must be a string"),
        ({"budget_usd": -1}, "A budget must be a number >= 0"),
        ({"models": []}, "at least one model"),
        ({"temprature": 1}, "unknown parameter 'temprature'. Did you mean 'temperature'"),
        ({"params": [{}, {"temperature": "hot"}]}, "temperature must be a number"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"n": 0}, "n must be an integer >= 1"),
    ],
)
def test_wrong_arguments_send_nothing(
    server: FakeServer, wrong: dict[str, Any], message: str
) -> None:
    """Each is one line that says what to do."""
    with pytest.raises(ConfigurationError, match=message):
        allos.batch(table(1), **{"prompt": "{{ text }}", "models": "groq/a", **wrong})

    assert not server.count


# ---- going on -------------------------------------------------------------------------------------


def test_running_again_asks_only_what_is_new(server: FakeServer) -> None:
    """Answered calls are kept; changed and added rows, models and repeats are asked, failed ones again."""
    server.script(Fault.status(400))
    first = allos.batch(table(4), "{{ text }}", models="groq/a", concurrency=1).wait(20)
    again = allos.batch(table(4), "{{ text }}", models="groq/a").wait(20)
    changed = table(6).iloc[::-1].copy()
    changed.loc["i0", "text"] = "<other>"
    more = allos.batch(changed, "{{ text }}", models=["groq/a", "groq/b"]).wait(20)
    frame = more.frame

    assert first.id == again.id == more.id
    assert server.count == 4 + 1 + (3 + 6)
    assert again.frame["status"].tolist() == ["ok"] * 4
    assert paid(server)["<0>"] == 2
    assert frame.index[0] == "i5"
    assert frame["status"].tolist() == ["ok"] * 12


def test_answers_of_the_log_take_the_place_of_calls(server: FakeServer) -> None:
    """Of equal requests, whoever made them: what was cut off or has failed is asked; nothing is paid twice."""
    server.reply(
        lambda seen: Reply(
            f"about {seen.prompt}", finish="length" if "<1>" in str(seen.prompt) else "stop"
        )
    )
    server.script(Fault.status(400))
    options = {"models": ["groq/m", "mistral/m2"], "max_tokens": 20, "n": 2}
    first = allos.batch(table(3), "Say {{ text }}", **options).wait(20)
    asked = server.count
    with allos.budget(0.0, free=["groq", "mistral"]):
        again = allos.batch(
            table(4), "Say {{ text }}", batch_id="another", reuse=True, **options
        ).wait(20)
    ok = (first.frame["status"] == "ok") & (first.frame["finish_reason"] == "stop")
    found = again.frame

    assert set(found["status"]) == {"ok"}
    assert server.count - asked == len(found) - ok.sum()
    assert found["replayed"].sum() == ok.sum()
    assert found[found["replayed"]]["cost_usd"].eq(0.0).all()
    assert found["content"].tolist() == [f"about Say <{n // 4}>" for n in range(16)]
    assert set(found["run_id"]) == {"another"}
    assert found["id"].is_unique
    assert not set(found["id"]) & set(first.frame["id"])


def test_answers_of_the_log_need_a_log_and_calls_of_this_process(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else makes the answers cannot take them from there: one line, nothing sent."""

    def tool() -> str:
        """Nothing."""
        return ""

    for wrong, words in (
        ({"refresh": True}, "use one"),
        ({"mode": "provider_batch"}, "leave out executor= and mode="),
        ({"tools": [tool]}, "leave out tools="),
        ({"reuse": "yes"}, "reuse must be True or False"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            allos.batch(table(), "{{ text }}", models="groq/m", **{"reuse": True, **wrong})
    allos.log.redact(lambda text: "(redacted)")
    with pytest.raises(ConfigurationError, match="texts of this log are redacted"):
        allos.batch(table(), "{{ text }}", models="groq/m", reuse=True)
    allos.log.redact(None)
    allos.log.close()
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(ConfigurationError, match="the log is off"):
        allos.batch(table(), "{{ text }}", models="groq/m", reuse=True)
    assert server.count == 0


def test_another_prompt_or_other_data_is_another_batch(server: FakeServer) -> None:
    """The id follows from the data and the prompt; a given id is kept."""
    ids = {
        allos.batch(data, prompt, models="groq/a").wait(20).id
        for data in (table(2), table(2).replace("<", "[", regex=True))
        for prompt in ("{{ text }}", "Say {{ text }}")
    }
    named = allos.batch(table(2), "{{ text }}", models="groq/a", batch_id="mine").wait(20)

    assert len(ids) == 4
    assert named.id == "mine"
    assert server.count == 10


def test_equal_rows_are_calls_of_their_own(server: FakeServer) -> None:
    """Two rows with the same text are two calls, and kept as two."""
    data = pd.DataFrame({"text": ["same", "same", "other"]})
    allos.batch(data, "{{ text }}", models="groq/a").wait(20)
    allos.batch(data, "{{ text }}", models="groq/a").wait(20)

    assert paid(server) == {"same": 2, "other": 1}


def test_resume_and_the_list_of_batches(server: FakeServer) -> None:
    """A batch that was stopped is listed so, and goes on by its id alone, without its data."""
    held = threading.Event()
    server.reply(lambda seen: Reply("ok", first_delay_s=0.0 if held.is_set() else 5.0))
    batch = allos.batch(
        table(3), "{{ text }}", models="groq/a", schema=SCHEMA, max_tokens=5, concurrency=1
    )
    server.wait_requests(1)
    batch.cancel()
    batch.wait(20)
    stopped = allos.batches().iloc[-1]
    held.set()
    resumed = allos.resume(batch.id).wait(20)
    done = allos.batches().iloc[-1]

    assert (stopped["batch_id"], stopped["state"], stopped["answered"]) == (batch.id, "stopped", 0)
    assert (done["state"], done["answered"], done["calls"]) == ("done", 3, 3)
    assert (done["models"], done["prompt"]) == ("groq/a", "{{ text }}")
    assert resumed.frame["text"].tolist() == ["<0>", "<1>", "<2>"]
    assert list(resumed.frame.index) == ["i0", "i1", "i2"]
    assert batch.frame["status"].tolist() == ["ok"] * 3
    with pytest.raises(ConfigurationError, match="The log has no batch 'bat_no'"):
        allos.resume("bat_no")


def test_the_same_batch_is_not_started_twice(server: FakeServer) -> None:
    """Running a cell again while its batch runs returns that batch."""
    server.reply(Reply("ok", first_delay_s=0.2))
    first = allos.batch(table(4), "{{ text }}", models="groq/a")
    second = allos.batch(table(4), "{{ text }}", models="groq/a")
    second.wait(20)

    assert second is first
    assert server.count == 4
    assert first not in allos.current_session().active_runs


def test_without_a_log_the_answers_are_in_memory(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing can be gone on with, and the frame is the same."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    server.reply(echo)
    batch = allos.batch(table(3), "{{ text }}", models="groq/a")

    assert batch.frame["content"].tolist() == ["echo <0>", "echo <1>", "echo <2>"]
    assert [row.content for row in batch] == ["echo <0>", "echo <1>", "echo <2>"]


# ---- waiting, pausing, stopping ---------------------------------------------------------------------


def test_rows_come_as_they_finish(server: FakeServer) -> None:
    """A loop gets each row once: what was there, what comes, also in a coroutine."""
    server.reply(
        lambda seen: Reply(seen.prompt, first_delay_s=0.3 if "<0>" in seen.prompt else 0.0)
    )
    batch = allos.batch(table(4), "{{ text }}", models="groq/a")
    seen = [(row.index, row.content) for row in batch]

    async def collect() -> list[str]:
        await batch
        return [row.content async for row in batch]

    assert seen[-1] == ("i0", "<0>")
    assert sorted(seen) == [(f"i{n}", f"<{n}>") for n in range(4)]
    assert sorted(asyncio.run(collect())) == [f"<{n}>" for n in range(4)]


def test_pause_and_resume(server: FakeServer) -> None:
    """Paused, nothing new is sent and waiting ends with an error; resumed, everything is answered."""
    server.reply(Reply("ok", first_delay_s=0.05))
    batch = allos.batch(table(30), "{{ text }}", models="groq/a", concurrency=2)
    server.wait_requests(2)
    batch.pause()
    assert re.search(r"calls left, [12] of them under way\.", str(batch.interrupted()))
    batch.wait_for_calls(20)
    before = server.count
    with pytest.raises(BatchPausedError, match=r"is paused with \d+ of 30 calls left: resume\(\)"):
        batch.wait(20)

    assert len(batch.partial) == before < 30
    assert batch.resume().wait(20).frame["status"].tolist() == ["ok"] * 30
    assert server.count == 30
    assert server.max_concurrency_seen <= 2


def test_cancel_keeps_what_has_arrived(server: FakeServer) -> None:
    """What is under way is cancelled, the rest is not sent; both are rows that say so."""
    server.script("one", "two")
    server.reply(Fault.stall())
    batch = allos.batch(table(5), "{{ text }}", models="groq/a", concurrency=1)
    server.wait_requests(3)
    batch.cancel()
    frame = batch.wait(20).frame

    assert frame["status"].tolist() == ["ok", "ok", "cancelled", "cancelled", "cancelled"]
    assert batch.state == "cancelled"
    assert server.count == 3


def test_wait_has_a_limit(server: FakeServer) -> None:
    """A wait that ends early says how much is left, and the calls go on."""
    server.reply(Reply("ok", first_delay_s=0.3))
    batch = allos.batch(table(2), "{{ text }}", models="groq/a")
    with pytest.raises(TimeoutError, match="2 of 2 answers have not arrived yet"):
        batch.wait(0.05)

    assert batch.wait(20).done


# ---- limits ---------------------------------------------------------------------------------------


def test_concurrency_is_shared_by_the_services(server: FakeServer) -> None:
    """Never more calls at once; a service that does not answer leaves the other its share."""
    server.reply(lambda seen: Fault.stall() if seen.model == "dead" else Reply("ok"))
    batch = allos.batch(table(20), "{{ text }}", models=["groq/dead", "mistral/b"], concurrency=4)
    server.wait_for(lambda: not batch.counts[1].left)

    assert server.max_concurrency_seen <= 4
    assert batch.counts[0].left == 20
    batch.cancel()


def test_calls_start_where_others_end_unless_something_may_wait(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the loop thread, that is: within a budget that has room too, but not with tools or a layer of somebody else."""
    threads: list[str] = []
    start = batch_calls.start_task

    def noted(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread().name)
        return start(*args, **options)

    class Nothing(engine.Interceptor):
        pass

    def threads_of(**options: Any) -> set[str]:
        threads.clear()
        data = pd.DataFrame({"text": [f"{options} {number}" for number in range(12)]})
        given = {"models": "groq/m", "concurrency": 2, **options}
        allos.batch(data, "{{ text }}", **given).wait(30)
        assert len(threads) == 12
        return set(threads[4:])

    monkeypatch.setattr(batch_calls, "start_task", noted)
    monkeypatch.setattr(
        scheduler, "SLOW_S", math.inf
    )  # what a busy machine makes slow is none of this
    server.reply(Reply("ok", first_delay_s=0.01))

    assert threads_of() == {"allos-loop"}
    with allos.budget(1.0, free=["groq"]):
        assert threads_of(temperature=0.4) == {"allos-loop"}
    priced = {"models": "groq/llama-3.1-8b-instant", "max_tokens": 50}
    assert threads_of(**priced, budget_usd=1.0) == {"allos-loop"}
    with allos.budget(1.0, confirm=lambda question: True):
        assert threads_of(**priced) == {"allos-loop"}
    current_session().add_interceptor(layer := Nothing())
    assert threads_of(temperature=0.5) == {"allos-start"}
    current_session().remove_interceptor(layer)
    assert threads_of(temperature=0.6) == {"allos-loop"}


def test_a_service_that_takes_few_calls_is_sent_few(server: FakeServer) -> None:
    """Refused calls are repeated, and the number of calls at once falls to what the service takes."""

    def limited(seen: Seen) -> Reply | Fault:
        return Fault.status(429) if server.in_flight > 4 else Reply("ok", first_delay_s=0.02)

    server.reply(limited)
    with retry.using(base_s=0.05):
        batch = allos.batch(table(80), "{{ text }}", models="groq/a", max_attempts=20)
        frame = batch.wait(60).frame

    assert set(frame["status"]) == {"ok"}
    assert allos.current_session().windows["groq"].size <= 8


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        (Fault.bad_key(), "AuthenticationError"),
        (Fault.status(402, message="no credit"), "QuotaError"),
        (Fault.model_not_found(), "ModelNotFoundError"),
    ],
)
def test_what_is_gone_stops_only_its_own_rows(
    server: FakeServer, capsys: pytest.CaptureFixture[str], fault: Fault, error_type: str
) -> None:
    """A key, a quota or a model that is gone: its rows say so, with one line; the others go on."""
    server.reply(fault, on="gone")
    batch = allos.batch(table(40), "{{ text }}", models=["groq/gone", "mistral/b"], concurrency=2)
    frame = batch.wait(30).frame
    gone, other = frame[frame["model"] == "gone"], frame[frame["model"] == "b"]

    assert set(other["status"]) == {"ok"}
    assert set(gone["status"]) == {"error"}
    assert set(gone["error_type"]) == {error_type}
    assert sum(request.model == "gone" for request in server.requests) <= 4
    assert gone["error_message"].str.startswith("Not sent: ").sum() >= 36
    assert len(batch.notes) == 1
    assert capsys.readouterr().err.count("calls were not sent") == 1


def test_a_service_that_nobody_answers_at_is_given_up(server: FakeServer) -> None:
    """After some calls that reach nobody the rest is not sent."""
    server.reply(Fault.reset(), on="dead")
    batch = allos.batch(
        table(60), "{{ text }}", models=["groq/dead", "mistral/b"], max_attempts=1, concurrency=4
    )
    frame = batch.wait(30).frame

    assert sum(request.model == "dead" for request in server.requests) < 30
    assert (frame["status"] == "ok").sum() == 60


def test_a_budget_is_never_exceeded(server: FakeServer) -> None:
    """Calls wait for those under way; those that do not fit are not sent; earlier runs count."""
    server.reply(Reply("ok", usage={"input_tokens": 100, "output_tokens": 50}))
    data = table(40)
    options: dict[str, Any] = {"models": "groq/llama-3.1-8b-instant", "max_tokens": 50}
    one_usd = allos.batch(data[:1], "{{ text }}", **options).wait(20).frame["cost_usd"].sum()
    first = allos.batch(data, "{{ text }}", budget_usd=20 * one_usd, **options).wait(20)
    spent = float(allos.responses()["cost_usd"].sum())
    again = allos.batch(data, "{{ text }}", budget_usd=20 * one_usd, **options).wait(20)
    after = float(allos.responses()["cost_usd"].sum())

    assert one_usd > 0
    assert spent <= after <= 20 * one_usd + 1e-12
    assert (first.frame["status"] == "ok").sum() >= 15
    assert set(again.frame["error_type"].dropna()) == {"BudgetError"}
    assert len(first.notes) == 1
    assert "a larger budget_usd=" in first.notes[0]


def test_a_call_that_does_not_fit_at_once_waits_on_a_thread(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that cost far more than those before: nothing stops, all are answered, and no part is exceeded."""
    outcomes: list[tuple[str, str]] = []
    start = batch_calls.start_task

    def noted(*args: Any, **options: Any) -> Any:
        thread = threading.current_thread().name
        try:
            call = start(*args, **options)
        except engine.MustWait:
            outcomes.append((thread, "must wait"))
            raise
        outcomes.append((thread, "started"))
        return call

    monkeypatch.setattr(batch_calls, "start_task", noted)
    server.reply(Reply("ok", usage={"input_tokens": 10, "output_tokens": 1}, first_delay_s=0.01))
    texts = [("x" * 40_000 if number % 10 == 9 else "x") + f" {number}" for number in range(60)]
    options: dict[str, Any] = {"models": "groq/llama-3.1-8b-instant", "max_tokens": 50}
    with allos.budget(0.0045) as outer:
        batch = allos.batch(
            pd.DataFrame({"text": texts}), "{{ text }}", budget_usd=0.005, concurrency=4, **options
        )
        frame = batch.wait(30).frame

    assert set(frame["status"]) == {"ok"}
    assert ("allos-loop", "must wait") in outcomes
    assert ("allos-loop", "started") in outcomes
    assert [text for text, count in paid(server).items() if count > 1] == []
    assert outer.spent_usd <= 0.0045
    assert (outer.reserved_usd, outer.calls) == (0.0, 60)


def test_a_long_common_beginning_is_sent_once_first(server: FakeServer) -> None:
    """Rows of one document go together, and its first one warms the service's cache."""
    server.reply(lambda seen: Reply("ok", first_delay_s=0.05))
    documents = ["A" * 5_000, "B" * 5_000]
    data = pd.DataFrame({"doc": documents * 4, "question": [f"q{n}" for n in range(8)]})
    batch = allos.batch(data, "{{ doc }}\n{{ question }}", models="groq/a").wait(20)
    order = [(request.prompt or "")[0] for request in server.requests]

    assert sorted(order[:2]) == ["A", "B"]  # each on a connection of its own
    assert set(batch.frame["status"]) == {"ok"}
    assert batch.frame["question"].tolist() == [f"q{n}" for n in range(8)]
    assert server.requests[2].at - server.requests[0].at >= 0.05


def test_a_confirmation_sees_what_is_left(server: FakeServer) -> None:
    """The preview counts what is answered; no is an error, and nothing is sent."""
    allos.batch(table(2), "{{ text }}", models="groq/llama-3.1-8b-instant", max_tokens=9).wait(20)
    seen: list[Any] = []

    def confirm(preview: Any) -> bool:
        seen.append(preview)
        return False

    with pytest.raises(BudgetError, match=r"not confirmed\. Nothing was sent"):
        allos.batch(
            table(10),
            "{{ text }}",
            models="groq/llama-3.1-8b-instant",
            max_tokens=9,
            budget_usd=0.0001,
            confirm=confirm,
        )
    (preview,) = seen

    assert (preview.calls, preview.answered) == (8, 2)
    assert preview.worst_cost_usd > 0
    assert 0 < preview.affordable_calls <= 8
    assert "8 calls, at most $" in str(preview)
    assert server.count == 2


def test_a_preview_takes_the_arguments_of_a_batch(server: FakeServer) -> None:
    """Also those that change nothing of what is sent; what is answered is asked again with `refresh`."""
    options: dict[str, Any] = {
        "models": "groq/llama-3.1-8b-instant",
        "max_tokens": 5,
        "concurrency": 2,
        "tags": ["x"],
        "on_error": "row",
        "confirm": lambda plan: True,
        "max_steps": 3,
        "approve": "always",
    }
    before = allos.preview_batch(table(), "{{ text }}", **options)
    allos.batch(table(), "{{ text }}", **options).wait(20)
    after = allos.preview_batch(table(), "{{ text }}", **options)
    again = allos.preview_batch(table(), "{{ text }}", refresh=True, **options)

    assert (before.calls, after.calls, again.calls) == (6, 0, 6)
    assert again.worst_cost_usd == before.worst_cost_usd


def test_a_preview_needs_no_key_and_names_what_would_fail(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens and cost of each model, and why one would not be asked; nothing is sent."""
    monkeypatch.delenv("MISTRAL_API_KEY")
    plan = allos.preview_batch(
        table(30),
        "{{ text }}",
        models=["groq/llama-3.1-8b-instant", "mistral/x"],
        params={"max_tokens": 9},
        n=2,
        strict=True,
        seed=1,
    )

    assert [each.calls for each in plan.columns] == [60, 60]
    assert plan.columns[0].input_tokens >= 60
    assert plan.columns[0].worst_cost_usd > 0
    assert plan.worst_cost_usd is None
    assert "groq/llama-3.1-8b-instant: 60 calls, about" in str(plan)
    assert not server.count


def test_data_of_many_kinds(server: FakeServer, tmp_path: Path) -> None:
    """Rows as dicts, files, polars, Arrow: all are asked."""
    server.reply(echo)
    table(2).to_csv(tmp_path / "t.csv", index=False)
    table(2).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    kinds: list[Any] = [
        [{"text": "<0>"}, {"text": "<1>"}],
        {"text": ["<0>", "<1>"]},
        table(2)["text"],
        str(tmp_path / "t.csv"),
        tmp_path / "t.jsonl",
    ]
    polars = pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    kinds += [polars.from_pandas(table(2)), arrow.Table.from_pandas(table(2))]
    for data in kinds:
        frame = allos.batch(data, "{{ text }}", models="groq/a").frame
        assert frame["content"].tolist() == ["echo <0>", "echo <1>"]

    assert server.count == 2  # the same rows, all the same batch


def test_provider_objects_and_missing_keys(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider object is a model; a model without a key stops alone, and nothing of it is sent."""
    monkeypatch.delenv("MISTRAL_API_KEY")
    provider = ProviderRegistry.get_provider("groq", model="x")
    frame = allos.batch(table(3), "{{ text }}", models=[provider, "mistral/b"]).frame

    assert frame[frame["model"] == "x"]["status"].tolist() == ["ok"] * 3
    assert set(frame[frame["model"] == "b"]["error_type"]) == {"MissingKeyError"}
    assert AuthenticationError.__name__ not in set(frame["error_type"].dropna())


def test_an_interrupt_is_a_pause(server: FakeServer) -> None:
    """Ctrl-C while it waits: one line, what has been sent is kept, and it goes on."""
    server.reply(Reply("ok", first_delay_s=0.05))
    batch = allos.batch(table(30), "{{ text }}", models="groq/a", concurrency=2)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    left = r"the batch is paused with \d+ of 30 calls left(, [12] of them under way)?\. resume"
    with pytest.raises(Interrupted, match=left):
        batch.wait(20)

    assert batch.state == "paused"
    assert set(batch.resume().wait(20).frame["status"]) == {"ok"}
    assert server.count == 30


def test_recorded_answers_take_the_place_of_calls(server: FakeServer, tmp_path: Path) -> None:
    """A batch that was recorded runs again without a service, equal rows and repeats apart."""
    server.reply(lambda seen: Reply(f"{seen.prompt} {seen.number}"))
    data = pd.DataFrame({"text": ["same", "same", "other"]})
    allos.replay(tmp_path / "batch.replay.jsonl", mode="record")
    first = allos.batch(data, "{{ text }}", models="groq/a", n=2).frame
    allos.log.close()
    allos.log.open(tmp_path / "another.sqlite")
    allos.replay(tmp_path / "batch.replay.jsonl", mode="strict")
    second = allos.batch(data, "{{ text }}", models="groq/a", n=2).frame
    allos.replay(mode="off")

    assert server.count == 6
    assert second["replayed"].all()
    assert sorted(second["content"]) == sorted(first["content"])
    assert second["content"][data["text"] == "other"].tolist() == (
        first["content"][data["text"] == "other"].tolist()
    )


def test_pruning_rows_deletes_the_data_of_their_batch(server: FakeServer) -> None:
    """What is deleted from the log is not kept in what a batch is made of."""
    kept = allos.batch(table(2), "Keep {{ text }}", models="groq/a").wait(20)
    gone = allos.batch(table(2), "{{ text }}", models="groq/a", tags=["secret"]).wait(20)
    allos.log.prune(tags="secret")

    assert allos.batches()["batch_id"].tolist() == [kept.id]
    with pytest.raises(ConfigurationError, match="The log has no batch"):
        allos.resume(gone.id)


def test_redacted_texts_are_in_no_part_of_the_log(
    server: FakeServer, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame has the answers as they came; the log has neither them nor the data."""
    server.reply(echo)
    allos.log.open(log)
    allos.log.redact(lambda text: "(redacted)")
    batch = allos.batch(table(2), "hush {{ text }}", models="groq/a").wait(20)
    allos.log.redact(None)
    stored = b"".join(path.read_bytes() for path in log.parent.glob("log.sqlite*"))

    assert batch.frame["content"].tolist() == ["echo <0>", "echo <1>"]
    assert allos.responses()["content"].tolist() == ["(redacted)"] * 2
    assert b"hush" not in stored
    with pytest.raises(ConfigurationError, match=r"its texts were redacted: run allos\.batch"):
        allos.resume(batch.id)


def test_a_batch_in_a_block_that_is_not_logged(server: FakeServer) -> None:
    """Its answers are in memory, and nothing of it is in the log."""
    server.reply(echo)
    with allos.log.paused():
        batch = allos.batch(table(2), "{{ text }}", models="groq/a")
    frame = batch.frame

    assert frame["content"].tolist() == ["echo <0>", "echo <1>"]
    assert allos.responses().empty
    assert allos.batches().empty


def test_conversations_are_asked_and_scored(server: FakeServer, tmp_path: Path) -> None:
    """A file of chats goes in as it is, is gone on with by id, and has its expected answers."""
    path = tmp_path / "chats.jsonl"
    path.write_text(
        '{"messages": [{"role": "user", "content": "<0>"}, {"role": "assistant", "content": "echo <0>"}]}\n'
        '{"messages": [{"role": "user", "content": "<1>"}, {"role": "assistant", "content": "no"}]}\n'
    )
    server.reply(echo)
    found = allos.evaluate(
        path, models="groq/a", scorers="exact", target="ideal", system="Be terse"
    )
    frame = found.frame

    assert frame["content"].tolist() == ["echo <0>", "echo <1>"]
    assert frame["exact"].tolist() == [1.0, 0.0]
    assert frame["system"].tolist() == ["Be terse"] * 2
    assert allos.resume(found.id).done
    assert allos.batch(path, models="groq/a", system="Be terse").done
    assert server.count == 2
