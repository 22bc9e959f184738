"""Batches through the batch APIs of services: files that come back short, out of order, twice or never."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import BatchPausedError, ConfigurationError
from allos.profiles import Api
from allos.providers.catalog import services as catalog
from allos.runs import active_runs
from allos.runs.batching import polling
from allos.runs.batching.submitted_files import SubmittedFile, SubmittedFiles
from tests.support.fake_server import FakeServer, Fault, Reply, Seen
from tests.support.fake_server.batches import Trouble
from tests.support.processes import Child

ROWS = 12
MODELS = {
    "responses": "openai/gpt-4o",
    "chat": "groq/llama-3.1-8b-instant",
    "messages": "anthropic/claude-haiku-4-5",
}


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("ALLOS_LOG", str(path))
    with polling.using(first_s=0.01, longest_s=0.03):
        yield path
        allos.stop_all()
    allos.log.close()


@pytest.fixture(autouse=True)
def services(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    server.reply(echo)


def environment(server: FakeServer) -> dict[str, str]:
    urls = {"OPENAI": server.base_url, "GROQ": server.base_url, "ANTHROPIC": server.url}
    keys = {f"{name}_API_KEY": f"{name.lower()}-key-of-the-test" for name in urls}
    return {**{f"{name}_BASE_URL": url for name, url in urls.items()}, **keys}


def table(count: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"<{number}>" for number in range(count)]})


def echo(seen: Seen) -> Reply:
    return Reply(f"echo {seen.prompt.rpartition(' ')[2]}")


def start(api: Api, data: pd.DataFrame | None = None, **options: Any) -> Any:
    return allos.batch(
        table() if data is None else data,
        "Say {{ text }}",
        models=MODELS[api],
        mode="provider_batch",
        max_tokens=20,
        **options,
    )


def answered(batch: Any) -> pd.DataFrame:
    """Its frame, in which every row has its own answer."""
    frame = batch.wait(30).frame
    assert list(frame["content"]) == [f"echo {text}" for text in frame["text"]]
    assert set(frame["status"]) == {"ok"}
    return frame


def paid(server: FakeServer) -> Counter[str]:
    return Counter(server.batches.answered())


def number_of(server: FakeServer, key: str) -> int:
    """Row of a key of the first batch."""
    return server.batches.submitted[0].keys.index(key)


# ---- rows -----------------------------------------------------------------------------------------


def test_rows_are_those_of_calls_at_half_the_price(server: FakeServer, api: Api) -> None:
    """Every call is sent once, in one file; its row has all facts but what nobody could measure."""
    frame = answered(start(api))
    (submitted,) = server.batches.submitted

    assert submitted.api == api
    assert set(frame["api"]) == {api}
    assert set(paid(server).values()) == {1}
    assert set(frame["service_tier"]) == {"batch"}
    assert set(frame["output_tokens"]) == {7}
    assert frame["latency_s"].isna().all()
    assert (frame["total_time_s"] > 0).all()
    assert frame["request_hash"].nunique() == ROWS
    assert all("temperature" not in body for body in submitted.bodies.values())


def test_price(server: FakeServer) -> None:
    """The tables' own price for batches, else half of the list price, which `price_version` says."""
    models = ["openai/gpt-4o", "groq/llama-3.1-8b-instant"]
    options: dict[str, Any] = {"models": models, "max_tokens": 20}
    listed = allos.batch(table(1), "{{ text }}", batch_id="calls", **options).frame
    halved = allos.batch(
        table(1), "{{ text }}", batch_id="halved", mode="provider_batch", **options
    ).frame

    assert list(halved["cost_usd"]) == pytest.approx(list(listed["cost_usd"] / 2))
    assert [
        str(version).endswith(", 0.5 of the list price") for version in halved["price_version"]
    ] == [
        False,
        True,
    ]


def test_fields_of_a_schema(server: FakeServer, api: Api) -> None:
    """Answers are parsed as those of calls; one that does not match has an error, and its text."""
    server.reply(lambda seen: Reply("nothing" if "<0>" in seen.prompt else '{"value": true}'))
    frame = start(api, table(2), schema=bool).frame

    assert frame["value"].isna().tolist() == [True, False]
    assert frame["error_type"].tolist()[0] == "SchemaError"


# ---- what goes wrong with a file ------------------------------------------------------------------


