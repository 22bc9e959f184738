from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.support.fake_server import Call, FakeProcess, FakeServer, Fault, Raw, Reply, Seen, Sse

APIS = ("responses", "chat", "messages")
PATHS = {"responses": "/responses", "chat": "/chat/completions", "messages": "/messages"}
TURNS = [{"role": "user", "content": "What is 2 + 3?"}]
BODIES: dict[str, dict[str, Any]] = {
    "responses": {"model": "m", "input": TURNS},
    "chat": {"model": "m", "messages": TURNS, "stream_options": {"include_usage": True}},
    "messages": {"model": "m", "messages": TURNS, "max_tokens": 9},
}
FULL = Reply(
    "Fünf, that is five.",
    reasoning="2 and 3 make 5",
    tool_calls=[Call("add", {"a": 2, "b": [3]}), Call("now")],
    usage={
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 30,
        "cache_write_tokens": 10,
        "reasoning_tokens": 5,
    },
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("Hello there, person.") as running:
        yield running


# Building a client costs 25 ms, so one of each serves the module.


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=5) as made:
        yield made


@pytest.fixture(scope="module")
def any_gpt() -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url="http://127.0.0.1:9", api_key="sk-1234", max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def any_claude() -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url="http://127.0.0.1:9", api_key="k", max_retries=0) as made:
        yield made


@pytest.fixture
def gpt(server: FakeServer, any_gpt: openai.OpenAI) -> openai.OpenAI:
    return any_gpt.with_options(base_url=server.base_url)


@pytest.fixture
def claude(server: FakeServer, any_claude: anthropic.Anthropic) -> anthropic.Anthropic:
    return any_claude.with_options(base_url=server.url)


def post(
    client: httpx2.Client, server: FakeServer, api: str, *, stream: bool, timeout_s: float = 5
) -> httpx2.Response:
    body = {**BODIES[api], "stream": True} if stream else BODIES[api]
    headers = {"authorization": "Bearer sk-1234"}
    url = server.base_url + PATHS[api]
    return client.post(url, json=body, headers=headers, timeout=timeout_s)


def partial(client: httpx2.Client, server: FakeServer, api: str, *, stream: bool) -> bytes:
    """What arrives before the connection breaks."""
    got: list[bytes] = []
    body = {**BODIES[api], "stream": stream}
    with (
        client.stream("POST", server.base_url + PATHS[api], json=body) as response,
        pytest.raises(httpx2.TransportError),
    ):
        got.extend(response.iter_raw())
    return b"".join(got)


def events_of(text: str) -> list[Any]:
    """Read plain SSE text into values."""
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


# The real SDKs understand it


def test_responses_sdk(server: FakeServer, gpt: openai.OpenAI) -> None:
    """The OpenAI SDK reads the same answer whole, by its stream, and by its strict stream helper."""
    server.reply(FULL)
    whole = gpt.responses.create(model="m", input="hi")
    with gpt.responses.create(model="m", input="hi", stream=True) as stream:
        events = list(stream)
    with gpt.responses.stream(model="m", input="hi") as helper:
        final = helper.get_final_response()
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]

    assert whole.output_text == final.output_text == "".join(deltas) == FULL.text
    assert [i.type for i in whole.output] == ["reasoning", "message", *["function_call"] * 2]
    assert [e.type for e in events[:3]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
    ]
    assert events[-1].type == "response.completed"
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert whole.usage is not None
    assert whole.usage.model_dump(exclude_none=True) == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }


def test_chat_sdk(server: FakeServer, gpt: openai.OpenAI) -> None:
    """The OpenAI SDK reads the same chat answer complete and streamed, with usage in its own chunk."""
    server.reply(FULL)
    turns: Any = TURNS
    whole: Any = gpt.chat.completions.create(model="m", messages=turns)
    with gpt.chat.completions.create(
        model="m", messages=turns, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    with gpt.chat.completions.stream(model="m", messages=turns) as helper:
        final = helper.get_final_completion()
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    calls = whole.choices[0].message.tool_calls or []

    assert whole.choices[0].message.content == text == FULL.text
    assert final.choices[0].message.content == text
    assert whole.choices[0].finish_reason == chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == 100
    assert final.usage is None
    assert [json.loads(c.function.arguments) for c in calls] == [{"a": 2, "b": [3]}, {}]


def test_messages_sdk(server: FakeServer, claude: anthropic.Anthropic) -> None:
    """The Anthropic SDK reads the same message complete and streamed; input tokens exclude cache."""
    server.reply(FULL)
    asked: Any = {"model": "m", "max_tokens": 9, "messages": TURNS}
    whole: Any = claude.messages.create(**asked)
    with claude.messages.stream(**asked) as helper:
        final: Any = helper.get_final_message()
    with claude.messages.create(**asked, stream=True) as stream:
        kinds = [event.type for event in stream]

    assert [b.type for b in whole.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [b.type for b in final.content] == [b.type for b in whole.content]
    assert final.content[2].input == whole.content[2].input == {"a": 2, "b": [3]}
    assert (final.content[1].text, final.stop_reason) == (FULL.text, "tool_use")
    assert (whole.usage.input_tokens, whole.usage.cache_read_input_tokens) == (60, 30)
    assert final.usage.output_tokens == whole.usage.output_tokens == 20
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])


