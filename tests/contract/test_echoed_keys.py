"""A server that repeats credentials, anywhere in an answer or an error: they are shown and stored nowhere."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import allos
from allos.errors import AllosError, ProviderError
from allos.events import Event
from allos.profiles import Api
from allos.providers import Provider, ProviderRegistry
from allos.redaction import current
from allos.render.answer import answer_html, answer_text
from allos.response import ProviderResponse
from allos.runs.board_messages.updates import BoardUpdates
from tests.support.fake_server import FakeServer, Fault, Raw

OWN = "opaque+own/key-0123456789abcdef"
HEADER = "gw-9f8e7d6c5b4a39281706"
OTHER = "another+service/key-9876543210"
PROXY = "pr0xy-passw0rd"
LOOKALIKE = "sk-proj-nobodysKey0123456789"
KNOWN = (OWN, HEADER, OTHER, PROXY)
SECRETS = (*KNOWN, LOOKALIKE)

SLOT = "<fact>"
"""Where a service writes a string about the answer."""
TEXT = "<content>"
"""Where it writes the model's words."""

USAGE = {"note": SLOT, SLOT: 1}
WHOLE: dict[Api, dict[str, Any]] = {
    "chat": {
        "id": SLOT,
        "object": SLOT,
        "model": SLOT,
        "system_fingerprint": SLOT,
        "service_tier": SLOT,
        "unread": {"field": [SLOT]},
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, **USAGE},
        "choices": [
            {
                "index": 0,
                "finish_reason": SLOT,
                "message": {
                    "role": "assistant",
                    "content": TEXT,
                    "reasoning_content": TEXT,
                    "refusal": TEXT,
                    "tool_calls": [
                        {
                            "id": SLOT,
                            "type": "function",
                            "function": {"name": SLOT, "arguments": json.dumps({"q": TEXT})},
                        }
                    ],
                },
            }
        ],
    },
    "responses": {
        "id": SLOT,
        "object": "response",
        "status": "completed",
        "model": SLOT,
        "service_tier": SLOT,
        "metadata": {"unread": SLOT},
        "output": [
            {
                "type": "reasoning",
                "id": SLOT,
                "summary": [{"type": "summary_text", "text": TEXT}],
                "encrypted_content": TEXT,
            },
            {
                "type": "message",
                "id": SLOT,
                "role": "assistant",
                "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
            },
            {
                "type": "function_call",
                "id": SLOT,
                "call_id": SLOT,
                "name": SLOT,
                "arguments": json.dumps({"q": TEXT}),
            },
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, **USAGE},
    },
    "messages": {
        "id": SLOT,
        "type": "message",
        "role": "assistant",
        "model": SLOT,
        "stop_reason": SLOT,
        "stop_sequence": SLOT,
        "container": {"id": SLOT},
        "content": [
            {"type": "thinking", "thinking": TEXT, "signature": TEXT},
            {"type": "text", "text": TEXT},
            {"type": "tool_use", "id": SLOT, "name": SLOT, "input": {"q": TEXT}},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": SLOT, **USAGE},
    },
}


def streamed(api: Api) -> list[Any]:
    """Events of a stream with the same facts."""
    whole = WHOLE[api]
    if api == "chat":
        facts = {name: value for name, value in whole.items() if name not in ("choices", "usage")}
        choice = whole["choices"][0]
        delta = {
            **choice["message"],
            "tool_calls": [{"index": 0, **choice["message"]["tool_calls"][0]}],
        }
        return [
            {**facts, "choices": [{"index": 0, "delta": delta}]},
            {**facts, "choices": [{"index": 0, "delta": {}, "finish_reason": SLOT}]},
            {**facts, "choices": [], "usage": whole["usage"]},
        ]
    if api == "responses":
        done = [
            {"type": "response.output_item.done", "output_index": at, "item": item}
            for at, item in enumerate(whole["output"])
        ]
        return [
            {
                "type": "response.created",
                "response": {**whole, "output": [], "status": "in_progress"},
            },
            {
                "type": "response.output_item.added",
                "output_index": 1,
                "item": {**whole["output"][1], "content": []},
            },
            {
                "type": "response.output_text.delta",
                "output_index": 1,
                "content_index": 0,
                "item_id": SLOT,
                "delta": TEXT,
            },
            *done,
            {"type": "response.completed", "response": whole},
        ]
    blocks: list[Any] = []
    for at, block in enumerate(whole["content"]):
        empty, deltas = dict(block), []
        if block["type"] == "thinking":
            empty |= {"thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": TEXT},
                {"type": "signature_delta", "signature": TEXT},
            ]
        elif block["type"] == "text":
            empty["text"], deltas = "", [{"type": "text_delta", "text": TEXT}]
        else:
            empty["input"] = {}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        blocks.append({"type": "content_block_start", "index": at, "content_block": empty})
        blocks += [{"type": "content_block_delta", "index": at, "delta": each} for each in deltas]
        blocks.append({"type": "content_block_stop", "index": at})
    return [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        *blocks,
        {
            "type": "message_delta",
            "delta": {"stop_reason": SLOT, "stop_sequence": SLOT},
            "usage": whole["usage"],
        },
        {"type": "message_stop"},
    ]


