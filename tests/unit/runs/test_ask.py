from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos.errors import ConfigurationError, MissingKeyError, RateLimitError
from allos.providers import Message, MessageRole, ProviderRegistry
from tests.support.fake_server import FakeServer, Fault


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer("Hello.") as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        yield started


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("ALLOS_LOG", str(path))
    yield path
    allos.log.close()


def test_ask_sends_prompt_system_and_parameters(server: FakeServer) -> None:
    """Prompt, system text and parameters go out; the answer comes back as a response."""
    answer = allos.ask("Hi {{ there }}", model="groq/m", system="Be terse", temperature=0.5)
    sent = server.requests[0].body

    assert str(answer) == "Hello."
    assert sent["temperature"] == 0.5
    assert sent["messages"] == [
        {"role": "system", "content": "Be terse"},
        {"role": "user", "content": "Hi {{ there }}"},
    ]


def test_ask_takes_messages_and_a_provider(server: FakeServer) -> None:
    """A conversation and a provider object go wherever a text and a name do."""
    provider = ProviderRegistry.get_provider("groq", model="m")
    turns = [
        Message(MessageRole.USER, "One"),
        Message(MessageRole.ASSISTANT, "Two"),
        Message(MessageRole.USER, "Three"),
    ]
    allos.ask(turns, model=provider)

    assert [m["content"] for m in server.requests[0].body["messages"]] == ["One", "Two", "Three"]
    with pytest.raises(ConfigurationError, match="already built"):
        allos.ask("Hi", model=provider, base_url="http://localhost:1")


def test_ask_opens_the_log_and_tags_its_row(server: FakeServer, log: Path) -> None:
    """Asking leaves a row that its tag finds again, a failed one too."""
    allos.ask("One", model="groq/m", tags=["draft"])
    server.script(Fault.status(429, retry_after="86400"))
    with pytest.raises(RateLimitError):
        allos.ask("Two", model="groq/m", tags="draft")
    frame = allos.responses(tags="draft")

    assert allos.log.path() == log
    assert frame["prompt"].tolist() == ["One", "Two"]
    assert frame["status"].tolist() == ["ok", "error"]


def test_bare_provider_logs_nothing_uninvited(server: FakeServer, log: Path) -> None:
    """A provider used on its own does not write to disk before `allos.log.open()`."""
    ProviderRegistry.get_provider("groq", model="m").chat("Hi")

    assert not log.exists()
    allos.log.open()
    ProviderRegistry.get_provider("groq", model="m").chat("Hi")
    assert len(allos.responses()) == 1