REPLIES = {
    "full": FULL,
    "text": Reply("Hi"),
    "refusal": Reply(refusal="I would rather not."),
    "length": Reply("cut sh", finish="length"),
    "filtered": Reply(finish="content_filter"),
    "calls": Reply(tool_calls=[Call("now")]),
    "no usage": Reply("Hi", usage=None),
    "reasoning text": Reply("Hi", reasoning="hm", reasoning_as="text"),
    "tags": Reply("Hi", reasoning="hm", reasoning_as="tags"),
}


@pytest.mark.parametrize("api", APIS)
def test_bodies_validate(server: FakeServer, client: httpx2.Client, api: str) -> None:
    """Every body and event passes validation against the SDKs' own types."""
    types: dict[str, tuple[Any, Any]] = {
        "responses": (Response, ResponseStreamEvent),
        "chat": (ChatCompletion, ChatCompletionChunk),
        "messages": (AnthropicMessage, RawMessageStreamEvent),
    }
    one_type, each_type = map(TypeAdapter[Any], types[api])
    for name, reply in REPLIES.items():
        server.reply(reply)
        body = post(client, server, api, stream=False).json()
        events = events_of(post(client, server, api, stream=True).text)
        if name == "no usage" and api == "messages":
            assert "usage" not in json.dumps([body, events])
            continue  # their type requires usage, which this reply leaves out on purpose

        one_type.validate_python(body)
        for event in events:
            if event.get("type") != "ping":
                each_type.validate_python(event)


def test_finish_reasons(server: FakeServer, client: httpx2.Client) -> None:
    """A finish reason is translated for the API, and an unknown word is sent as it is."""
    got = {}
    for word in ("length", "refusal", "context_exceeded", "error", "eos"):
        server.reply(Reply("Hi", finish=word))
        replies = [post(client, server, api, stream=False).json() for api in APIS]
        got[word] = (
            replies[0]["status"],
            replies[1]["choices"][0]["finish_reason"],
            replies[2]["stop_reason"],
        )

    assert got == {
        "length": ("incomplete", "length", "max_tokens"),
        "refusal": ("completed", "stop", "refusal"),
        "context_exceeded": (
            "incomplete",
            "model_context_window_exceeded",
            "model_context_window_exceeded",
        ),
        "error": ("failed", "error", "error"),
        "eos": ("incomplete", "eos", "eos"),
    }