def test_order_and_number_of_lines_do_not_matter(server: FakeServer, api: Api) -> None:
    """Out of order, twice, and lines that nobody asked for: no row is shifted, none is paid twice."""
    server.batches.trouble = [Trouble(is_shuffled=True, is_doubled=True, foreign=3)]
    frame = answered(start(api))

    assert len(allos.responses()) == len(frame) == ROWS
    assert set(paid(server).values()) == {1}


@pytest.mark.parametrize("kind", ["lost", "expired", "failed", "cut"])
def test_what_is_missing_is_asked_again(server: FakeServer, api: Api, kind: str) -> None:
    """Lines that a file lacks, that came too late or failed at the service: those, and no others."""

    def is_third(key: str) -> bool:
        return number_of(server, key) % 3 == 0

    trouble = {
        "lost": Trouble(lost=is_third),
        "expired": Trouble(expired=is_third),
        "failed": Trouble(errors=lambda key: 500 if is_third(key) else None),
        "cut": Trouble(is_cut=True),
    }[kind]
    server.batches.trouble = [trouble, Trouble()]
    answered(start(api))
    first, second = server.batches.submitted

    expected = [first.keys[-1]] if kind == "cut" else list(filter(is_third, first.keys))
    assert sorted(second.keys) == sorted(expected)
    assert list(allos.responses()["task_key"].value_counts().unique()) == [1]


def test_what_never_comes_is_an_error_row(server: FakeServer, api: Api) -> None:
    """After three rounds; running it again asks it."""
    server.batches.trouble = [Trouble(lost=lambda key: number_of(server, key) == 1)]
    frame = start(api).wait(30).frame

    assert [len(batch.keys) for batch in server.batches.submitted] == [ROWS, 1, 1]
    assert frame["status"].tolist() == ["ok", "error", *["ok"] * (ROWS - 2)]
    assert "no answer to this call, in 3 rounds" in frame["error_message"].iloc[1]
    server.batches.trouble = [Trouble()]
    answered(start(api))


def test_a_line_with_an_error_is_a_row_with_it(server: FakeServer, api: Api) -> None:
    """Its own error, not billed; the others have their answers."""
    server.batches.trouble = [
        Trouble(errors=lambda key: 400 if number_of(server, key) == 2 else None)
    ]
    frame = start(api).wait(30).frame

    assert frame["error_type"].dropna().tolist() == ["BadRequestError"]
    assert frame["error_message"].iloc[2].startswith(f"{MODELS[api]}: ")
    assert "This request is wrong" in frame["error_message"].iloc[2]
    assert frame["cost_usd"].iloc[2] == 0
    assert len(server.batches.submitted) == 1


def test_a_refused_file(server: FakeServer, api: Api) -> None:
    """Each of its calls has the reason, nothing is tried again."""
    if api == "messages":
        server.script(Fault.status(400, message="This request is wrong."), on="batches")
    else:
        server.batches.trouble = [Trouble(refusal="invalid_request_error")]
    frame = start(api).wait(30).frame

    assert set(frame["error_type"]) == {"BadRequestError"}
    assert len(server.batches.submitted) <= 1


# ---- the network ------------------------------------------------------------------------------------


def test_faults_of_the_network_lose_nothing(server: FakeServer, api: Api) -> None:
    """500 and 429 of each request, an answer that is cut: it is asked again, and submitted once."""
    faults = [Fault.status(500), Fault.status(429, retry_after=0.01), Fault.reset()]
    for part in ("files", "batches", "batch", "results"):
        server.script(*faults, on=part)
    answered(start(api))

    assert len(server.batches.submitted) == 1
    assert server.unused == (3 if api == "messages" else 0)


def test_what_was_accepted_without_an_answer_is_not_submitted_twice(
    server: FakeServer, api: Api
) -> None:
    """It is found again among the batches of the service."""
    server.batches.trouble = [Trouble(loses_answer=True)]
    answered(start(api))

    assert len(server.batches.submitted) == 1


def test_a_wrong_key_stops_with_its_reason(server: FakeServer, api: Api) -> None:
    """And the key stands nowhere."""
    server.reply(Fault.bad_key(), on="batches")
    server.reply(Fault.bad_key(), on="files")
    frame = start(api).wait(30).frame

    assert set(frame["error_type"]) == {"AuthenticationError"}
    assert "key-of-the-test" not in frame.to_csv()


# ---- stop, and go on ----------------------------------------------------------------------------------

