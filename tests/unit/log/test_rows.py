from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.context import RunContext
from allos.errors import RateLimitError
from allos.log.clean_values import clean_row
from allos.log.columns import STORED_NAMES
from allos.log.rows import COMPRESS_FROM_BYTES, pack, raw_of, row_of, to_micros, unpack
from allos.messages import Message, MessageRole, ToolCall
from allos.parts import File, Image, base64_of
from allos.profiles import Api
from allos.request import Request
from allos.response import ProviderResponse
from tests.support.decoding import APIS, body
from tests.support.pictures import PDF, PNG

FACTS = {"session_id": "process", "user": "ada", "host": "box", "git_commit": None}


def row(response: ProviderResponse) -> dict[str, Any]:
    return dict(zip(STORED_NAMES, row_of(response, FACTS), strict=True))


def test_a_bare_response_is_null_all_over() -> None:
    """What nobody knows is NULL: no 0, no empty text, no guess."""
    known = {name: value for name, value in row(ProviderResponse()).items() if value is not None}

    assert known == {
        "status": "ok",
        "replayed": 0,
        "session_id": "process",
        "user": "ada",
        "host": "box",
    }


def test_facts_come_from_their_places(make_response) -> None:
    """Call facts come from metadata, texts from attributes, the prompt from the request."""
    found = row(make_response(3))

    assert found["id"] == "01HF0000000000000000000003"
    assert found["provider"] == "groq"
    assert found["input_tokens"] == 13
    assert found["stream"] == 1
    assert json.loads(found["params"]) == {"temperature": 0.2, "max_tokens": 64}
    assert (found["system"], found["prompt"]) == ("Be terse.", "Question 3")
    assert json.loads(found["messages"])[1] == {"role": "user", "content": "Question 3"}
    assert found["content"] == "Answer 3"
    assert found["request_hash"] == f"{3:064x}"
    assert found["completed_at"] - found["created_at"] == 250_001


def test_context_fills_its_columns_and_goes_before_the_process(make_response) -> None:
    """Provenance of the call overrides that of the process; empty fields stay NULL."""
    context = RunContext(
        session_id="mine",
        notebook="a.ipynb",
        cell_id="c1",
        execution_count=7,
        comparison_id="cmp",
        run_id="run",
        sample_index=0,
        conversation_id="conv",
        parent_id="parent",
        variables={"topic": "tides"},
        tags=("a", "b"),
        metadata={"when": datetime(2026, 1, 1, tzinfo=UTC)},
    )
    found = row(make_response(context=context))

    assert found["session_id"] == "mine"
    assert found["sample_index"] == 0
    assert (found["comparison_id"], found["run_id"]) == ("cmp", "run")
    assert (found["conversation_id"], found["parent_id"]) == ("conv", "parent")
    assert (found["notebook"], found["cell_id"], found["execution_count"]) == ("a.ipynb", "c1", 7)
    assert found["variables"] == '{"topic":"tides"}'
    assert found["tags"] == '["a","b"]'
    assert json.loads(found["metadata"]) == {"when": "2026-01-01T00:00:00Z"}


def test_an_error_fills_its_columns() -> None:
    """An error without facts in the metadata gives its class, its message and the status."""
    found = row(ProviderResponse(error=RateLimitError("slow down")))

    assert found["status"] == "error"
    assert found["error_type"] == "RateLimitError"
    assert found["error_message"] == "slow down"


def test_the_metadata_of_an_error_goes_first() -> None:
    """What the engine wrote about an error is not replaced."""
    facts = {"error_type": "X", "error_message": "Y", "status": "cancelled"}
    found = row(ProviderResponse(error=RateLimitError("slow down"), metadata=facts))

    assert (found["status"], found["error_type"], found["error_message"]) == ("cancelled", "X", "Y")


def test_tool_calls_and_tool_turns_are_json(make_response) -> None:
    """Tool calls stand in the row and in the messages, failed arguments as written."""
    calls = [ToolCall("1", "add", {"a": 1}), ToolCall("2", "add", {}, "{a", "not JSON")]
    request = Request(
        provider="x",
        api="chat",
        base_url="http://x",
        model="m",
        messages=(
            Message(MessageRole.ASSISTANT, None, tool_calls=(calls[0],)),
            Message(MessageRole.TOOL, "2", tool_call_id="1"),
        ),
    )
    found = row(make_response(tool_calls=calls, request=request))

    assert json.loads(found["tool_calls"]) == [
        {"id": "1", "name": "add", "arguments": {"a": 1}},
        {"id": "2", "name": "add", "arguments": {}, "raw_arguments": "{a", "error": "not JSON"},
    ]
    assert json.loads(found["messages"]) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "name": "add", "arguments": {"a": 1}}],
        },
        {"role": "tool", "content": "2", "tool_call_id": "1"},
    ]


def test_an_address_loses_what_may_hold_a_key(make_response) -> None:
    """User, password, query and fragment of the address are not kept."""
    url = "https://ada:secret@example.org:8080/v1?key=secret#secret"
    found = row(make_response(metadata={"base_url": url}))

    assert found["base_url"] == "https://example.org:8080/v1"