def test_models(server: FakeServer, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """Both SDKs list the models, and the list can fail on demand without touching the script."""
    server.script("kept")
    server.script(Fault.status(500), on="models")
    with pytest.raises(openai.InternalServerError):
        gpt.models.list()

    assert [m.id for m in gpt.models.list()] == [m.id for m in claude.models.list()]
    assert claude.models.retrieve("fake-model").max_input_tokens == 200_000
    assert server.unused == 1


# Forms of a stream


FORMS = {
    "crlf": Sse(newline="\r\n"),
    "cr": Sse(newline="\r"),
    "comments": Sse(comments=True),
    "multiline": Sse(multiline=True),
    "no space": Sse(space=False),
    "bytes": Sse(split=1),
    "all": Sse(newline="\r\n", comments=True, multiline=True, split=7, done=False),
}


@pytest.mark.parametrize("form", FORMS)
def test_sse_forms(
    server: FakeServer, gpt: openai.OpenAI, claude: anthropic.Anthropic, form: str
) -> None:
    """The SDKs read every legal form of the stream alike."""
    server.reply(Reply("Grüße, 世界 🌍", sse=FORMS[form]))
    turns: Any = TURNS
    with gpt.chat.completions.create(model="m", messages=turns, stream=True) as chunks:
        chat = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    with claude.messages.stream(model="m", max_tokens=9, messages=turns) as stream:
        message: Any = stream.get_final_message()

    assert chat == message.content[0].text == "Grüße, 世界 🌍"


def test_bom_and_raw(server: FakeServer, client: httpx2.Client) -> None:
    """A byte order mark opens the stream once; raw events and bytes arrive exactly as given."""
    events = [{"choices": []}, ("odd", {"a": 1}), "not json"]
    server.script(
        Reply("Hi", sse=Sse(bom=True)),
        Raw.sse([events[0]]),
        Raw.sse(events[1:]),
        Raw(b"\x00\xff" * 5, "application/octet-stream", split=[1, 3]),
        Raw.json(["a list"], status=418),
    )
    bom = post(client, server, "chat", stream=True).content
    rest = [post(client, server, "chat", stream=True) for _ in range(4)]

    assert bom.startswith(b"\xef\xbb\xbfdata:")
    assert bom.count(b"\xef\xbb\xbf") == 1
    assert rest[0].text == 'data: {"choices":[]}\n\ndata: [DONE]\n\n'
    assert rest[1].text == 'event: odd\ndata: {"a":1}\n\ndata: not json\n\n'
    assert rest[2].content == b"\x00\xff" * 5
    assert (rest[3].status_code, rest[3].json()) == (418, ["a list"])


# Faults


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", APIS)
def test_status_faults(server: FakeServer, client: httpx2.Client, api: str, stream: bool) -> None:
    """HTTP errors carry the API's own body, and the 401 repeats the key."""
    server.script(
        Fault.status(429, retry_after=1),
        Fault.status(529),
        Fault.bad_key(),
        Fault.model_not_found(),
        Fault.context_length(),
        Fault.html(),
        Fault.error_in_200(),
        Fault.status(502, body="<h1>Bad Gateway</h1>"),
    )
    got = [post(client, server, api, stream=stream) for _ in range(8)]
    texts = [r.json()["error"]["message"] for r in got[:5]]

    assert [r.status_code for r in got] == [429, 529, 401, 404, 400, 200, 200, 502]
    assert got[0].headers["retry-after"] == "1"
    assert "retry-after" not in got[1].headers
    assert "sk-1234" in texts[2]
    assert "m" in texts[3]
    assert "too long" in texts[4] or "maximum context length" in texts[4]
    assert got[5].headers["content-type"].startswith("text/html")
    assert "error" in got[6].json()
    assert (got[0].json().get("type") == "error") is (api == "messages")


@pytest.mark.parametrize("api", APIS)
def test_breaks_before_the_answer(server: FakeServer, client: httpx2.Client, api: str) -> None:
    """A connection can break before any byte: by a reset, or by closing."""
    server.script(Fault.reset(), Fault.drop())
    with pytest.raises(httpx2.ReadError):
        post(client, server, api, stream=False)
    with pytest.raises(httpx2.RemoteProtocolError):
        post(client, server, api, stream=True)

    assert post(client, server, api, stream=False).status_code == 200
    assert not any(seen.closed_early for seen in server.requests)


@pytest.mark.parametrize("fault", [Fault.reset, Fault.drop])
@pytest.mark.parametrize("api", APIS)
def test_breaks_mid_answer(
    server: FakeServer, client: httpx2.Client, api: str, fault: Callable[..., Fault]
) -> None:
    """What was sent before the break arrives, on every API, streamed and whole."""
    server.script(fault(after_deltas=2), fault(after=1))
    streamed = partial(client, server, api, stream=True)
    whole = partial(client, server, api, stream=False)

    assert b"Hello th" in streamed
    assert b"ere, per" in streamed
    assert b"son." not in streamed
    assert whole.startswith(b"{")


@pytest.mark.parametrize("api", APIS)
def test_truncated(server: FakeServer, client: httpx2.Client, api: str) -> None:
    """A truncated answer is sound HTTP and no answer: no end signal, or JSON cut in half."""
    server.script(Fault.truncate(after_deltas=2), Fault.truncate(), Fault.malformed())
    streamed = post(client, server, api, stream=True)
    whole = [post(client, server, api, stream=False) for _ in range(2)]
    kinds = [event.get("type") for event in events_of(streamed.text)]

    assert b"ere, per" in streamed.content
    assert b"[DONE]" not in streamed.content
    assert not {"response.completed", "message_stop"} & set(kinds)
    for cut in whole:
        with pytest.raises(json.JSONDecodeError):
            cut.json()


@pytest.mark.parametrize("api", APIS)
def test_bad_events(server: FakeServer, client: httpx2.Client, api: str) -> None:
    """A stream can hold an event that is no JSON, or an error in the API's own shape."""
    server.script(Fault.malformed(after_deltas=1), Fault.error_event("Overloaded", after_deltas=1))
    broken = post(client, server, api, stream=True).text
    failed = events_of(post(client, server, api, stream=True).text)

    with pytest.raises(json.JSONDecodeError):
        events_of(broken)
    assert "son." in broken
    assert "Overloaded" in json.dumps(failed[-1])
    assert failed[-1].get("type") == {"chat": None}.get(api, "error")


def test_sdk_sees_error_event(server: FakeServer, claude: anthropic.Anthropic) -> None:
    """The Anthropic SDK raises the error event of a stream, with its type."""
    server.script(Fault.error_event(after_deltas=1))
    asked: Any = {"model": "m", "max_tokens": 9, "messages": TURNS}
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        claude.messages.create(**asked, stream=True) as stream,
    ):
        list(stream)

    assert caught.value.type == "overloaded_error"


