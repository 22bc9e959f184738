"""Every column of a call, API by API: what it holds where the service tells everything."""

from __future__ import annotations

from typing import Any

import pytest

from allos.errors import AuthenticationError
from allos.log.columns import NAMES
from allos.profiles import Api
from allos.providers import ProviderRegistry
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import FakeServer, Fault, Reply

CALL = NAMES[NAMES.index("provider") : NAMES.index("system_fingerprint") + 1]
TEXTS = {
    "system",
    "prompt",
    "messages",
    "variables",
    "content",
    "reasoning",
    "refusal",
    "tool_calls",
}
"""Columns among them that are attributes of the response, or of its request."""

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
LIMITS: dict[Api, dict[str, str]] = {
    "chat": {"x-ratelimit-reset-requests": "12s", "x-ratelimit-reset-tokens": "1s"},
    "responses": {"x-ratelimit-reset-requests": "12s", "x-ratelimit-reset-tokens": "1s"},
    "messages": {
        "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:12Z",
        "anthropic-ratelimit-tokens-reset": "2026-11-22T10:00:01Z",
    },
}

COUNTS = {
    "input_tokens": 2000,
    "cache_read_tokens": 500,
    "cache_write_tokens": 200,
    "output_tokens": 900,
    "reasoning_tokens": 300,
}

ALIKE: dict[str, Any] = {
    **COUNTS,
    "max_tokens": 50,
    "temperature": 0.5,
    "status": "ok",
    "finish_reason": "stop",
    "total_tokens": 2900,
    "usage_source": "provider",
    "http_status": 200,
    "attempts": 2,
    "ratelimit_remaining_requests": 9,
    "ratelimit_remaining_tokens": 1000,
    "ratelimit_reset_s": 12.0,
}
"""What is the same on every API."""

# USD per million tokens: gpt-4o 2.50 in, 1.25 from the cache, 10 out; no price for writing it.
# claude-haiku-4-5 1 in, 0.10 from the cache, 1.25 into it, 5 out.
_OPENAI = {
    "provider": "openai",
    "model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "top_p": 0.9,
    "service_tier": "default",
    "input_cost_usd": pytest.approx((1500 * 2.5 + 500 * 1.25) / 1e6),
    "output_cost_usd": pytest.approx(900 * 10 / 1e6),
    "cost_usd": pytest.approx((1500 * 2.5 + 500 * 1.25 + 900 * 10) / 1e6),
}
OF_API: dict[Api, dict[str, Any]] = {
    "chat": {
        **_OPENAI,
        "seed": 7,
        "finish_reason_raw": "stop",
        "params": {"stop": "END"},
        "system_fingerprint": "fp_fake",
    },
    "responses": {
        **_OPENAI,
        "finish_reason_raw": "completed",
        "params": {"dropped": ["seed", "stop"]},
    },
    "messages": {
        "provider": "anthropic",
        "model": "claude-haiku-4-5",
        "response_model": "claude-haiku-4-5-20251001",
        "top_p": 0.9,
        "service_tier": "standard",
        "finish_reason_raw": "end_turn",
        "params": {"stop": "END", "dropped": ["seed"]},
        "input_cost_usd": pytest.approx((1300 * 1 + 500 * 0.1 + 200 * 1.25) / 1e6),
        "output_cost_usd": pytest.approx(900 * 5 / 1e6),
        "cost_usd": pytest.approx((1300 * 1 + 500 * 0.1 + 200 * 1.25 + 900 * 5) / 1e6),
    },
}
"""What is not: the other columns of this API stay unknown."""

SEEN = {"price_version", "response_id", "request_id", "retry_log", "base_url"}
TIMES = {"latency_s", "total_time_s", "queue_s"}
BESIDE_TEXT = {"parts", "citations", "logprobs", "response_extra"}
"""Columns of answers that hold more than text: `test_same_facts.py` has their values."""
OF_STREAMS = {"time_to_first_token_s", "tokens_per_second"}


@pytest.mark.filterwarnings("ignore:.*does not support '(seed|stop)':UserWarning")
def test_columns(server: FakeServer, ask: Ask, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """All columns of a call that the API has a word for are filled, the others are absent."""
    expected = {"api": api, **ALIKE, **OF_API[api]}
    name, model = expected["provider"], expected["model"]
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url)
    server.reply(
        Reply(
            "an answer in several pieces",
            usage=COUNTS,
            ratelimit={"remaining_requests": 9, "remaining_tokens": 1000},
            headers={"date": DATE, **LIMITS[api]},
            model=expected["response_model"],
            delay_s=0.01,
        )
    )
    server.script(Fault.status(500))
    sampling = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": "END", "max_tokens": 50}
    provider = ProviderRegistry.get_provider(name, model=model, api=api, api_key=KEY)
    response = ask(provider, "Hi", **sampling)
    known = dict(response.metadata)
    streamed = known.pop("stream")
    times = TIMES | (OF_STREAMS if streamed else set())

    assert {name: known.get(name) for name in expected} == expected
    assert set(known) - {"usage"} == {*expected, *SEEN, *times}
    assert set(known) - {"usage"} <= set(CALL) - TEXTS
    assert all(known[name] > 0 for name in times - {"queue_s"})
    assert known["queue_s"] >= 0
    assert known["price_version"].startswith("genai-prices ")
    assert known["base_url"].startswith("http://127.0.0.1:")
    assert known["request_id"].startswith("req_")
    assert known["response_id"].startswith(
        {"chat": "chatcmpl-", "responses": "resp_", "messages": "msg_"}[api]
    )
    assert [entry["http_status"] for entry in known["retry_log"]] == [500]


def test_columns_of_a_failure(server: FakeServer, make: Make, ask: Ask) -> None:
    """A call that fails tells which error it was, with its status, and no count it never got."""
    server.reply(Fault.bad_key())
    with pytest.raises(AuthenticationError) as caught:
        ask(make())
    assert caught.value.response is not None
    known = caught.value.response.metadata

    assert known["status"] == known["finish_reason"] == "error"
    assert known["error_type"] == "AuthenticationError"
    assert known["error_message"] == str(caught.value)
    assert known["http_status"] == 401
    assert known["usage_source"] == "missing"
    assert not {"input_tokens", "cost_usd", "response_id", "response_model"} & set(known)


def test_every_column_is_expected_somewhere() -> None:
    """No column of a call is forgotten by the tables above."""
    named = {*ALIKE, *SEEN, *TIMES, *OF_STREAMS, "api", "stream", "error_type", "error_message"}
    named |= BESIDE_TEXT
    named |= {name for columns in OF_API.values() for name in columns}

    assert named == set(CALL) - TEXTS
