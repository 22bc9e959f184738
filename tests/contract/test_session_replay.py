"""`allos.replay`: a whole process records, and another one needs neither network nor key nor model."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos import wire
from allos.engine import can_answer_offline
from allos.errors import ConfigurationError, MissingKeyError, ReplayError, ReplayMissError
from allos.providers import ProviderRegistry
from allos.runs.compare import compare
from tests.support.fake_server import FakeServer, Reply
from tests.support.layers import answering, prepared

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer(lambda seen: Reply(f"Answer {len(started.requests)}.")) as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        monkeypatch.chdir(tmp_path)
        yield started
        allos.replay(mode="off")
        allos.log.close()


def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another computer has: no key, no override."""
    for name in ("GROQ_API_KEY", "GROQ_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_replay_needs_no_key_and_no_address(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded at another address with a key is served without both, as it was."""
    allos.replay("a.jsonl", "record")
    first = allos.ask("Hi", model="groq/m", temperature=0)
    _without(monkeypatch)
    replay = allos.replay("a.jsonl", "strict")
    served = allos.ask("Hi", model="groq/m", temperature=0.0)
    allos.log.flush()
    rows = allos.responses()

    assert len(server.requests) == 1
    assert (served.content, served.replayed) == (first.content, True)
    facts = {k: v for k, v in first.metadata.items() if k != "base_url"}
    assert list(served.metadata.items()) == list(facts.items())
    assert served.id != first.id
    assert (replay.replayed, replay.requested) == (1, 0)
    assert rows["replayed"].tolist() == [False, True]
    assert rows["latency_s"].nunique() == 1


def test_missing_key_is_told_when_a_call_must_go_out(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In replay a provider is made without a key; the first miss says what is missing. In record and
    without replay it is said at once, as ever."""
    _without(monkeypatch)
    allos.replay("a.jsonl")
    provider = ProviderRegistry.get_provider("groq", model="m")
    with pytest.raises(
        MissingKeyError, match=r"set GROQ_API_KEY.* No recorded answer matches this"
    ):
        provider.chat("Hi")
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
    monkeypatch.setenv("GROQ_BASE_URL", server.base_url)

    assert provider.chat("Hi").content == "Answer 1."
    assert server.requests[0].headers["authorization"] == "Bearer gsk-of-the-test"
    _without(monkeypatch)
    for turn_to in (lambda: allos.replay("a.jsonl", "record"), lambda: allos.replay(mode="off")):
        turn_to()
        with pytest.raises(MissingKeyError):
            ProviderRegistry.get_provider("groq", model="m")


def test_missing_address_and_model_wait_as_well(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service whose address comes from the environment, and a model file, are needed at a miss."""
    monkeypatch.setattr("allos.local.server.has_llama_cpp", lambda: True)
    allos.replay("a.jsonl", "record")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
    monkeypatch.setenv("CHAT_COMPLETIONS_BASE_URL", server.base_url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "az")
    for model in ("azure/d", "chat_completions/m"):
        allos.ask("Hi", model=model)
    for name in ("AZURE_OPENAI_ENDPOINT", "CHAT_COMPLETIONS_BASE_URL", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name)
    allos.replay("a.jsonl", "strict")
    served = [allos.ask("Hi", model=model).content for model in ("azure/d", "chat_completions/m")]

    assert served == ["Answer 1.", "Answer 2."]
    with pytest.raises(ReplayMissError):
        allos.ask("Hi", model="local/no-such-model")
    allos.replay("a.jsonl")
    with pytest.raises(ConfigurationError, match="no-such-model"):
        allos.ask("Hi", model="local/no-such-model")
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        allos.ask("Ho", model="azure/d")


def test_endpoint_of_a_generic_service(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address in the code is what was asked; one from the environment may change."""
    named = ProviderRegistry.get_provider("chat_completions", model="m", base_url=server.base_url)
    monkeypatch.setenv("CHAT_COMPLETIONS_BASE_URL", server.base_url)
    found = ProviderRegistry.get_provider("chat_completions", model="m")
    requests = []
    layer = answering(lambda request: requests.append(request))
    allos.current_session().add_interceptor(layer)
    try:
        named.chat("Hi")
        found.chat("Hi")
    finally:
        allos.current_session().remove_interceptor(layer)

    assert [request.endpoint for request in requests] == [server.base_url, "chat_completions"]


def test_streams_and_async_calls_are_served(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or streamed, sync or async: one record, and a stream iterates over it."""
    import asyncio

    allos.replay("a.jsonl", "record")
    allos.ask("Hi", model="groq/m")
    _without(monkeypatch)

    async def everything() -> list[str]:
        said = []
        for _ in range(2):
            allos.replay("a.jsonl", "strict")
            provider = ProviderRegistry.get_provider("groq", model="m")
            if not said:
                said.append((await provider.achat("Hi")).content)
            else:
                async with provider.astream("Hi") as stream:
                    said += [text async for text in stream]
                assert stream.response is not None
                assert stream.response.replayed
        allos.replay("a.jsonl", "strict")
        said.append((await allos.aask("Hi", model="groq/m")).content)
        return said

    assert asyncio.run(everything()) == ["Answer 1."] * 3
    allos.replay("a.jsonl", "strict")
    with ProviderRegistry.get_provider("groq", model="m").stream("Hi") as stream:
        assert list(stream) == ["Answer 1."]
    assert len(server.requests) == 1


def test_comparison(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every repeat of every column gets its own answer back, equal columns too; nothing is asked."""
    allos.replay("a.jsonl", "record")
    models = ["groq/m", "groq/m", "groq/n"]
    first = compare("Hi", models=models, n=2).wait(30)
    said = [response.content for response in first.responses]
    _without(monkeypatch)
    allos.replay("a.jsonl", "strict")
    again = compare("Hi", models=models, n=2)

    assert again.from_replay()
    assert [response.content for response in again.responses] == said
    assert len(set(said)) == 6
    assert all(response.replayed for response in again.responses)
    assert not compare("Ho", models=["groq/m"]).wait(30).responses[0].ok
    assert len(server.requests) == 6


def test_comparison_that_has_to_ask(server: FakeServer) -> None:
    """A comparison that is recorded in part is not served as a whole."""
    assert not compare("Hi", models=["groq/m"]).from_replay(), "without a replay file nothing is"
    allos.replay("a.jsonl")
    assert not compare("Hi", models=["groq/m"]).wait(30).from_replay()
    allos.replay("a.jsonl")
    assert compare("Hi", models=["groq/m"]).from_replay()
    assert not compare("Hi", models=["groq/m", "groq/n"]).from_replay()
    allos.replay("a.jsonl")
    fresh = compare("Hi", models=["groq/m"], refresh=True)
    assert not fresh.from_replay()
    fresh.wait(30)


def test_fresh(server: FakeServer) -> None:
    """`refresh=True` asks one anew, for `ask` and for a provider, and its answer is the one kept."""
    provider = ProviderRegistry.get_provider("groq", model="m")
    for ask in (
        lambda **k: allos.ask("Hi", model="groq/m", **k),
        lambda **k: provider.chat("Ho", **k),
    ):
        allos.replay("a.jsonl")
        old = ask()
        allos.replay("a.jsonl")
        new = ask(refresh=True)
        allos.replay("a.jsonl")
        kept = ask()

        assert not new.replayed
        assert new.content != old.content
        assert kept.content == new.content
        assert "refresh" not in server.requests[-1].body


def test_opening_again_and_off(server: FakeServer) -> None:
    """One file is open at a time; what cannot be opened leaves it; off asks as ever."""
    opened = allos.replay("a.jsonl")
    with pytest.raises(ReplayError):
        allos.replay("missing.jsonl", "strict")
    assert allos.replay() is opened
    assert allos.current_session().replay is not None
    allos.ask("Hi", model="groq/m")
    off = allos.replay("a.jsonl", "off")

    assert (off.mode, allos.current_session().replay, can_answer_offline()) == ("off", None, False)
    assert allos.replay().mode == "off"
    assert not allos.ask("Hi", model="groq/m").replayed
    assert opened.recorded == 1


def test_file_named_by_the_environment(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALLOS_REPLAY` opens a file at the first call; one that fails, fails every call."""
    monkeypatch.setenv("ALLOS_REPLAY", "a.jsonl")
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "strict")
    for _ in range(2):
        with pytest.raises(ReplayError, match="There is no replay file"):
            allos.ask("Hi", model="groq/m")
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "record")
    allos.ask("Hi", model="groq/m")

    assert allos.replay().mode == "record"
    assert allos.replay().recorded == 1
    assert len(server.requests) == 1


OFFLINE = textwrap.dedent(
    """
    import socket, sys

    def refuse(*args, **kwargs):
        raise AssertionError("something wants the network")

    socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
    import allos
    from allos.providers import ProviderRegistry
    from allos.local import process

    process.Popen = refuse
    allos.replay("a.jsonl", "strict")
    print(allos.ask("Hi", model="groq/m").content)
    with ProviderRegistry.get_provider("anthropic", model="c").stream("Hi") as stream:
        print("".join(stream))
    print(allos.ask("Hi", model="local/smollm2").content)
    print(*allos.compare("Hi", models=["groq/m"], n=2).responses, sep="")
    heavy = ("openai", "anthropic", "httpx2", "aiohttp", "genai_prices", "xllamacpp", "pandas")
    print([name for name in heavy if name in sys.modules])
    print(str(allos.replay()))
    """
)


def test_nothing_is_loaded_started_or_asked(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a process of its own, without keys: no socket, no SDK, no server for the embedded model."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant")
    allos.replay("a.jsonl", "record")
    allos.ask("Hi", model="groq/m")
    allos.ask("Hi", model="anthropic/c")
    compare("Hi", models=["groq/m"], n=2).wait(30)
    _as_if_embedded(server)
    allos.replay(mode="off")
    asked = len(server.requests)
    environment = {
        name: value
        for name, value in os.environ.items()
        if "API_KEY" not in name and "BASE_URL" not in name
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", OFFLINE],
        env={**environment, "PYTHONPATH": str(ROOT), "ALLOS_MODELS": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    *said, heavy, counts = done.stdout.splitlines()
    assert said[:3] == ["Answer 1.", "Answer 2.", "Embedded."]
    assert said[3].count("Answer") == 2
    assert heavy == "[]"
    assert counts == "a.jsonl (strict): 5 recorded; this run: 5 replayed, 0 requested, 0 unused"
    assert len(server.requests) == asked


def _as_if_embedded(server: FakeServer) -> None:
    """Record an answer of the embedded model without running it: it is one more service."""
    from dataclasses import replace

    from allos.hashing import request_hash
    from allos.messages import Message
    from allos.request import Request
    from allos.response import ProviderResponse

    made = Request(
        provider="local",
        endpoint="local",
        api="chat",
        base_url="http://127.0.0.1:9/v1",
        model="smollm2",
        messages=(Message("user", "Hi"),),  # type: ignore[arg-type]
    )
    made = replace(made, request_hash=request_hash(made))
    after = allos.replay().before(prepared(made, wire.get("chat")))
    assert callable(after)
    after(ProviderResponse("Embedded.", request=made))


def test_answers_of_a_process_that_ends(server: FakeServer, tmp_path: Path) -> None:
    """A script that just ends leaves a tidy file, also when one answer was replaced."""
    code = (
        "import allos; allos.replay('a.jsonl', 'record')\n"
        "allos.ask('Hi', model='groq/m'); allos.ask('Ho', model='groq/m')\n"
        "allos.replay('a.jsonl'); allos.ask('Hi', model='groq/m', refresh=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replay = allos.replay("a.jsonl", "strict")
    assert replay.recorded == 2
    assert len(Path("a.jsonl").read_text().splitlines()) == 2
    assert allos.ask("Hi", model="groq/m").content == "Answer 3."
    assert "gsk-of-the-test" not in Path("a.jsonl").read_text()
    assert server.base_url not in Path("a.jsonl").read_text()


def test_file_of_a_setting(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is set is opened by the next call, and another one when it is set anew; a file
    that the code has opened stays."""
    try:
        allos.configure(replay="a.jsonl", replay_mode="record")
        allos.ask("Hi", model="groq/m")
        first = repr(allos.replay())
        allos.configure(replay="b.jsonl", replay_mode="replay")
        allos.ask("Hi", model="groq/m")
        second = repr(allos.replay())
        allos.replay("c.jsonl")
        allos.ask("Hi", model="groq/m")

        assert first == "Replay('a.jsonl', mode='record')"
        assert second == "Replay('b.jsonl', mode='replay')"
        assert repr(allos.replay()) == "Replay('c.jsonl', mode='replay')"
    finally:
        allos.configure(replay=None, replay_mode=None)


def test_key_for_other_things_is_missed_in_its_own_words(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of models is never recorded, so a missing key is told without a word of records."""
    _without(monkeypatch)
    allos.replay("a.jsonl")
    with pytest.raises(MissingKeyError) as missing:
        ProviderRegistry.get_provider("groq", model="m").list_models()

    assert "recorded" not in str(missing.value)


@pytest.mark.parametrize("mode", ["strict", "record"])
def test_a_mode_needs_its_file(mode: Any) -> None:
    """A mode without a file would be left out silently; it says what to write."""
    with pytest.raises(ConfigurationError, match=f"mode='{mode}' needs the file"):
        allos.replay(mode=mode)