@pytest.mark.parametrize(
    ("api", "field"), [("responses", "output"), ("chat", "choices"), ("messages", "content")]
)
def test_empty(server: FakeServer, client: httpx2.Client, api: str, field: str) -> None:
    """An empty answer has everything but what was asked for."""
    server.script(Fault.empty(), Fault.empty())
    whole = post(client, server, api, stream=False).json()
    streamed = post(client, server, api, stream=True).text

    assert whole[field] == []
    assert "delta" not in streamed.replace("message_delta", "").replace('"delta":{"stop', "")
    assert len(events_of(streamed)) >= 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", APIS)
def test_stall_until_client_leaves(
    server: FakeServer, client: httpx2.Client, api: str, stream: bool
) -> None:
    """A stalled answer holds until the client leaves, and the server notices."""
    server.script(Fault.stall(), Fault.stall(after_deltas=1))
    for _ in range(2):
        with pytest.raises(httpx2.ReadTimeout):
            post(client, server, api, stream=stream, timeout_s=0.03)

    assert all(server.wait_closed(seen) for seen in server.requests)
    assert not any(seen.done for seen in server.requests)


def test_drip_and_redirect(server: FakeServer, client: httpx2.Client) -> None:
    """A dripping answer is the same answer, and a redirect names its target."""
    slow = Fault.drip(size=200, delay_s=0.001)
    server.script(slow, slow, Fault.redirect("http://127.0.0.1:9/v1"))
    whole = post(client, server, "chat", stream=False)
    streamed = post(client, server, "chat", stream=True)
    moved = post(client, server, "chat", stream=False)

    assert whole.json()["choices"][0]["message"]["content"] == "Hello there, person."
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert (moved.status_code, moved.headers["location"]) == (307, "http://127.0.0.1:9/v1")


def test_odds(server: FakeServer, client: httpx2.Client) -> None:
    """Faults by chance happen about that often, and alike for a seed."""
    runs = []
    for _ in range(2):
        server.odds((0.2, Fault.status(429)), (0.1, Fault.status(500)), seed=3)
        runs.append([post(client, server, "chat", stream=False).status_code for _ in range(100)])

    assert runs[0] == runs[1]
    assert 5 < runs[0].count(429) < 40
    assert 60 < runs[0].count(200) < 85


# Script, record, life


def test_script_then_reply(server: FakeServer, client: httpx2.Client) -> None:
    """Each entry takes one request, by model before API before all; then the reply stands."""
    server.reply("of the model", on="m")
    server.script("first", "second")
    server.script("chat only", on="chat")
    server.reply(lambda seen: Reply(f"{seen.api}: {seen.prompt}"), on="messages")
    chat = [
        post(client, server, "chat", stream=False).json()["choices"][0]["message"]["content"]
        for _ in range(4)
    ]
    server.reply(lambda seen: Reply(f"{seen.api}: {seen.prompt}"), on="m")
    body = post(client, server, "messages", stream=False).json()

    assert chat == ["chat only", "first", "second", "of the model"]
    assert body["content"][0]["text"] == "messages: What is 2 + 3?"


def test_record(server: FakeServer, client: httpx2.Client) -> None:
    """A request is kept with its headers, body and connection, and any path prefix works."""
    for path in ("/openai/v1/chat/completions", "/chat/completions?x=1", "/v1/v1/messages"):
        client.post(server.url + path, json=BODIES["chat"], headers={"X-Api-Key": "k"})
    odd = client.post(server.base_url + "/messages", content=b"not json")
    chunked = client.post(server.base_url + "/responses", content=iter([b'{"model"', b':"m"}']))
    first: Seen = server.requests[0]

    assert [seen.api for seen in server.requests[:2]] == ["chat", "chat"]
    assert (first.body, first.key, first.method) == (BODIES["chat"], "k", "POST")
    assert {seen.connection_id for seen in server.requests} == {1}
    assert [seen.number for seen in server.requests] == [1, 2, 3, 4, 5]
    assert odd.status_code == 400
    assert chunked.json()["model"] == "m"


