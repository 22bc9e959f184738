"""What a service says of a failure, on every API: complete, streamed, and inside a stream; sync and async."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from allos import errors
from allos.engine import retry
from allos.profiles import Api
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.support.fake_server import FakeServer, Fault, Raw

BILLING = "Limit 6000, requested 50. Need more? Upgrade at https://example.com/settings/billing"


def body(api: Api, message: str, **facts: Any) -> dict[str, Any]:
    """An error body of the API; on Messages the code is the type."""
    if api == "messages":
        kind = facts.pop("code", "api_error")
        return {"type": "error", "error": {"type": kind, "message": message, **facts}}
    return {"error": {"message": message, "type": "x", **facts}}


def error_stream(api: Api, message: str, code: str) -> Raw:
    """A stream whose only event is an error."""
    if api == "messages":
        return Raw.sse([body(api, message, code=code)])
    if api == "chat":
        return Raw.sse([(None, body(api, message, code=code))])
    failed = {
        "id": "r",
        "status": "failed",
        "output": [],
        "error": {"code": code, "message": message},
    }
    return Raw.sse([{"type": "response.failed", "response": failed}])


def failing(ask: Ask, provider: Provider, kind: type[errors.ProviderError]) -> errors.ProviderError:
    with pytest.raises(kind) as caught:
        ask(provider)
    assert type(caught.value) is kind
    return caught.value


def waits(response: ProviderResponse) -> list[tuple[str, float]]:
    return [(entry["error_type"], entry["wait_s"]) for entry in response.metadata["retry_log"]]


@pytest.mark.parametrize("told", ["header", "field", "words", "window"])
def test_rate_limit_that_speaks_of_billing(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, told: str
) -> None:
    """A rate limit is waited out as long as the service says, wherever it says so."""
    headers = {
        "header": {"retry-after": "60ms"},
        "window": {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "60ms"},
    }.get(told, {})
    words = "Please try again in 60ms. " if told == "words" else ""
    more = {"details": [{"retryDelay": "0.06s"}]} if told == "field" else {}
    said = body(api, words + BILLING, code="rate_limit_exceeded", **more)
    server.script(Fault.status(429, body=said, headers=headers))

    assert waits(ask(provider)) == [("RateLimitError", 0.06)]


def test_rate_limit_inside_a_stream(server: FakeServer, provider: Provider, api: Api) -> None:
    """An error event is read as an error body is, its wait too, and repeated before the first text."""
    server.script(error_stream(api, f"Try again in 60ms. {BILLING}", "rate_limit_exceeded"))
    with provider.stream("Hi") as stream:
        text = "".join(stream)
    assert stream.response is not None

    assert text == "Hello"
    assert waits(stream.response) == [("RateLimitError", 0.06)]


def test_wait_in_the_headers_of_a_stream(server: FakeServer, provider: Provider, api: Api) -> None:
    """A stream that begins well and is an error has its wait in the headers."""
    raw = error_stream(api, "Overloaded", "overloaded_error")
    server.script(Raw(raw.body, raw.content_type, headers={"retry-after": "0.06"}))
    with provider.stream("Hi") as stream:
        list(stream)
    assert stream.response is not None

    assert waits(stream.response) == [("ServerError", 0.06)]


def test_error_in_200(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """An error under status 200 is classified the same way."""
    server.reply(Raw.json(body(api, "x", code="insufficient_quota")))
    failing(ask, provider, errors.QuotaError)
    server.reply(Raw.json(body(api, "Incorrect API key provided")))
    failing(ask, provider, errors.AuthenticationError)
    assert server.count == 2


@pytest.mark.parametrize(
    ("status", "message", "kind", "line"),
    [
        (400, "Incorrect API key provided: ab***yz", errors.AuthenticationError, "the key was not"),
        (400, "Your credit balance is too low", errors.QuotaError, "no credit left"),
        (
            403,
            "Country, region, or territory not supported",
            errors.PermissionDeniedError,
            "denied",
        ),
        (403, "Your input was flagged", errors.ContentFilterError, "content filter"),
        (404, "The model `m` does not exist", errors.ModelNotFoundError, "no such model"),
    ],
)
def test_words_beat_the_status(
    server: FakeServer,
    provider: Provider,
    ask: Ask,
    api: Api,
    status: int,
    message: str,
    kind: type[errors.ProviderError],
    line: str,
) -> None:
    """What a service says in words counts more than its status; nothing of it is tried again."""
    server.reply(Fault.status(status, body=body(api, message)))
    error = failing(ask, provider, kind)

    assert line in str(error)
    assert message in str(error)
    assert error.status_code == status
    assert server.count == 1


def test_firewall(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A firewall's page is no word about the key."""
    server.reply(Fault.html(403))

    assert "Not about the key" in str(failing(ask, provider, errors.PermissionDeniedError))


def test_rest_of_a_wait_says_what_the_service_said(
    server: FakeServer, provider: Provider, ask: Ask, api: Api
) -> None:
    """Calls that are refused while a wait is not over repeat the service's words and code."""
    said = body(
        api, "Tokens of this day are used up, retry after 2 hours", code="rate_limit_exceeded"
    )
    server.reply(Fault.status(429, body=said))
    first = failing(ask, provider, errors.RateLimitError)
    later = failing(ask, provider, errors.RateLimitError)

    assert server.count == 1
    for error in (first, later):
        assert "Tokens of this day are used up" in str(error)
        assert "asks to wait 2 hours" in str(error) or "asks to wait 120 minutes" in str(error)
        assert error.code == "rate_limit_exceeded"
    assert "so none was sent" in str(later)


def test_deadline_in_a_pause_says_what_the_service_said(server: FakeServer, make: Make) -> None:
    """A call that cannot be sent before its deadline says why there is a pause."""
    server.reply(Fault.status(429, message="Only three calls, said the owl", retry_after=30))
    with pytest.raises(errors.ProviderTimeoutError, match="said the owl"):
        make(deadline_s=0.1).chat("Hi")
    with pytest.raises(errors.ProviderTimeoutError, match="said the owl"):
        make(deadline_s=0.1).chat("Hi")

    assert server.count == 1


def test_failed_generation(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """What a model wrote, and the service could not use, is on the error and in the response."""
    failed = '<function=add>{"a": 1'
    said = body(api, "Failed to call a function", code="tool_use_failed", failed_generation=failed)
    server.reply(Fault.status(400, body=said))
    error = failing(ask, provider, errors.BadRequestError)
    assert error.response is not None

    assert error.failed_generation == failed
    assert error.response.content == failed
    assert error.response.status == "error"


def test_async(server: FakeServer, provider: Provider, api: Api) -> None:
    """The asynchronous calls are told the same."""
    server.reply(Fault.status(400, body=body(api, "API key not valid. Please pass a valid one.")))

    async def streamed() -> None:
        async with provider.astream("Hi") as stream:
            async for _ in stream:
                pass

    for call in (provider.achat("Hi"), streamed()):
        with pytest.raises(errors.AuthenticationError):
            asyncio.run(call)  # type: ignore[arg-type]


def test_hints_above_the_maximum_are_told(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A wait that only the words tell, and that is too long, ends the call at once."""
    server.reply(Fault.status(429, message="Please try again in 1h2m3s."))
    error = failing(ask, provider, errors.RateLimitError)

    assert error.retry_after_s == 3723
    assert error.retry_after_s > retry.policy.max_hint_s
    assert server.count == 1
