"""Recording and replaying on all three APIs, whole and streamed: the same answer, and no request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import allos
from allos.errors import ProviderError, ReplayMissError, SchemaError
from allos.events import Finished, ReasoningDelta, TextDelta, ToolCallDelta
from allos.messages import Message
from allos.parts import Image
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.support.pictures import JPEG, PNG


@pytest.fixture
def file(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "a.jsonl")
    allos.replay(mode="off")


def _facts(response: ProviderResponse) -> dict[str, Any]:
    return {name: value for name, value in response.metadata.items() if name != "base_url"}


def test_same_answer_without_a_request(
    server: FakeServer, provider: Provider, ask: Ask, file: str, observed: list[ProviderResponse]
) -> None:
    """Words, reasoning, usage, times and parts for the next turn come back; the key is nowhere."""
    server.reply(Reply("Grüße!", reasoning="Hm", usage={"input_tokens": 5, "output_tokens": 3}))
    allos.replay(file, "record")
    first = ask(provider, temperature=0.5)
    allos.replay(file, "strict")
    again = ask(provider, temperature=0.5)

    assert len(server.requests) == 1
    assert (again.content, again.reasoning, again.raw) == (
        first.content,
        first.reasoning,
        first.raw,
    )
    assert list(_facts(again).items()) == list(_facts(first).items())
    assert again.latency_s == first.latency_s
    assert (first.replayed, again.replayed) == (False, True)
    assert again.to_message() == first.to_message()
    assert observed == [first, again]
    assert provider._route.endpoint.api_key is not None
    assert provider._route.endpoint.api_key.reveal() not in Path(file).read_text()


def test_streamed_or_whole_does_not_matter(
    server: FakeServer, provider: Provider, ask: Ask, file: str
) -> None:
    """What was recorded one way is replayed the other way, reasoning and tool calls in the events."""
    server.reply(Reply("Yes.", reasoning="Hm", tool_calls=[Call("f", {"a": 1})]))
    allos.replay(file, "record")
    first = ask(provider)
    allos.replay(file, "strict")
    whole = provider.chat("Hi")
    allos.replay(file, "strict")
    with provider.stream("Hi") as stream:
        events = list(stream.events)

    assert whole.content == first.content == "Yes."
    assert whole.tool_calls == first.tool_calls
    assert stream.response is not None
    assert stream.response.tool_calls == first.tool_calls
    kinds = [type(event) for event in events]
    assert kinds.index(TextDelta) < kinds.index(ToolCallDelta) < kinds.index(Finished)
    assert kinds[0] is ReasoningDelta
    assert len(server.requests) == 1


def test_repeats(server: FakeServer, provider: Provider, ask: Ask, file: str) -> None:
    """The k-th equal request gets the k-th answer; one more is a miss."""
    server.script("one", "two")  # type: ignore[arg-type]
    allos.replay(file, "record")
    ask(provider), ask(provider)
    allos.replay(file, "strict")

    assert [ask(provider).content for _ in range(2)] == ["one", "two"]
    with pytest.raises(ReplayMissError, match="made 3 times in this run and is recorded 2 times"):
        ask(provider)
    assert len(server.requests) == 2


def test_failures_are_sent_again(
    server: FakeServer, provider: Provider, ask: Ask, file: str
) -> None:
    """A failure is not recorded: the next run sends the request again, and records its answer."""
    server.script(Fault.bad_key(), Reply("well"))
    allos.replay(file)
    with pytest.raises(ProviderError):
        ask(provider)
    allos.replay(file)
    assert ask(provider).content == "well"
    allos.replay(file, "strict")

    assert ask(provider).content == "well"
    assert len(server.requests) == 2


@dataclass
class City:
    name: str


def test_schema(server: FakeServer, provider: Provider, ask: Ask, file: str) -> None:
    """The value is parsed again from the recorded text; what did not match is not recorded."""
    server.script(Reply("Rome"), Reply('{"name": "Rome"}'))
    allos.replay(file, "record")
    with pytest.raises(SchemaError):
        ask(provider, schema=City)
    ask(provider, schema=City)
    allos.replay(file, "strict")

    assert ask(provider, schema=City).parsed == City("Rome")
    assert len(server.requests) == 2


def test_tools(server: FakeServer, provider: Provider, file: str) -> None:
    """Each step of a tool run is replayed; the tools themselves run again."""
    runs: list[int] = []

    def double(number: int) -> int:
        """Twice a number."""
        runs.append(number)
        return 2 * number

    server.script(Reply(tool_calls=[Call("double", {"number": 21})]), Reply("It is 42."))
    allos.replay(file, "record")
    first = allos.ask("Twice 21?", model=provider, tools=[double])
    replay = allos.replay(file, "strict")
    again = allos.ask("Twice 21?", model=provider, tools=[double])

    assert (again.content, len(again.steps)) == (first.content, 2)
    assert [step.replayed for step in again.steps] == [True, True]
    assert (runs, replay.replayed) == ([21, 21], 2)
    assert len(server.requests) == 2


def test_images_count_by_their_bytes(
    server: FakeServer, provider: Provider, ask: Ask, file: str, tmp_path: Path
) -> None:
    """The same image is a hit wherever it is stored; another one is a miss that says so."""
    (tmp_path / "a.png").write_bytes(PNG)
    allos.replay(file, "record")
    ask(provider, [Message("user", ["See", Image(data=PNG)])])  # type: ignore[arg-type]
    allos.replay(file, "strict")

    assert ask(provider, ["See", Image(path=tmp_path / "a.png")]).replayed
    with pytest.raises(ReplayMissError, match="in its images or files"):
        ask(provider, ["See", Image(data=JPEG)])
    assert len(server.requests) == 1
    assert len(Path(file).read_bytes()) < 4000


def test_no_limit_and_no_client(server: FakeServer, make: Make, ask: Ask, file: str) -> None:
    """A replayed answer waits for no limit and builds no client."""
    from allos.engine import runtime

    allos.replay(file, "record")
    ask(make())
    clients = len(runtime.get()._clients)
    for _ in range(3):
        allos.replay(file, "strict")
        replayed = ask(make(requests_per_minute=1, timeout_s=1, headers={"x-other": "client"}))
        assert replayed.metadata["queue_s"] < 1

    assert len(runtime.get()._clients) == clients
    assert len(server.requests) == 1


def test_simultaneous_equal_calls_get_their_own_answers_back(
    server: FakeServer, provider: Provider, file: str
) -> None:
    """Two equal calls run at once, and one finishes long before the other: each replays its own."""
    import asyncio

    async def both() -> list[ProviderResponse]:
        return await asyncio.gather(provider.achat("Hi"), provider.achat("Hi"))

    server.script(Reply("slow", delay_s=0.5), Reply("fast"))
    allos.replay(file, "record")
    first = [response.content for response in asyncio.run(both())]
    allos.replay(file, "strict")
    again = [response.content for response in asyncio.run(both())]

    assert sorted(first) == ["fast", "slow"]
    assert again == first


def test_a_miss_is_a_row_of_the_log(
    server: FakeServer, provider: Provider, ask: Ask, file: str, tmp_path: Path
) -> None:
    """A request that strict replay refuses is logged as an error; nothing was sent."""
    allos.replay(file, "record")
    ask(provider, "Hi")
    allos.replay(file, "strict")
    allos.log.open(tmp_path / "log.sqlite")
    with pytest.raises(ReplayMissError):
        ask(provider, "Ho")
    row = allos.responses().iloc[0]
    allos.log.close()

    assert (row["status"], row["error_type"], row["prompt"]) == ("error", "ReplayMissError", "Ho")
    assert not row["replayed"]
    assert len(server.requests) == 1


def test_a_refused_call_releases_its_number(
    server: FakeServer, provider: Provider, ask: Ask, file: str
) -> None:
    """A call that the budget refuses is not recorded, and the next one is the first again."""
    allos.replay(file, "record")
    with allos.budget(usd=0), pytest.raises(allos.BudgetError):
        ask(provider)
    ask(provider)
    allos.replay(file, "strict")

    assert ask(provider).replayed
    assert len(server.requests) == 1