def test_ids_and_headers(server: FakeServer, client: httpx2.Client) -> None:
    """Ids differ from request to request; rate limits come in each API's own headers."""
    server.reply(Reply("Hi", ratelimit={"remaining_tokens": 5, "reset_s": 0.012}))
    got = [post(client, server, api, stream=False) for api in ("chat", "chat", "messages")]

    assert len({r.json()["id"] for r in got}) == 3
    assert got[0].headers["x-request-id"] == "req_000000000001"
    assert got[0].headers["x-ratelimit-reset-tokens"] == "12ms"
    assert got[2].headers["request-id"] == "req_000000000003"
    assert got[2].headers["anthropic-ratelimit-tokens-remaining"] == "5"


def test_key_and_missing_api(client: httpx2.Client) -> None:
    """A server with a key refuses others, and one without an API answers 404 there."""
    with FakeServer(key="sk-right", apis=["chat"]) as server:
        wrong = post(client, server, "chat", stream=False)
        absent = post(client, server, "responses", stream=False)
        right = client.post(
            server.base_url + PATHS["chat"],
            json=BODIES["chat"],
            headers={"authorization": "Bearer sk-right"},
        )

    assert [wrong.status_code, absent.status_code, right.status_code] == [401, 404, 200]


def test_concurrency_and_delay(server: FakeServer) -> None:
    """Delays run side by side, and the most requests at one time are counted."""
    server.reply(Reply("Hi", first_delay_s=0.1))
    began = time.perf_counter()
    with httpx2.Client(timeout=5) as shared:
        threads = [
            threading.Thread(target=post, args=(shared, server, api), kwargs={"stream": False})
            for api in APIS
        ]
        for thread in threads:
            thread.start()
        server.wait_for(lambda: server.in_flight == 3)
        for thread in threads:
            thread.join(5)
    took_s = time.perf_counter() - began

    assert server.max_concurrency_seen == 3
    assert took_s >= 0.1


def test_cancelled_stream(server: FakeServer, gpt: openai.OpenAI) -> None:
    """The server knows that a client left in the middle of a paced stream."""
    server.reply(Reply(chunks=["word "] * 1000, delay_s=0.01))
    turns: Any = TURNS
    with gpt.chat.completions.create(model="m", messages=turns, stream=True) as stream:
        next(iter(stream))

    assert server.wait_closed(server.requests[0])


def test_wait_for_gives_up(server: FakeServer) -> None:
    """Waiting ends with an error that says where things stand."""
    with pytest.raises(TimeoutError, match="0 requests"):
        server.wait_requests(1, timeout_s=0.01)


def test_stop_leaves_nothing(client: httpx2.Client) -> None:
    """Stopping ends a stalled request at once, and the thread; the port is closed."""
    failed = []

    def wait(running: FakeServer) -> None:
        try:
            post(client, running, "chat", stream=False)
        except httpx2.TransportError as exc:
            failed.append(exc)

    with FakeServer(Fault.stall()) as server:
        waiting = threading.Thread(target=wait, args=(server,))
        waiting.start()
        server.wait_requests(1)
    waiting.join(5)

    assert len(failed) == 1
    assert not [t for t in threading.enumerate() if t.name == "fake-server"]
    assert not server.requests[0].closed_early
    with pytest.raises(httpx2.ConnectError):
        post(client, server, "chat", stream=False)


def test_failing_answer_fails_the_test(client: httpx2.Client) -> None:
    """An answer function that fails gives a 500, and its error at the end of the block."""

    def broken(seen: Seen) -> Reply:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"), FakeServer(broken) as server:
        assert post(client, server, "chat", stream=False).status_code == 500


def test_process(client: httpx2.Client) -> None:
    """The server runs in a process of its own, with the same answers, counted."""
    reply = ("--reply", '{"text": "Hi", "model": "served"}')
    with FakeProcess(*reply, "--on", "other", '{"text": "Other"}') as server:
        url = f"{server.base_url}/chat/completions"
        plain = client.post(url, json=BODIES["chat"]).json()
        other = client.post(url, json={**BODIES["chat"], "model": "other"}).json()
        stats = server.stats()

    assert (plain["model"], plain["choices"][0]["message"]["content"]) == ("served", "Hi")
    assert other["choices"][0]["message"]["content"] == "Other"
    assert (stats["count"], stats["max_concurrency_seen"], stats["in_flight"]) == (2, 1, 0)
