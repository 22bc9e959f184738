"""Why a request has no recorded answer: one line, without the text of the prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allos.hashing import request_hash
from allos.messages import Message
from allos.parts import Image
from allos.replaying.miss_explanation import explain_miss
from allos.replaying.recorded_answer import line_of
from allos.replaying.replay_file import Entry, Key
from allos.request import Request, ToolSpec
from allos.response import ProviderResponse
from tests.support.pictures import JPEG, PNG


def a_request(*turns: Message, **changes: Any) -> Request:
    request = Request(
        provider="groq",
        endpoint="groq",
        api="chat",
        base_url="",
        model="m",
        messages=turns or (Message("system", "Be terse"), Message("user", "Secret words")),  # type: ignore[arg-type]
        params={"temperature": 0.2},
    )
    request = replace(request, **changes)
    return replace(request, request_hash=request_hash(request, request.sample))


def entries(*requests: Request) -> dict[Key, Entry]:
    found: dict[Key, Entry] = {}
    for number, request in enumerate(requests, start=1):
        assert request.request_hash
        key = request.request_hash, 0
        found[key] = Entry(key, number, line_of(ProviderResponse("x", request=request), 0))
    return found


def reason(request: Request, *recorded: Request, number: int = 0) -> str:
    assert request.request_hash
    message = explain_miss(request, (request.request_hash, number), entries(*recorded), "a.jsonl")
    head = f"No recorded answer for {request.provider}/{request.model} (request "
    tail = (
        '. Nothing was sent. Record it with mode="record", or use mode="replay", which sends '
        "requests that are not recorded."
    )

    assert message.startswith(head + request.request_hash[:12] + ") in 'a.jsonl': ")
    assert message.endswith(tail)
    assert "\n" not in message
    assert "Secret" not in message
    return message[message.index(": ") + 2 : -len(tail)]


IMAGES: Any = [["See", Image(data=data)] for data in (PNG, JPEG)]
USER: Any = "user"


@pytest.mark.parametrize(
    ("recorded", "now", "message"),
    [
        (
            a_request(),
            a_request(params={"temperature": 0.7, "max_tokens": 5}),
            "differs in temperature (0.2 recorded, 0.7 requested) and max_tokens (none recorded, 5 requested)",
        ),
        (a_request(), a_request(model="n"), "differs in model (m recorded, n requested)"),
        (
            a_request(),
            a_request(api="responses"),
            "differs in api (chat recorded, responses requested)",
        ),
        (a_request(), a_request(sample=2), "differs in sample (0 recorded, 2 requested)"),
        (a_request(), a_request(tools=(ToolSpec(name="f"),)), "differs in tools"),
        (a_request(), a_request(extra={"x": 1}), "differs in extra"),
        (
            a_request(Message(USER, "Secret words")),
            a_request(Message(USER, "Secret word!")),
            "differs in message 1 of 1 (user, from character 12)",
        ),
        (
            a_request(Message(USER, "Hi"), Message("assistant", "a"), Message("tool", "1:02")),  # type: ignore[arg-type]
            a_request(Message(USER, "Hi"), Message("assistant", "a"), Message("tool", "1:03")),  # type: ignore[arg-type]
            "differs in message 3 of 3 (tool)",
        ),
        (
            a_request(Message(USER, "Hi")),
            a_request(),
            "differs in the number of messages (1 recorded, 2 requested)",
        ),
        (
            a_request(Message(USER, IMAGES[0])),
            a_request(Message(USER, IMAGES[1])),
            "differs in message 1 of 1 (user, in its images or files)",
        ),
        (
            a_request(Message(USER, "Secret" * 100 + "a")),
            a_request(Message(USER, "Secret" * 100 + "b")),
            "differs in message 1 of 1 (user, after character 200)",
        ),
    ],
)
def test_what_differs(recorded: Request, now: Request, message: str) -> None:
    """Each part that differs is named, with its values where they are short and no prompt."""
    assert reason(now, recorded) == f"the closest record, line 1, {message}"


def test_closest() -> None:
    """Endpoint and model go before all else, then what differs least, then how the prompt begins."""
    recorded = [
        a_request(endpoint="openai"),
        a_request(model="n"),
        a_request(Message(USER, "Secret number"), params={}),
        a_request(Message(USER, "Some secret")),
        a_request(Message(USER, "Secret word")),
    ]

    assert reason(a_request(Message(USER, "Secret words")), *recorded).startswith(
        "the closest record, line 5, differs in message 1 of 1 (user, from character 12)"
    )


def test_more_often_than_recorded() -> None:
    """A request that is recorded, but not so often, says so."""
    assert (
        reason(a_request(), a_request(), number=1)
        == "it was made 2 times in this run and is recorded once"
    )


def test_empty_file() -> None:
    """Nothing recorded is a reason of its own."""
    assert reason(a_request()) == "nothing is recorded yet"
