"""What an answer tells, on every API, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from allos.profiles import Api
from allos.providers import Message, Provider, ProviderRegistry
from allos.response import ProviderResponse
from allos.session import current_session
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import Call, FakeServer, Reply, Sse
from tests.support.layers import answering

FULL = Reply(
    "Grüße 🙂 to all of you",
    usage={
        "input_tokens": 20,
        "output_tokens": 9,
        "cache_read_tokens": 5,
        "cache_write_tokens": 2,
        "reasoning_tokens": 3,
    },
    ratelimit={"remaining_requests": 9, "remaining_tokens": 1000, "reset_s": 12},
    headers={"date": "Sun, 22 Nov 2026 10:00:00 GMT"},
    model="m-2026-11-01",
)


def test_every_known_column(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """An answer tells everything that is known of its call, and nothing that is not."""
    server.reply(FULL)
    response = ask(provider, "Hi", max_tokens=50)
    known = response.metadata
    streamed = known["stream"]

    expected: dict[str, Any] = {
        "provider": "chat_completions",
        "base_url": server.base_url.removesuffix("/v1") if api == "messages" else server.base_url,
        "api": api,
        "model": "m",
        "response_model": "m-2026-11-01",
        "max_tokens": 50,
        "status": "ok",
        "finish_reason": "stop",
        "finish_reason_raw": {"chat": "stop", "responses": "completed", "messages": "end_turn"}[
            api
        ],
        "input_tokens": 20,
        "output_tokens": 9,
        "cache_read_tokens": 5,
        "cache_write_tokens": 2,
        "reasoning_tokens": 3,
        "total_tokens": 29,
        "usage_source": "provider",
        "http_status": 200,
        "attempts": 1,
        "queue_s": 0.0,
        "ratelimit_remaining_requests": 9,
        "ratelimit_remaining_tokens": 1000,
    }
    assert {name: known.get(name) for name in expected} == expected
    assert response.content == FULL.text
    assert 0 < known["latency_s"] <= known["total_time_s"]
    assert ("time_to_first_token_s" in known) is streamed
    assert known["response_id"]
    assert known["request_id"].startswith("req_")
    assert known["service_tier"] in ("default", "standard")
    assert known["usage"]
    if api == "chat":
        assert known["system_fingerprint"] == "fp_fake"
    for unknown in ("temperature", "cost_usd", "error_type", "retry_log", "seed"):
        assert unknown not in known


def test_reset_of_rate_limits(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """The reset is known in seconds; as a time of day it is measured by the reply's own clock."""
    headers = (
        {
            "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:30Z",
        }
        if api == "messages"
        else {"x-ratelimit-reset-requests": "12ms", "x-ratelimit-reset-tokens": "1m30s"}
    )
    server.reply(Reply("x", headers=headers))

    assert ask(provider).metadata["ratelimit_reset_s"] == (30 if api == "messages" else 90)


def test_speed_of_a_stream(server: FakeServer, provider: Provider) -> None:
    """Tokens per second follow from the counts and times reported with it."""
    server.reply(Reply("one two three four", chunk_size=4, delay_s=0.05))
    with provider.stream("Hi") as stream:
        for _ in stream:
            pass
    assert stream.response is not None
    known = stream.response.metadata
    took = known["latency_s"] - known["time_to_first_token_s"]

    assert known["tokens_per_second"] == pytest.approx((7 - 1) / took)


@pytest.mark.parametrize("usage", [None, {"input_tokens": 4}])
def test_unknown_usage(
    server: FakeServer, provider: Provider, ask: Ask, usage: dict[str, int] | None
) -> None:
    """What the service does not count is absent, never 0."""
    server.reply(Reply("x", usage=usage))
    known = ask(provider).metadata

    assert known.get("input_tokens") == (usage or {}).get("input_tokens")
    assert known["usage_source"] == ("provider" if usage else "missing")
    assert not {"output_tokens", "total_tokens", "reasoning_tokens"} & set(known)