@given(st.integers(-2 * 10**15, 7 * 10**15), st.integers(-12, 14))
def test_micros_are_exact_in_every_zone(micros: int, hours: int) -> None:
    """No microsecond is lost, and the zone does not matter."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)

    assert to_micros(moment.astimezone(timezone(timedelta(hours=hours)))) == micros


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=settings.default.max_examples // 3)
@given(st.dictionaries(st.text(), json_values, min_size=1))
def test_raw_json_comes_back(body: dict[str, Any]) -> None:
    """What was packed is unpacked as the same JSON value."""
    text = unpack(pack(body))

    assert text is not None
    assert json.loads(text) == body


@pytest.mark.parametrize("reply", ["xyz", b"x\xff", "a" * 5000, b"{}", "\ud800"])
def test_raw_replies_that_are_no_json_come_back_readable(reply: str | bytes) -> None:
    """A reply that is text or bytes survives, bytes that are no UTF-8 as far as they can."""
    text = unpack(pack(reply))
    wanted = reply.encode("utf-8", "backslashreplace") if isinstance(reply, str) else reply

    assert text == wanted.decode("utf-8", "replace")


def test_long_raw_json_is_deflated() -> None:
    """A long body takes far less room than its text."""
    body = {"text": "the same again " * 1000}
    packed = pack(body)

    assert packed is not None
    assert len(packed) < COMPRESS_FROM_BYTES


def test_no_raw_row_without_request_and_reply() -> None:
    """A response that knows neither body nor reply has no row in the raw table."""
    assert raw_of(ProviderResponse(id="x")) is None


def test_a_cleaned_row_holds_only_what_sqlite_takes(make_response) -> None:
    """Odd values become text, a number or NULL, column by column."""
    odd = {
        "max_tokens": 2**70,
        "seed": "many",
        "top_p": "0.5",
        "service_tier": ["a"],
        "input_tokens": 4.0,
    }
    response = make_response(content="ok \ud83d\ude00 bad \ud800", metadata=odd)
    found = dict(zip(STORED_NAMES, clean_row(row_of(response, FACTS)), strict=True))

    assert (found["max_tokens"], found["seed"], found["input_tokens"]) == (None, None, 4)
    assert found["top_p"] == 0.5
    assert found["service_tier"] == '["a"]'
    assert found["content"] == "ok 😀 bad �"


def test_pictures_are_kept_by_their_hash(make_response) -> None:
    """Of images and files the log keeps kind, size and hash, and of an address the address."""
    image, paper = Image(data=PNG, detail="low"), File(data=PDF, name="paper.pdf")
    linked = Image(url="https://x.org/a.png")
    found = row(make_response(prompt=["See", image, linked, paper, "and tell"]))

    assert found["prompt"] == "See\nand tell"
    assert json.loads(found["messages"])[1]["content"] == [
        {"type": "text", "text": "See"},
        {
            "type": "image",
            "media_type": "image/png",
            "size_bytes": len(PNG),
            "sha256": image.content_hash,
            "detail": "low",
        },
        {"type": "image", "url": "https://x.org/a.png"},
        {
            "type": "file",
            "name": "paper.pdf",
            "media_type": "application/pdf",
            "size_bytes": len(PDF),
            "sha256": paper.content_hash,
        },
        {"type": "text", "text": "and tell"},
    ]
    assert row(make_response(prompt=[image]))["prompt"] is None, "no text is NULL"


@pytest.mark.parametrize("api", APIS)
def test_raw_request_is_kept_without_base64(make_response, api: Api) -> None:
    """The raw request keeps everything but the bytes of images and files."""
    content = ["See data:x;base64,AAAA", Image(data=PNG), File(data=PDF, name="paper.pdf")]
    message = Message(MessageRole.USER, content)
    sent = body(api, message).body
    stored = raw_of(make_response(prompt=content, body=sent))
    assert stored is not None
    text = unpack(stored[1])
    assert text is not None

    assert base64_of(content[1])[:40] not in text
    assert base64_of(content[2])[:40] not in text
    assert f"({len(base64_of(content[1])):,} characters of base64)" in text
    assert "See data:x;base64,AAAA" in text
    assert "paper.pdf" in text


def test_raw_request_of_text_is_whole(make_response) -> None:
    """A prompt that only looks like an image is text, and is kept."""
    prompt = "data:image/png;base64,AAAA"
    stored = raw_of(make_response(prompt=prompt, body={"messages": [{"content": prompt}]}))

    assert stored is not None
    assert prompt in str(unpack(stored[1]))


def test_images_that_go_back_are_not_logged_again() -> None:
    """A request that carries the images of an earlier answer is kept without their bytes."""
    data = base64_of(Image(data=PNG))
    raw = ({"type": "image_generation_call", "id": "ig", "result": data},)
    turn = Message("assistant", "Done", raw=raw)
    asked = Request(
        provider="p",
        api="responses",
        base_url="",
        model="m",
        messages=(turn, Message("user", "Bluer")),
    )
    body = {"input": [*raw, {"role": "user", "content": "Bluer"}]}
    kept = raw_of(ProviderResponse("Here", id="one", request=asked, body=body))

    assert kept is not None
    assert data not in str(unpack(kept.request))
    assert "characters of base64" in str(unpack(kept.request))


def test_credentials_in_urls_of_images_are_not_logged(make_response) -> None:
    """Neither the messages nor the request as it was sent hold a password or a signature."""
    url = "https://ada:pa55@x.org/a.png?w=1&X-Amz-Signature=0123456789abcdef"
    masked = "https://***@x.org/a.png?w=1&X-Amz-Signature=***"
    sent = {"messages": [{"content": [{"type": "image_url", "image_url": {"url": url}}]}]}
    response = make_response(prompt=["See", Image(url=url)], body=sent)
    raw = raw_of(response)

    assert json.loads(row(response)["messages"])[1]["content"][1]["url"] == masked
    assert raw is not None
    assert json.loads(unpack(raw.request) or "")["messages"][0]["content"][0]["image_url"] == {
        "url": masked
    }
    assert repr(Image(url="https://ada:pa55@x.org/a.png")) == "Image(url='https://***@x.org/a.png')"
    assert sent["messages"][0]["content"][0]["image_url"]["url"] == url