def test_log_that_cannot_be_opened_does_not_fail_calls(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning, and the answer comes all the same."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path))  # a folder is not a log

    with pytest.warns(UserWarning, match="Responses are not logged"):
        answer = allos.ask("Hi", model="groq/m")
    assert answer.ok
    assert allos.ask("Hi", model="groq/m").ok, "and there is one warning"


def test_aask_is_the_same_for_await(server: FakeServer, log: Path) -> None:
    """`aask` answers on any loop, many at once, and leaves rows."""

    async def several() -> list[str]:
        return [
            a.content
            for a in await asyncio.gather(*(allos.aask("Hi", model="groq/m") for _ in range(4)))
        ]

    assert asyncio.run(several()) == ["Hello."] * 4
    assert asyncio.run(several()) == ["Hello."] * 4
    assert len(allos.responses()) == 8


def test_missing_key_and_unknown_parameter_send_nothing(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong configuration raises before anything is sent."""
    monkeypatch.delenv("GROQ_API_KEY")
    with pytest.raises(MissingKeyError, match="GROQ_API_KEY"):
        allos.ask("Hi", model="groq/m")
    with pytest.raises(ConfigurationError, match="Did you mean 'temperature'"):
        allos.ask("Hi", model="groq/m", api_key="gsk-x-and-more", temperatur=1)
    with pytest.raises(ConfigurationError, match="needs a model"):
        allos.ask("Hi", model="groq")
    assert server.requests == []


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"model": "mistral/m"}, "MissingKeyError"),
        ({"model": "groq/m", "temprature": 1}, "ConfigurationError"),
        ({"model": "groq/m", "temperature": "hot"}, "ConfigurationError"),
        ({"model": "groq/m", "base_url": "nowhere"}, "ConfigurationError"),
    ],
)
def test_refused_call_is_a_row(
    server: FakeServer,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    error: str,
    is_async: bool,
) -> None:
    """What cannot be sent is one row with its error, as in a comparison, and the error has it."""
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(allos.aask("Hi", **options)) if is_async else allos.ask("Hi", **options)
    rows = allos.responses()

    assert rows[["status", "error_type", "prompt", "attempts"]].values.tolist() == [
        ["error", error, "Hi", 0]
    ]
    assert f"{rows['provider'][0]}/{rows['model'][0]}" == options["model"]
    assert caught.value.response.id == rows["id"][0]
    assert server.count == 0


def test_unknown_provider_is_no_call(server: FakeServer, log: Path) -> None:
    """A name that no service has is an error alone."""
    with pytest.raises(ConfigurationError, match="Did you mean 'groq'"):
        allos.ask("Hi", model="grok/m")

    assert len(allos.responses()) == 0


@pytest.mark.parametrize("model", [0, 1.5, [], ["groq/m"], b"groq/m", ProviderRegistry])
def test_invalid_model(server: FakeServer, model: Any) -> None:
    """A model that is neither a name nor a provider is refused; the default does not answer for it."""
    with pytest.raises(ConfigurationError, match="model must be a 'provider/model' name"):
        allos.ask("Hi", model=model)
    with pytest.raises(ConfigurationError, match="model must be a 'provider/model' name"):
        allos.preview("Hi", model=model)
    assert server.requests == []


def test_a_model_without_its_provider() -> None:
    """Who writes a bare model name reads how a model is named."""
    with pytest.raises(ConfigurationError, match=r"'gpt-4o'.* Write provider/model"):
        allos.ask("Hi", model="gpt-4o")
    with pytest.raises(ConfigurationError, match="Write provider/model"):
        allos.compare("Hi", models=["gpt-4o"])


@pytest.mark.parametrize("tags", [5, [1], {"a": 1}, None])
def test_invalid_tags(server: FakeServer, tags: Any) -> None:
    """Tags are texts; anything else is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="tags must be a string or a list of strings"):
        allos.ask("Hi", model="groq/m", tags=tags)
    with pytest.raises(ConfigurationError, match="tags must be a string or a list of strings"):
        allos.compare("Hi", models=["groq/m"], tags=tags)
    assert server.requests == []


def test_a_deleted_working_folder_does_not_fail_calls(
    server: FakeServer, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of a project are looked for in the working folder; without one there are none."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert allos.ask("Hi", model="groq/m").content == "Hello."
    with pytest.raises(ConfigurationError, match=r"File not found: 'cat\.png'"):
        allos.Image(path="cat.png")


def test_preview_takes_one_of_model_and_models(server: FakeServer) -> None:
    """Neither of the two is silently left out."""
    with pytest.raises(ConfigurationError, match=r"model= for one call or models="):
        allos.preview("Hi", model="groq/a", models=["groq/b"])


def test_default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model named, else the session's, else ALLOS_MODEL's, else the embedded one."""
    assert allos.current_session().model_name("groq/m") == "groq/m"
    assert allos.current_session().model_name(None) == "local/smollm2"
    monkeypatch.setenv("ALLOS_MODEL", "groq/from-environment")
    assert allos.current_session().model_name(None) == "groq/from-environment"
    allos.configure(model="groq/from-session")
    assert allos.current_session().model_name(None) == "groq/from-session"


def test_dropped_parameter_is_warned_of_once(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter that a service does not take is left out with one warning, not silently."""
    with pytest.warns(UserWarning, match="'logprobs'"):
        allos.ask("Hi", model="groq/m", logprobs=True)
    allos.ask("Hi", model="groq/m", logprobs=True)

    assert "logprobs" not in server.requests[0].body