def filled(value: Any, fact: Iterator[str], content: Iterator[str]) -> Any:
    """Return a template with the next strings in its places."""
    if isinstance(value, dict):
        return {filled(k, fact, content): filled(v, fact, content) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(item, fact, content) for item in value]
    if value == SLOT:
        return next(fact)
    if isinstance(value, str) and TEXT in value:
        word = next(content)
        return value.replace(TEXT, json.dumps(word)[1:-1] if value.startswith("{") else word)
    return value


def ways(secret: str) -> st.SearchStrategy[str]:
    """Ways in which a server repeats a secret."""
    basic = b64encode(f"user:{secret}".encode()).decode()
    forms = [
        secret,
        f"Bearer {secret}",
        f"Basic {basic}",
        f"https://x/?key={quote(secret, safe='')}",
    ]
    return st.sampled_from(
        [
            f"{before}{form}{after}"
            for form in forms
            for before, after in (("", ""), ("id-", " end"))
        ]
    )


FACTS = st.lists(st.sampled_from(SECRETS).flatmap(ways) | st.just("plain"), min_size=6, max_size=20)
CONTENTS = st.lists(st.sampled_from(KNOWN).flatmap(ways) | st.just("words"), min_size=3, max_size=8)


def again(words: list[str]) -> Iterator[str]:
    while True:
        yield from words