STYLES = {
    "CRLF": Sse(newline="\r\n"),
    "CR": Sse(newline="\r"),
    "comments": Sse(comments=True),
    "multiline": Sse(multiline=True),
    "no blank": Sse(space=False),
    "mark": Sse(bom=True),
    "no DONE": Sse(done=False),
    "bytes": Sse(split=1),
    "odd cuts": Sse(newline="\r\n", split=7),
    "one chunk": Sse(split=1 << 20),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_form_of_a_stream(server: FakeServer, provider: Provider, style: str) -> None:
    """Every legal way to write the events gives the same answer."""
    server.reply(Reply("Grüße 🙂, haha haha", reasoning="hmm", chunk_size=2, sse=STYLES[style]))
    with provider.stream("Hi") as stream:
        text = "".join(stream)
    assert stream.response is not None

    assert text == stream.response.content == "Grüße 🙂, haha haha"
    assert stream.response.reasoning == "hmm"
    assert stream.response.metadata["total_tokens"] == 19


@pytest.mark.parametrize("form", [None, "reasoning", "tags", "parts", "text"])
def test_reasoning(server: FakeServer, provider: Provider, ask: Ask, form: str | None) -> None:
    """Reasoning is apart from the content, in every dialect."""
    server.reply(Reply("The answer", reasoning="hm, let me think", reasoning_as=form, chunk_size=3))
    response = ask(provider)

    assert response.content == "The answer"
    assert (response.reasoning or "").strip() == "hm, let me think"
    assert response.refusal is None


def test_refusal(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A refusal is not content, and is the finish reason."""
    server.reply(Reply(refusal="I will not do that"))
    response = ask(provider)

    assert (response.content, response.refusal) == ("", "I will not do that")
    assert response.finish_reason == "refusal"
    assert response.ok


def test_tool_calls(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """Tool calls come with parsed arguments, or with what the model wrote and the reason."""
    calls = [
        Call("add", {"a": 1, "b": [2, "ü"]}),
        Call("add", {"a": 2}, id="mine"),
        Call("now"),
        Call("broken", '{"a": '),
    ]
    server.reply(Reply("Wait", tool_calls=calls, chunk_size=3))
    response = ask(provider)

    assert [call.name for call in response.tool_calls] == ["add", "add", "now", "broken"]
    assert [call.arguments for call in response.tool_calls] == [
        {"a": 1, "b": [2, "ü"]},
        {"a": 2},
        {},
        {},
    ]
    assert response.tool_calls[1].id == "mine"
    assert len({call.id for call in response.tool_calls}) == 4
    assert response.tool_calls[3].raw_arguments == '{"a": '
    assert response.tool_calls[3].error
    assert response.finish_reason == "tool_calls"


def test_next_turn(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """A conversation goes on with what the API wants back."""
    server.script(Reply(reasoning="hm", tool_calls=[Call("add", {"a": 1}, id="call-1")]), "Done")
    first = ask(provider)
    turns = [
        Message("user", "Hi"),
        first.to_message(),
        Message("tool", "2", tool_call_id="call-1"),
    ]
    second = ask(provider, turns)
    sent = str(server.requests[1].body)

    assert second.content == "Done"
    assert "call-1" in sent
    if api == "messages":
        assert "signature" in sent
    if api == "chat":
        assert "'reasoning_content': 'hm'" in sent


@pytest.mark.parametrize("finish", ["length", "content_filter", "context_exceeded"])
def test_finish_reasons(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, finish: str
) -> None:
    """Why a model stopped has one word on every API that can say it."""
    server.reply(Reply("cut of", finish=finish))
    response = ask(provider)
    expected = {
        ("responses", "context_exceeded"): "other",
        ("messages", "content_filter"): "refusal",
    }.get((api, finish), finish)

    assert response.finish_reason == expected
    assert response.ok


def test_empty_text_is_an_answer(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A model may write nothing and stop; the text is then empty."""
    server.reply(Reply(""))
    response = ask(provider)

    assert (response.content, response.status, response.finish_reason) == ("", "ok", "stop")


def test_whole_answer_to_a_stream(server: FakeServer, provider: Provider, api: Api) -> None:
    """A server that cannot stream and answers as a whole is understood."""
    whole = Reply("All at once")
    with FakeServer(whole) as other:
        ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url=other.base_url, api=api
        ).chat("Hi")
    server.reply(lambda seen: _as_json(seen, api))
    with provider.stream("Hi") as stream:
        text = "".join(stream)
    assert stream.response is not None

    assert text == "All at once"
    assert "tokens_per_second" not in stream.response.metadata


def _as_json(seen: Any, api: Api) -> Any:
    from tests.support.fake_server import Raw, chat, messages, responses
    from tests.support.fake_server.ask import Ask as FakeAsk

    shape = {"chat": chat, "responses": responses, "messages": messages}[api]
    made: Any = shape
    return Raw.json(made.complete(Reply("All at once"), FakeAsk.of(seen, 0)))


def test_parameters_reach_the_service(server: FakeServer, make: Make, ask: Ask, api: Api) -> None:
    """Defaults of the provider and words of the call are sent under the API's names."""
    ask(make(temperature=0.5, max_tokens=9), "Hi", temperature=0.25, extra={"custom": 1})
    body = server.requests[0].body

    assert body["temperature"] == 0.25
    assert body["max_output_tokens" if api == "responses" else "max_tokens"] == 9
    assert body["custom"] == 1


def test_one_warning_per_left_out_parameter(make: Make) -> None:
    """A parameter that the API does not take is left out with one warning."""
    provider = make(api="messages")
    with pytest.warns(UserWarning, match="does not support 'seed'"):
        provider.chat("Hi", seed=1)

    assert provider.chat("Hi", seed=1).ok


def test_observers_see_every_response_once(
    server: FakeServer, provider: Provider, ask: Ask, observed: list[ProviderResponse]
) -> None:
    """Each answer passes the observers once, complete, before the caller has it."""
    responses = [ask(provider) for _ in range(3)]

    assert observed == responses
    assert len({response.id for response in responses}) == 3
    assert all(r.request is not None and r.request.request_hash for r in responses)
    assert KEY not in repr([(r.body, r.request, r.metadata, r.reply) for r in responses])


def test_source_answers_without_the_wire(
    server: FakeServer, provider: Provider, ask: Ask, observed: list[ProviderResponse]
) -> None:
    """A source answers instead of the service, and nothing is sent."""
    recorded = ProviderResponse("Kept.", metadata={"latency_s": 9.0}, reasoning="Hm")

    layer = answering(lambda request: recorded if request.prompt == "recorded" else None)
    current_session().add_interceptor(layer)
    try:
        replayed, fresh = ask(provider, "recorded"), ask(provider, "new")
    finally:
        current_session().remove_interceptor(layer)

    assert (replayed.content, replayed.reasoning, replayed.latency_s) == ("Kept.", "Hm", 9.0)
    assert (replayed.replayed, replayed.provider) == (True, "chat_completions")
    assert replayed.request is not None
    assert replayed.id
    assert not fresh.replayed
    assert [seen.prompt for seen in server.requests] == ["new"]
    assert observed == [replayed, fresh]
