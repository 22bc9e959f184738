"""A complete response and its streamed counterpart are equal, whatever the answer holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allos.log.columns import NAMES
from allos.profiles import Api, ServiceProfile
from allos.response import ProviderResponse
from tests.support.fake_server import Call, Reply
from tests.support.fake_server.plan import _ratelimit
from tests.support.in_memory import answered

TIMES = {"latency_s", "total_time_s", "queue_s", "time_to_first_token_s", "tokens_per_second"}
"""Columns that measure time."""

CALL = NAMES[NAMES.index("provider") : NAMES.index("system_fingerprint") + 1]
"""The columns of a call."""

WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="<"), min_size=1, max_size=40
)
COUNTS = st.integers(0, 5000)
FINISHES = (
    *(None, None, None, "stop", "length", "content_filter", "tool_calls", "pause"),
    *("context_exceeded", "refusal", "error", "surprise"),
)
KEYS = st.text("abcxyz_", min_size=1, max_size=5)
VALUES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-9, 9) | WORDS
ARGUMENTS = (
    st.dictionaries(KEYS, VALUES | st.lists(VALUES, max_size=2), max_size=3)
    | st.just("")
    | st.sampled_from(['{"cut": ', "no json", "[1, 2]", "null"])
)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, int] | None:
    """Counts of which any may be missing; cache and reasoning are parts of their sums."""
    read, write, fresh = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    reasoning, visible = draw(COUNTS), draw(COUNTS)
    full = {
        "input_tokens": fresh + read + write,
        "output_tokens": reasoning + visible,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "reasoning_tokens": reasoning,
    }
    reported = draw(st.sets(st.sampled_from(sorted(full))) | st.just(set(full)))
    return draw(st.sampled_from([None, {name: full[name] for name in full if name in reported}]))


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """Any answer that a service may give."""
    calls = draw(
        st.lists(
            st.builds(Call, name=KEYS, arguments=ARGUMENTS, id=st.none() | st.just("")), max_size=3
        )
    )
    return Reply(
        draw(st.none() | WORDS),
        reasoning=draw(st.none() | WORDS),
        refusal=draw(st.none() | WORDS),
        tool_calls=calls,
        finish=draw(st.sampled_from(FINISHES)),
        usage=draw(usages()),
        usage_extra=draw(st.sampled_from([{}, {"cost": 0.25}, {"cost_in_usd_ticks": 10**9}])),
        model=draw(st.none() | st.sampled_from(["gpt-4o-mini", "claude-haiku-4-5", "unheard-of"])),
        reasoning_as=draw(st.sampled_from([None, "reasoning", "tags", "parts", "text"])),
        chunk_size=draw(st.integers(1, 9)),
        ratelimit=draw(
            st.dictionaries(
                st.sampled_from(["remaining_requests", "remaining_tokens"]), st.integers(0, 99)
            )
        ),
        service_tier=draw(st.sampled_from([None, "flex", "priority"])),
        fingerprint=draw(st.sampled_from([None, "fp_1"])),
    )


def seen(response: ProviderResponse) -> dict[str, Any]:
    """Everything that a response tells and that does not measure time."""
    return {
        **{name: response.metadata.get(name) for name in CALL if name not in {*TIMES, "stream"}},
        "usage": response.metadata.get("usage"),
        "content": response.content,
        "reasoning": response.reasoning,
        "refusal": response.refusal,
        "tool_calls": response.tool_calls,
        "request_hash": response.request and response.request.request_hash,
        "raw": response.raw,
    }


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
@settings(max_examples=settings.default.max_examples * 2 // 3)
@example(reply=Reply("The first half", finish="error"))
@given(reply=replies())
def test_complete_and_streamed_are_equal(api: Api, reply: Reply) -> None:
    """Whole or in pieces, an answer gives the same response in every column but times."""
    headers = _ratelimit(reply.ratelimit, api == "messages")
    options: dict[str, Any] = {
        "headers": headers,
        "price_id": "openai",
        "profile": ServiceProfile(think_tags=reply.reasoning_as == "tags"),
    }
    whole = answered(api, reply, stream=False, model="gpt-4o", **options)
    streamed = answered(api, reply, stream=True, model="gpt-4o", **options)

    assert seen(whole) == seen(streamed)
    assert whole.metadata["stream"] is False
    assert streamed.metadata["stream"] is True


@pytest.mark.parametrize("stream", [False, True])
def test_failed_answer_keeps_what_it_told(stream: bool) -> None:
    """An answer that the service itself calls failed is an error; its text and counts are kept."""
    reply = Reply("The first half", finish="error", usage={"input_tokens": 4, "output_tokens": 3})
    response = answered("responses", reply, stream=stream)

    assert response.status == "error"
    assert response.metadata["error_type"] == "ServerError"
    assert response.content == "The first half"
    assert response.metadata["total_tokens"] == 7
    assert response.metadata["response_id"].startswith("resp_")


@pytest.mark.parametrize("stream", [False, True])
def test_arguments_that_are_text(stream: bool) -> None:
    """Text where a value belongs is read like text that arrived in pieces."""
    calls = [Call("cut", '{"city": '), Call("whole", '{"city": "Ulm"}')]
    response = answered("messages", Reply(tool_calls=calls), stream=stream)
    cut, whole = response.tool_calls

    assert cut.raw_arguments == '{"city": '
    assert cut.error is not None
    assert cut.error.startswith("arguments are not valid JSON: ")
    assert whole.arguments == {"city": "Ulm"}