@pytest.fixture
def provider(server: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider in a process that knows four secrets."""
    monkeypatch.setenv("GROQ_API_KEY", OTHER)
    monkeypatch.setenv("https_proxy", f"http://user:{PROXY}@proxy.example:3128")
    return ProviderRegistry.get_provider(
        "chat_completions",
        model="m",
        base_url=server.base_url,
        api=api,
        api_key=OWN,
        headers={"X-Gateway-Token": HEADER},
        max_attempts=1,
    )


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.log.close()


def ask(provider: Provider, live: bool) -> tuple[ProviderResponse, list[Event], AllosError | None]:
    """The response, the events on the way, and the error."""
    events: list[Event] = []
    call = provider.start("Hi", {}, events.extend if live else None)
    response = call.future.result(20)
    return response, events, response.error


def everything(response: ProviderResponse, events: list[Event]) -> str:
    """All that anyone can see of a response."""
    allos.log.flush()
    rows = allos.responses(raw=True)
    fields = {
        name: getattr(response, name) for name in response.__dataclass_fields__ if name != "body"
    }
    return "\n".join(
        [
            repr(response),
            repr(fields),
            repr(events),
            f"{response.error} {vars(response.error) if response.error else ''}",
            answer_html(response),
            answer_text(response),
            rows.to_csv(),
            rows.to_json(orient="records", date_format="iso"),
        ]
    )


def found(text: str, secrets: tuple[str, ...]) -> list[str]:
    forms = {
        form: secret
        for secret in secrets
        for form in (
            secret,
            quote(secret, safe=""),
            b64encode(f"user:{secret}".encode()).decode()[6:-4],
        )
    }
    return [secret for form, secret in forms.items() if form in text]


@pytest.mark.parametrize("live", [False, True], ids=["whole", "streamed"])
@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(facts=FACTS, contents=CONTENTS)
@example(facts=[OWN], contents=[OWN])
@example(facts=[LOOKALIKE], contents=[HEADER])
def test_answer(
    server: FakeServer,
    provider: Provider,
    api: Api,
    live: bool,
    facts: list[str],
    contents: list[str],
) -> None:
    """Every string of an answer and every header may hold a credential; none is seen afterwards."""
    fact, content = again(facts), again(contents)
    headers = {"x-request-id": next(fact), "request-id": next(fact), "x-other": next(fact)}
    if live:
        raw = Raw.sse([filled(event, fact, content) for event in streamed(api)])
    else:
        raw = Raw.json(filled(WHOLE[api], fact, content))
    server.script(Raw(raw.body, raw.content_type, split=raw.split, headers=headers))
    response, events, _ = ask(provider, live)

    assert response.content
    assert found(everything(response, events), SECRETS) == []


@pytest.mark.parametrize("live", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
@settings(
    max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(facts=FACTS)
@example(facts=[OWN])
@example(facts=[LOOKALIKE])
def test_error(
    server: FakeServer, provider: Provider, live: bool, status: int, facts: list[str]
) -> None:
    """The same of an error: its message, code, type, param and headers."""
    fact = again(facts)
    body = {
        "error": {
            name: next(fact) for name in ("message", "type", "code", "param", "failed_generation")
        }
    }
    headers = {"x-request-id": next(fact), "request-id": next(fact)}
    if status == 200:
        server.script(Raw(json.dumps(body).encode(), headers=headers))
    else:
        server.script(Fault.status(status, body=body, headers=headers))
    response, events, error = ask(provider, live)

    assert isinstance(error, ProviderError)
    assert found(everything(response, events), SECRETS) == []


@pytest.mark.parametrize("size", [1, 5, 17])
def test_key_in_pieces(server: FakeServer, provider: Provider, size: int) -> None:
    """A key that arrives in pieces is masked in the response and its row."""
    text = f"Your key is {OWN}."
    server.script(reply_in_pieces(text, size))
    response, _, _ = ask(provider, True)

    assert response.content == "Your key is ***."
    assert found(everything(response, []), KNOWN) == []


def reply_in_pieces(text: str, size: int) -> Any:
    from tests.support.fake_server import Reply

    return Reply(text, chunk_size=size)


def test_example_key_in_an_answer_stays(server: FakeServer, provider: Provider) -> None:
    """What only looks like a key is a part of the model's answer."""
    from tests.support.fake_server import Reply

    server.script(Reply(f'client = OpenAI(api_key="{LOOKALIKE}")'))
    response, _, _ = ask(provider, False)

    assert LOOKALIKE in response.content


def test_models(server: FakeServer, provider: Provider) -> None:
    """A list of models is a service's text as well."""
    server.models = [OWN, f"team/{LOOKALIKE}", "m"]

    assert (
        found(repr(provider.list_models()) + provider.list_models().frame.to_csv(), SECRETS) == []
    )


def test_board_and_comparison(server: FakeServer, provider: Provider) -> None:
    """The board of a comparison and its frame hold no credential."""
    fact, content = again([OWN, HEADER, LOOKALIKE]), again([OWN, OTHER])
    events = [filled(event, fact, content) for event in streamed(provider.api)]
    server.script(
        Raw.sse(events), Fault.status(400, body={"error": {"message": OWN, "code": LOOKALIKE}})
    )
    comparison = allos.compare("Hi", models=[provider], n=2).wait(timeout_s=20)
    snapshot = BoardUpdates(comparison).snapshot()

    assert found(json.dumps(snapshot, default=str), SECRETS) == []
    assert found(comparison.frame.to_csv() + repr(comparison), SECRETS) == []


def test_current_knows_every_source(provider: Provider) -> None:
    """Keys of `set_key` are known as long as they are set."""
    allos.set_key("mistral", "ms-set-0123456789", remember=False)
    assert (
        current().content(f"ms-set-0123456789 {OWN} {OTHER} {PROXY} {HEADER}")
        == "*** *** *** *** ***"
    )
    allos.forget_key("mistral")

    assert current().content("ms-set-0123456789") == "ms-set-0123456789"
    assert provider.api
