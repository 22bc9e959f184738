"""What goes wrong, on every API, complete and streamed."""

from __future__ import annotations

import pickle
import re
import socket
import time
import traceback
from typing import Any

import pytest

from allos import errors
from allos.engine import retry
from allos.events import Retrying
from allos.profiles import Api
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import FakeServer, Fault, Raw, Reply

TEXT = "The quick brown fox jumps over the lazy dog"


def failing(
    ask: Ask, provider: Provider, kind: type[errors.ProviderError], **params: Any
) -> errors.ProviderError:
    """Ask, and check what every failure has in common."""
    with pytest.raises(kind) as caught:
        ask(provider, **params)
    error = caught.value
    assert type(error) is kind
    assert (error.provider, error.model) == ("chat_completions", "m")
    assert error.__cause__ is None
    response = error.response
    assert response is not None
    assert response.error is error
    assert response.status == "error"
    assert response.finish_reason == "error"
    assert response.metadata["error_type"] == kind.__name__
    assert response.metadata["error_message"] == str(error)
    assert KEY not in str(error)
    return error


# ---- before the answer


@pytest.mark.parametrize("hint", [0, 0.05, None, "soon"])
def test_rate_limit(server: FakeServer, provider: Provider, ask: Ask, hint: Any) -> None:
    """A rate limit is waited out, whatever the hint looks like."""
    server.script(Fault.status(429, retry_after=hint))
    response = ask(provider)
    (entry,) = response.metadata["retry_log"]

    assert response.content == "Hello"
    assert response.metadata["attempts"] == 2
    assert (entry["error_type"], entry["http_status"]) == ("RateLimitError", 429)
    assert entry["wait_s"] == (hint if isinstance(hint, float) else 0)
    assert response.metadata["total_time_s"] > response.metadata["latency_s"]


