from __future__ import annotations

from typing import Any

import pytest

from allos.errors import (
    AuthenticationError,
    BadRequestError,
    InvalidResponseError,
    RateLimitError,
    ServerError,
)
from allos.request import Request
from allos.testing import Answer, Script, ScriptedProvider


@pytest.mark.parametrize("only", ["Hello.", Answer("Hello.")])
def test_one_answer_is_for_every_request(only: str | Answer) -> None:
    """What is no list never ends."""
    provider = ScriptedProvider(only)

    assert [provider.chat("Hi").content for _ in range(3)] == ["Hello."] * 3


def test_each_of_several_is_given_once() -> None:
    """Answers come in order, empty ones too; the request after the last fails and says why."""
    provider = ScriptedProvider(answer for answer in ("One.", "", Answer("Three.")))

    assert [provider.chat("Hi").content for _ in range(3)] == ["One.", "", "Three."]
    with pytest.raises(BadRequestError, match="no answer left: it holds 3"):
        provider.chat("Hi")


def test_function_of_the_request() -> None:
    """A function sees the whole request: messages, parameters, tools."""

    def reply(request: Request) -> str:
        return f"{request.system} | {request.prompt} | {request.params['temperature']}"

    provider = ScriptedProvider(reply, temperature=0.5)

    assert provider.chat("Hi").content == "None | Hi | 0.5"


def test_async_function() -> None:
    """An async function is awaited."""

    async def reply(request: Request) -> Answer:
        return Answer(request.prompt or "")

    assert ScriptedProvider(reply).chat("Hi").content == "Hi"


def test_errors_of_a_script() -> None:
    """A class or an error fails the attempt; those that may pass are tried again, each with a next entry."""
    script = Script([ServerError, RateLimitError("slow down", retry_after_s=30), "Hello."])
    response = ScriptedProvider(script).chat("Hi")

    assert response.content == "Hello."
    assert [entry["error_type"] for entry in response.metadata["retry_log"]] == [
        "ServerError",
        "RateLimitError",
    ]
    assert response.metadata["retry_log"][1]["wait_s"] >= 30
    assert response.metadata["total_time_s"] < 5
    assert len(script.requests) == 3


def test_an_error_of_a_script_stays_as_it_was() -> None:
    """Each call gets an error of its own, with its own names; the script's is not written to."""
    refused = AuthenticationError("wrong key", status_code=401)
    for model in ("a", "b"):
        with pytest.raises(AuthenticationError, match="wrong key") as caught:
            ScriptedProvider(refused, model=model).chat("Hi")
        assert (caught.value.model, caught.value.status_code) == (model, 401)

    assert (refused.message, refused.model, refused.response) == ("wrong key", None, None)


@pytest.mark.parametrize("entry", [None, 5, b"Hello", ValueError("x"), ValueError, Answer])
def test_what_is_no_answer(entry: Any) -> None:
    """A wrong entry is refused when the script is written, or as the failed call of its function."""
    with pytest.raises(TypeError, match="must be a string, an Answer or a ProviderError, not"):
        Script([entry])
    with pytest.raises(InvalidResponseError, match="must be a string, an Answer or a Provider"):
        ScriptedProvider(lambda request: entry).chat("Hi")


def test_providers_share_a_script() -> None:
    """Two providers take from one script, and its requests are those of both."""
    script = Script(["One.", "Two."])
    providers = [ScriptedProvider(script, model=model) for model in ("a", "b")]

    assert [provider.chat("Hi").content for provider in providers] == ["One.", "Two."]
    assert [request.model for request in script.requests] == ["a", "b"]
    assert providers[0].requests is script.requests