_CHILD = f"""
import sys
import pandas as pd
import allos
from allos.runs.batching import polling
if __name__ == "__main__":
    data = pd.DataFrame({{"text": [f"<{{number}}>" for number in range({ROWS})]}})
    with polling.using(first_s=0.02, longest_s=0.05):
        batch = allos.batch(
            data, "Say {{{{ text }}}}", models=sys.argv[1:], mode="provider_batch", max_tokens=20
        )
        batch.wait(60)
"""


@pytest.mark.process
def test_killed_while_it_is_at_the_service(server: FakeServer, log: Path) -> None:
    """Another process collects it: each row once, nothing submitted again."""
    server.batches.hold = True
    command = [sys.executable, "-c", _CHILD, *MODELS.values()]
    with Child(
        command,
        env={**os.environ, **environment(server), "ALLOS_LOG": str(log)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        server.wait_for(lambda: sum(b.polls > 0 for b in server.batches.submitted) == 3, 60)
        child.kill_group()

    assert allos.batches()["state"].tolist() == ["waiting"]
    server.batches.hold = False
    again = allos.resume(allos.batches()["batch_id"].iloc[0])
    frame = again.wait(30).frame
    assert list(frame["content"]) == [f"echo {text}" for text in frame["text"]]
    assert len(server.batches.submitted) == 3
    assert len(allos.responses()) == 3 * ROWS


@pytest.mark.parametrize("is_accepted", [True, False])
def test_killed_between_submission_and_its_note(
    server: FakeServer, api: Api, is_accepted: bool
) -> None:
    """What the log knows then is that something was about to be submitted: it is looked for first."""
    server.batches.hold = True
    batch = start(api)
    server.wait_for(lambda: any(each.polls for each in server.batches.submitted))
    batch._calls.leave()
    store = allos.current_session().log.store
    assert store is not None
    files = SubmittedFiles(store, batch.id)
    (file,) = files.load()
    file.id = None
    files.save(file)
    if not is_accepted:
        server.batches.submitted.clear()
    allos.current_session().active_runs.clear()
    server.batches.hold = False
    answered(start(api))

    assert len(server.batches.submitted) == 1


def test_of_two_batches_of_the_same_size_each_gets_its_own(server: FakeServer) -> None:
    """Where a service keeps no names: what another model's calls are in is known from the log."""
    models = ["anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-5"]
    options: dict[str, Any] = {"models": models, "mode": "provider_batch", "max_tokens": 20}
    server.batches.hold = True
    server.reply(lambda seen: Reply(f"{seen.model} {seen.prompt}"))
    batch = allos.batch(table(3), "{{ text }}", **options)
    server.wait_for(lambda: sum(each.polls > 0 for each in server.batches.submitted) == 2)
    batch._calls.leave()
    store = allos.current_session().log.store
    assert store is not None
    files = SubmittedFiles(store, batch.id)
    file = files.load()[0]
    file.id = None
    files.save(file)
    allos.current_session().active_runs.clear()
    server.batches.hold = False
    frame = allos.batch(table(3), "{{ text }}", **options).wait(30).frame

    assert list(frame["content"]) == list(frame["model"] + " " + frame["text"])
    assert len(server.batches.submitted) == 2


def test_two_processes_that_start_at_the_same_moment(
    server: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sees the other one's note after its own sends nothing, and waits for the answers when it runs again."""
    save = SubmittedFiles.save
    others: list[SubmittedFile] = []

    def save_after_another(files: SubmittedFiles, file: SubmittedFile) -> None:
        if not others:
            others.append(replace(file, name="allos-of-another-process", keys=file.keys[:1]))
            save(files, others[0])
        save(files, file)

    monkeypatch.setattr(SubmittedFiles, "save", save_after_another)
    batch = start(api).wait(30)

    assert "another process is handing over the same calls" in batch.notes[0]
    assert not server.batches.submitted
    assert set(batch.frame["error_type"]) == {"ConfigurationError"}
    answered(start(api))
    assert set(paid(server).values()) == {1}


def test_somebody_elses_batch_of_the_same_size_is_no_answer(server: FakeServer) -> None:
    """Where a service keeps no names, the keys in the results tell; the calls are handed over again."""
    start("messages", table(3), batch_id="other").wait(30)
    other = server.batches.submitted[0]
    server.script(Fault.drop(), on="batches")
    answered(start("messages", table(3).assign(text=["<a>", "<b>", "<c>"])))

    assert len(server.batches.submitted) == 2
    assert other.keys[0] not in server.batches.submitted[1].keys


def test_cancel_stops_it_at_the_service_and_keeps_what_is_done(
    server: FakeServer, api: Api
) -> None:
    """Running it again collects that, and asks only the rest."""
    server.batches.trouble = [
        Trouble(polls=9, lost=lambda key: number_of(server, key) > 3),
        Trouble(),
    ]
    server.batches.hold = True
    batch = start(api)
    server.wait_for(lambda: any(each.polls for each in server.batches.submitted))
    batch.cancel()
    server.wait_for(lambda: server.batches.submitted[0].is_cancelled)

    assert (batch.state, set(batch.frame["status"])) == ("cancelled", {"cancelled"})
    server.batches.hold = False
    answered(start(api))
    assert [len(each.keys) for each in server.batches.submitted] == [ROWS, ROWS - 4]


def test_what_is_at_the_service_is_not_called_as_well(server: FakeServer) -> None:
    """It is paid: one line says how to collect it."""
    server.batches.hold = True
    batch = start("responses")
    server.wait_for(lambda: any(each.polls for each in server.batches.submitted))
    batch._calls.leave()
    allos.current_session().active_runs.clear()

    with pytest.raises(
        ConfigurationError, match=r'12 calls are at .*mode="provider_batch" collects'
    ):
        allos.batch(table(), "Say {{ text }}", models=MODELS["responses"], max_tokens=20)
    grown = start("responses", table(ROWS + 1))
    server.batches.hold = False
    answered(grown)
    assert [len(each.keys) for each in server.batches.submitted] == [ROWS, 1]


def test_the_end_of_the_process_leaves_it_at_the_service(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so; nothing is cancelled there."""
    server.batches.hold = True
    start("responses")
    server.wait_for(lambda: any(each.polls for each in server.batches.submitted))
    active_runs._cancel_at_exit()
    allos.current_session().active_runs.clear()

    assert capsys.readouterr().err == (
        "allos: 12 answers of a batch are still to come from the service. Running it again collects "
        "them.\n"
    )
    server.batches.hold = False
    answered(start("responses"))
    assert [each.is_cancelled for each in server.batches.submitted] == [False]


def test_paused_it_hands_over_nothing_more(server: FakeServer) -> None:
    """What is at the service goes on; `resume` hands over the rest."""
    server.batches.hold = True
    batch = start("responses")
    server.wait_for(lambda: any(each.polls for each in server.batches.submitted))
    batch.pause()
    with pytest.raises(BatchPausedError):
        batch.wait(30)
    server.batches.hold = False
    batch.resume()
    answered(batch)


# ---- what is shown, and what is refused ----------------------------------------------------------------


def test_it_says_how_far_it_is(server: FakeServer, api: Api) -> None:
    """In its table, its repr and its properties."""
    server.batches.hold = True
    server.batches.trouble = [Trouble(polls=2)]
    batch = start(api)
    server.wait_for(lambda: batch.at_service is not None and batch.at_service[0] == ROWS * 2 // 3)

    assert batch.state == "waiting"
    assert "waiting at the service: 8 of 12 done" in repr(batch)
    assert str(batch).startswith("Batch, waiting at the service: 8 of 12 done; 0 of 12 answered")
    assert "running it again collects the answers" in batch.to_html()


def test_files_are_as_large_as_the_service_takes(server: FakeServer) -> None:
    """By requests and by bytes; a request that is too large alone is a row with an error."""
    terms = {"apis": ["chat"], "max_requests": 5, "max_bytes": 1_000}
    allos.providers.register(
        catalog.from_fields(
            "small",
            {"base_url": server.base_url, "api": "chat", "batches": terms, "key_required": False},
        )
    )
    try:
        data = table(8)
        data.loc[3, "text"] = "x" * 2_000
        data.loc[6, "text"] = "<" + "y" * 500 + ">"
        frame = allos.batch(data, "Say {{ text }}", models="small/m", mode="provider_batch").frame
    finally:
        allos.providers.unregister("small")

    assert frame["error_type"].dropna().tolist() == ["BadRequestError"]
    assert "a batch of small takes 1,000" in frame["error_message"].iloc[3]
    assert frame["status"].tolist().count("ok") == 7
    assert all(b.size <= 1_000 and len(b.keys) <= 5 for b in server.batches.submitted)


def test_a_budget_counts_half_prices(server: FakeServer) -> None:
    """What a call may cost is reserved at the price of batches; what does not fit is not sent."""

    def calls_within(mode: str) -> int:
        return int(
            (
                allos.batch(
                    table(40), "{{ text }}", models="openai/gpt-4o", mode=mode, batch_id=mode,
                    max_tokens=100, budget_usd=0.01, concurrency=1,
                ).wait(30).frame["status"] == "ok"
            ).sum()
        )  # fmt: skip

    handed_over = calls_within("provider_batch")
    assert 0 < handed_over < 40
    assert sum(paid(server).values()) == handed_over
    rows = allos.responses()
    assert rows["cost_usd"].sum() < 0.01


@pytest.mark.parametrize(("budget_usd", "rows"), [(0.0001, 8), (0.004, 8)])
def test_what_a_budget_left_out_is_counted(
    server: FakeServer, budget_usd: float, rows: int
) -> None:
    """The note of each model has the number of its rows that were not sent, and says nothing of those that were."""
    server.reply(echo)
    batch = allos.batch(
        table(rows), "{{ text }}", models=["openai/gpt-4o", "anthropic/claude-haiku-4-5"],
        mode="provider_batch", max_tokens=100, budget_usd=budget_usd,
    ).wait(30)  # fmt: skip
    frame = batch.frame
    unsent = frame[frame["error_type"] == "BudgetError"].groupby("model").size()
    sent = sum(paid(server).values())

    assert sent == len(frame) - unsent.sum() == (frame["status"] == "ok").sum()
    assert len(batch.notes) == len(unsent) > 0
    for name, count in unsent.items():
        calls = "1 call was" if count == 1 else f"{count} calls were"
        found = [note for note in batch.notes if f"/{name}: {calls} not sent. " in note]
        assert len(found) == 1, batch.notes
        assert "Nothing was sent" not in found[0]
        assert found[0].count(name) == 1


def test_a_preview_has_half_prices(server: FakeServer) -> None:
    """And says which service has no batch API."""
    options: dict[str, Any] = {"models": "openai/gpt-4o", "max_tokens": 100}
    listed = allos.preview_batch(table(), "{{ text }}", **options)
    halved = allos.preview_batch(table(), "{{ text }}", mode="provider_batch", **options)
    other = allos.preview_batch(
        table(), "{{ text }}", models="mistral/m", api_key="k", mode="provider_batch"
    )

    assert listed.worst_cost_usd is not None
    assert halved.worst_cost_usd == pytest.approx(listed.worst_cost_usd / 2)
    assert "mistral has no batch API" in str(other)


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        (
            "mistral/m",
            {"api_key": "k"},
            r"mistral has no batch API that allos speaks \(they are: openai",
        ),
        ("groq/m", {"api": "responses"}, r"groq takes api='chat', not api='responses'"),
        ("openai/m", {"mode": "half"}, r"mode must be 'calls' or 'provider_batch'"),
    ],
)
def test_what_cannot_be_is_one_line(
    server: FakeServer, model: str, options: dict[str, Any], why: str
) -> None:
    """Nothing is sent."""
    with pytest.raises(ConfigurationError, match=why):
        allos.batch(table(), "{{ text }}", models=model, **{"mode": "provider_batch", **options})
    assert not server.requests


def test_without_a_log(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would know after a restart what was paid."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(ConfigurationError, match="needs the log"):
        start("responses")
    assert not server.requests


@pytest.mark.parametrize(
    ("options", "says"),
    [({"mode": "calls"}, 'with mode="provider_batch"'), ({"budget_usd": 5}, "without budget_usd=")],
)
def test_what_is_under_way_is_not_made_in_another_way(
    server: FakeServer, options: dict[str, Any], says: str
) -> None:
    """Neither paid twice nor silently at another price: one line says so, and nothing is sent."""
    server.batches.hold = True
    under_way = start("chat")
    while not server.batches.submitted:
        under_way.wait_for_change(0.05)
    kinds = {seen.api for seen in server.requests}
    with pytest.raises(ConfigurationError, match=rf"under way {says}.*Nothing was sent"):
        allos.batch(
            table(),
            "Say {{ text }}",
            models=MODELS["chat"],
            max_tokens=20,
            **{"mode": "provider_batch", **options},
        )
    server.batches.hold = False

    answered(under_way)
    assert "chat" not in kinds | {seen.api for seen in server.requests}
    assert set(paid(server).values()) == {1}
