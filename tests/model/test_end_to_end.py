"""allos and the embedded model together: the three APIs, streaming, limits, the row."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import allos
from allos.errors import AuthenticationError, ContextLengthError
from allos.local import serve
from allos.providers import Message, MessageRole, ProviderRegistry

pytestmark = pytest.mark.model

APIS = ["chat", "responses", "messages"]
QUESTION = [Message(role=MessageRole.USER, content="Name three colours.")]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "log.sqlite"
    allos.log.open(path)
    yield path
    allos.log.close()


@pytest.mark.parametrize("api", APIS)
def test_whole_and_streamed_say_the_same(api: str) -> None:
    """At temperature 0 the whole answer equals the streamed one, with the same usage and facts."""
    provider = ProviderRegistry.get_provider(
        "local", model="smollm2", api=api, temperature=0, max_tokens=10
    )
    whole = provider.chat(QUESTION)
    with provider.stream(QUESTION) as stream:
        pieces = list(stream)

    assert stream.response is not None
    assert "".join(pieces) == stream.response.content == whole.content != ""
    assert len(pieces) > 5
    for name in (
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "finish_reason",
        "response_model",
    ):
        assert whole.metadata[name] == stream.response.metadata[name], name
    assert whole.metadata["output_tokens"] == 10
    assert whole.metadata["api"] == api
    assert whole.metadata["response_model"] == "smollm2"
    assert stream.response.metadata["time_to_first_token_s"] > 0
    assert "cost_usd" not in whole.metadata, "the embedded model has no price"


@pytest.mark.parametrize("api", APIS)
def test_leaving_a_stream_early_frees_the_model(api: str) -> None:
    """A stream left after two pieces becomes a cancelled response, and the next call is answered."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", api=api, max_tokens=400)
    with provider.stream("Tell a long story about a king.") as stream:
        for number, _ in enumerate(stream):
            if number == 1:
                break
    response = stream.response

    assert response is not None
    assert response.status == "cancelled"
    assert response.finish_reason == "cancelled"
    assert response.content
    assert provider.chat("Say hi.", max_tokens=4).ok


def test_system_and_stop_and_seed_reach_the_model() -> None:
    """System text, stop and seed have their effect on a real model."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", max_tokens=30)
    one = provider.chat("Write a word.", temperature=1.0, seed=7)
    two = provider.chat("Write a word.", temperature=1.0, seed=7)
    stopped = provider.chat("Count: 1, 2, 3, 4, 5, 6", temperature=0, stop=[","])

    assert one.content == two.content
    assert "," not in stopped.content
    assert stopped.finish_reason == "stop"


def test_prompt_beyond_the_window_is_a_typed_error() -> None:
    """A prompt that does not fit says so, and says what to do."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", max_tokens=4)
    window = provider.get_context_window()
    assert window is not None

    with pytest.raises(ContextLengthError, match="Shorten the prompt") as caught:
        provider.chat("word " * (window + 200))
    assert caught.value.response is not None
    assert caught.value.response.status == "error"


def test_wrong_key_is_an_authentication_error() -> None:
    """The embedded server takes its own key only."""
    server = serve("smollm2")
    provider = ProviderRegistry.get_provider(
        "chat_completions", model="smollm2", base_url=server.base_url, api_key="sk-wrong-key-1"
    )

    with pytest.raises(AuthenticationError):
        provider.chat(QUESTION)


def test_many_callers_share_one_server_and_two_slots() -> None:
    """Six threads and six coroutines are all answered; the queue's wait is recorded."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", max_tokens=6)
    pid = serve("smollm2").pid

    async def fan_out() -> list[str]:
        return [r.content for r in await asyncio.gather(*(provider.achat("Hi") for _ in range(6)))]

    with ThreadPoolExecutor(6) as pool:
        threaded = list(pool.map(lambda _: provider.chat("Hi"), range(6)))
    awaited = asyncio.run(fan_out())

    assert all(response.ok for response in threaded)
    assert len(awaited) == 6
    assert max(response.metadata["queue_s"] for response in threaded) > 0.01
    assert serve("smollm2").pid == pid


def test_every_call_is_a_row(log: Path) -> None:
    """ask, aask and a failed call are rows with the facts of the call."""
    allos.ask("Say hi.", model="local/smollm2", max_tokens=5, temperature=0, tags=["one"])
    asyncio.run(allos.aask("Say hi.", model="local/smollm2", max_tokens=5))
    with pytest.raises(ContextLengthError):
        allos.ask("word " * 9000, model="local/smollm2", max_tokens=5)
    frame = allos.responses()

    assert frame["status"].tolist() == ["ok", "ok", "error"]
    assert frame["output_tokens"].tolist()[:2] == [5, 5]
    assert frame.loc[2, "error_type"] == "ContextLengthError"
    assert frame.loc[0, "prompt"] == "Say hi."
    assert frame["cost_usd"].isna().all()
    assert frame["finish_reason"].tolist() == ["length", "length", "error"]
    assert len(allos.responses(tags="one")) == 1


def test_models_are_the_files_that_are_there() -> None:
    """The embedded model's list names the files, without a server and without their paths."""
    provider = ProviderRegistry.get_provider("local", model="smollm2")
    models = provider.list_models()

    assert "smollm2" in models.ids
    assert not any("/" in id_ for id_ in models.ids)