def test_rest_of_a_wait_is_a_round_number(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """While a long wait is not over, the message says how much is left, in three digits."""
    server.reply(Fault.status(429, retry_after=100))
    failing(ask, provider, errors.RateLimitError)
    error = failing(ask, provider, errors.RateLimitError)

    assert re.search(r"asks to wait (100|9\d\.?\d?) s\.", str(error))


def test_absurd_hint(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A Retry-After of a day fails at once; the message has the requested wait."""
    server.reply(Fault.status(429, retry_after=86400))
    started = time.perf_counter()
    error = failing(ask, provider, errors.RateLimitError)

    assert time.perf_counter() - started < 5
    assert error.retry_after_s == 86400
    assert "asks to wait 24 hours" in str(error)
    assert server.count == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 529])
def test_transient_status(server: FakeServer, provider: Provider, ask: Ask, status: int) -> None:
    """Failures of the service are tried again."""
    server.script(Fault.status(status), Fault.status(status))

    assert ask(provider).metadata["attempts"] == 3


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.status(400, message="bad field"), errors.BadRequestError, "bad field"),
        (Fault.model_not_found(), errors.ModelNotFoundError, "list_models"),
        (Fault.context_length(), errors.ContextLengthError, "Shorten the prompt"),
        (Fault.status(402), errors.QuotaError, "no credit"),
        (Fault.status(403), errors.AuthenticationError, "key"),
        (Fault.status(422, body={"detail": [{"msg": "odd"}]}), errors.BadRequestError, "odd"),
        (Fault.status(400, body="<h1>Bad</h1>"), errors.BadRequestError, "Bad"),
        (Fault.status(400, body=[{"error": {"message": "gem"}}]), errors.BadRequestError, "gem"),
        (Fault.status(413, body=b""), errors.BadRequestError, "413"),
        (Fault.html(404), errors.BadRequestError, "Sign in"),
    ],
)
def test_lasting_fault(
    server: FakeServer,
    provider: Provider,
    ask: Ask,
    fault: Fault,
    kind: type[errors.ProviderError],
    words: str,
) -> None:
    """Faults of the request are never tried again, and keep the server's words and request id."""
    server.reply(fault)
    error = failing(ask, provider, kind)

    assert words in str(error)
    assert error.status_code == fault.code
    assert error.request_id is not None
    assert error.response is not None
    assert error.response.metadata["http_status"] == fault.code
    assert server.count == 1


def test_last_attempt(server: FakeServer, make: Make, ask: Ask) -> None:
    """When all attempts fail, the error of the last one comes, with the log of the others."""
    server.reply(Fault.status(500, message="sorry"))
    error = failing(ask, make(max_attempts=3), errors.ServerError)
    assert error.response is not None

    assert server.count == 3
    assert "sorry" in str(error)
    assert "Tried 3 times" in str(error)
    assert [e["attempt"] for e in error.response.metadata["retry_log"]] == [1, 2]


def test_refused_connection(make: Make, ask: Ask) -> None:
    """A server that is not there is reported plainly."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    provider = make(base_url=f"http://127.0.0.1:{port}/v1", max_attempts=2)
    error = failing(ask, provider, errors.ProviderConnectionError)
    assert error.response is not None

    assert "Connection refused. Is the server running?" in str(error)
    assert error.response.metadata["attempts"] == 2
    assert "http_status" not in error.response.metadata


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.drop(), Fault.reset(after=0)])
def test_cut_before_the_answer(
    server: FakeServer, provider: Provider, ask: Ask, fault: Fault
) -> None:
    """A connection that breaks before any of the answer came is tried again."""
    server.script(fault)

    assert ask(provider).metadata["attempts"] == 2


def test_silence(server: FakeServer, make: Make, ask: Ask) -> None:
    """A server that says nothing is given up after the timeout."""
    server.reply(Fault.stall())
    error = failing(ask, make(timeout_s=0.1, max_attempts=2), errors.ProviderTimeoutError)

    assert server.count == 2
    assert "timeout_s" in str(error)


def test_key_is_never_shown(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A key that the server echoes is in no text, pickle or traceback of the error."""
    server.reply(Fault.bad_key())
    error = failing(ask, provider, errors.AuthenticationError)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(shown.format())
    copied = pickle.loads(pickle.dumps(error))

    assert server.requests[0].key == KEY
    assert "Incorrect API key provided: ***" in str(error)
    for place in (str(error), repr(error), text, repr(vars(error)), str(pickle.dumps(error))):
        assert KEY not in place
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert copied.status_code == 401
    assert copied.response.metadata == error.response.metadata  # type: ignore[union-attr]


def test_key_is_not_in_retry_events(server: FakeServer, provider: Provider) -> None:
    """What a stream tells of a failed attempt holds no key either."""
    server.script(Fault.status(503, message=f"no room for {KEY}"))
    with provider.stream("Hi") as stream:
        events = list(stream.events)
    (retrying,) = [event for event in events if isinstance(event, Retrying)]

    assert retrying.message == "no room for ***"
    assert (retrying.attempt, retrying.max_attempts) == (1, 6)
    assert KEY not in str(events)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_redirect(server: FakeServer, provider: Provider, ask: Ask, code: int) -> None:
    """A redirect is not followed: neither prompt nor key go to the other host."""
    with FakeServer() as target:
        server.reply(Fault.redirect(f"{target.base_url}/x?token=1", code))
        error = failing(ask, provider, errors.InvalidResponseError)

        assert target.url in str(error)
        assert target.connections_seen == 0
    assert error.status_code == code
    assert server.count == 1


# ---- a success that is none


def test_web_page(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A proxy's page is an error with its title."""
    server.reply(Fault.html())
    error = failing(ask, provider, errors.InvalidResponseError)

    assert "Sign in" in str(error)
    assert "<" not in str(error)
    assert error.status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream", "application/json"])
@pytest.mark.parametrize("body", [b"", b"Service busy", b"\xff\xfe", b"[]", b"7", b"null"])
def test_odd_body(server: FakeServer, provider: Provider, ask: Ask, kind: str, body: bytes) -> None:
    """A body without an answer is an invalid response or an incomplete stream."""
    server.reply(Raw(body, kind))
    with pytest.raises(errors.ProviderError) as caught:
        ask(provider)

    assert isinstance(caught.value, errors.InvalidResponseError | errors.IncompleteStreamError)


def test_error_in_200(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """An error object under status 200 is an error with the service's words."""
    server.reply(Fault.error_in_200("upstream is unavailable"))
    error = failing(ask, provider, errors.ServerError)

    assert "upstream is unavailable" in str(error)
    assert error.request_id is not None


def test_empty_answer(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """An answer without choices or output is an error; on Messages no content is a legal answer."""
    server.reply(Fault.empty())
    if api == "messages":
        assert ask(provider).content == ""
        return

    failing(ask, provider, errors.InvalidResponseError)


def test_half_a_body(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A complete response that is cut, or is not JSON, is an error."""
    for fault in (Fault.malformed(), Fault.truncate()):
        server.reply(fault)
        with pytest.raises(errors.ProviderError) as caught:
            ask(provider)

        assert isinstance(caught.value, errors.InvalidResponseError | errors.IncompleteStreamError)


# ---- within a stream


def broken(
    server: FakeServer,
    provider: Provider,
    fault: Fault,
    kind: type[errors.ProviderError],
    **params: Any,
) -> ProviderResponse:
    """Stream an answer that breaks, and check that what had come is kept."""
    server.reply(fault)
    pieces: list[str] = []
    with provider.stream("Hi", **params) as stream, pytest.raises(kind) as caught:
        pieces += stream
    response = caught.value.response
    assert response is not None
    assert response is stream.response
    assert type(caught.value) is kind
    assert response.status == "error"
    assert response.content == "".join(pieces)
    assert response.metadata["http_status"] == 200
    assert response.metadata["attempts"] == 1
    assert server.count == 1
    return response


PART = {"after_deltas": 3, "reply": Reply(TEXT)}


@pytest.mark.parametrize("cut", ["reset", "drop", "truncate"])
def test_cut_stream(server: FakeServer, provider: Provider, cut: str) -> None:
    """However a stream ends too early, the answer is broken, kept, and not tried again."""
    fault = getattr(Fault, cut)(**PART)
    response = broken(server, provider, fault, errors.IncompleteStreamError)

    assert response.content == TEXT[:24]
    assert "kept" in str(response.error)


def test_stalled_stream(server: FakeServer, make: Make) -> None:
    """A stream that falls silent is given up after the timeout, and what had come is kept."""
    response = broken(
        server, make(timeout_s=0.15), Fault.stall(**PART), errors.ProviderTimeoutError
    )

    assert response.content == TEXT[:24]
    assert server.wait_closed(server.requests[0])


def test_slow_drip(server: FakeServer, make: Make) -> None:
    """A stream that never stalls but takes too long ends at the deadline, text kept."""
    response = broken(
        server,
        make(deadline_s=0.4),
        Fault.drip(size=64, delay_s=0.004, reply=Reply(TEXT * 80)),
        errors.ProviderTimeoutError,
    )

    assert 0 < len(response.content) < len(TEXT * 80)
    assert "deadline" in str(response.error)


def test_malformed_event(server: FakeServer, provider: Provider) -> None:
    """An event that is not valid JSON ends the answer, and keeps what came before it."""
    response = broken(
        server,
        provider,
        Fault.malformed(after_deltas=3, reply=Reply(TEXT)),
        errors.IncompleteStreamError,
    )

    assert TEXT.startswith(response.content)
    assert response.content


def test_malformed_event_in_one_chunk(server: FakeServer, provider: Provider, api: Api) -> None:
    """Text that arrives in one piece with the fault behind it is kept as well."""
    from tests.support.fake_server.sse import Sse

    response = broken(
        server,
        provider,
        Fault.malformed(after_deltas=3, reply=Reply(TEXT, sse=Sse(split=1 << 20))),
        errors.IncompleteStreamError,
    )

    assert TEXT.startswith(response.content)
    assert len(response.content) >= 16


def test_error_event(server: FakeServer, provider: Provider) -> None:
    """An error event ends the answer with the service's words, and keeps what came before it."""
    fault = Fault.error_event("Overloaded, sorry", after_deltas=3, reply=Reply(TEXT))
    response = broken(server, provider, fault, errors.ServerError)

    assert TEXT.startswith(response.content)
    assert response.content
    assert "Overloaded, sorry" in str(response.error)


def test_error_event_before_the_answer(server: FakeServer, provider: Provider) -> None:
    """An error event before any of the answer is tried again."""
    server.script(Fault.error_event("Overloaded"))
    with provider.stream("Hi") as stream:
        assert "".join(stream) == "Hello"
    assert stream.response is not None

    assert stream.response.metadata["attempts"] == 2


def test_cut_tool_call(server: FakeServer, provider: Provider) -> None:
    """A tool call that the end of the stream cuts is kept with its raw arguments."""
    from tests.support.fake_server import Call

    reply = Reply(tool_calls=[Call("add", {"a": 1, "text": TEXT})])
    response = broken(
        server, provider, Fault.truncate(after_deltas=4, reply=reply), errors.IncompleteStreamError
    )
    (call,) = response.tool_calls

    assert call.name == "add"
    assert call.raw_arguments
    assert call.error


def test_lost_end_of_a_complete_answer(server: FakeServer, make: Make) -> None:
    """What is lost after the API's own end signal costs nothing."""
    provider = make(api="chat")
    server.reply(Reply(TEXT))
    with provider.stream("Hi") as stream:
        total = sum(1 for _ in stream.events)
    assert total
    server.reply(Fault.drop(after=len(TEXT) // 8 + 4, reply=Reply(TEXT)))
    with provider.stream("Hi") as stream:
        text = "".join(stream)

    assert text == TEXT
    assert stream.response is not None
    assert stream.response.ok


# ---- the list of models


def test_list_models_fails(server: FakeServer, provider: Provider) -> None:
    """A list that cannot be had is a typed error without the key."""
    server.reply(Fault.bad_key(), on="models")
    with pytest.raises(errors.AuthenticationError, match="could not list models") as caught:
        provider.list_models()

    assert KEY not in str(caught.value)
    assert caught.value.status_code == 401


def test_list_models_times_out(server: FakeServer, make: Make) -> None:
    """A list that does not come is given up after the timeout."""
    server.reply(Fault.stall(), on="models")
    with pytest.raises(errors.ProviderTimeoutError):
        make(timeout_s=0.1).list_models()


def test_policy_is_what_the_tests_think() -> None:
    """No own wait takes time here."""
    assert retry.policy.base_s == 0
