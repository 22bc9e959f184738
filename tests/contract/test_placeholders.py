"""A placeholder is not a value: what cannot mean anything at its place decides nothing."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from allos import errors
from allos.profiles import Api
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.support.fake_server import FakeServer, Raw, Reply, Seen, Sse
from tests.support.fake_server.ask import Ask as Asked
from tests.support.fake_server.plan import APIS as FAKES

ASKED = Asked(model="m", stream=True, include_usage=True, encrypted=False, created=1)
USAGE = {"input_tokens": 9, "output_tokens": 4}
NOTHING = ["", "null", "None", " ", None, 0, False]


def events_of(api: Api, **changes: Any) -> list[tuple[str | None, Any]]:
    reply = Reply("One two three", chunk_size=4, usage=USAGE, **changes)
    return [(e.name, copy.deepcopy(e.data)) for e in FAKES[api].events(reply, ASKED)]


def streamed(server: FakeServer, provider: Provider, events: list[Any]) -> ProviderResponse:
    server.reply(Raw.sse(events, style=Sse(done=False)))
    with provider.stream("Hi") as stream:
        list(stream)
    assert stream.response is not None
    return stream.response


# ---- the end of a stream


def pieces_with(api: Api, end: Any) -> list[Any]:
    """A cut stream, each piece of which says `end` where the end would stand."""
    events: list[Any] = []
    for name, data in events_of(api):
        if data == "[DONE]":
            break
        if api == "chat" and data["choices"]:
            if data["choices"][0]["finish_reason"]:
                break
            data["choices"][0]["finish_reason"] = end
        if api == "messages":
            if name in ("message_delta", "message_stop"):
                break
            if name == "message_start":
                data["message"]["stop_reason"] = end
            if name == "content_block_delta":
                events.append((None, {"type": "message_delta", "delta": {"stop_reason": end}}))
        if api == "responses":
            if name in ("response.completed", "response.output_text.done"):
                break
            if "response" in data:
                data["response"]["status"] = end
        events.append((name, data))
    return events


@pytest.mark.parametrize("end", NOTHING)
def test_no_end(server: FakeServer, make: Make, api: Api, end: Any) -> None:
    """An end that says nothing, in every piece, is none: a cut stream is an error with its part."""
    with pytest.raises(errors.IncompleteStreamError) as caught:
        streamed(server, make(max_attempts=1), pieces_with(api, end))

    assert caught.value.response is not None
    assert caught.value.response.content == "One two three"


@pytest.mark.parametrize("end", ["stop", "end_turn"])
def test_an_end_beside_every_piece(server: FakeServer, make: Make, end: str) -> None:
    """A reason that each piece has is no end; the closing mark is."""
    events = pieces_with("chat", end)
    provider = make(max_attempts=1, api="chat")
    with pytest.raises(errors.IncompleteStreamError):
        streamed(server, provider, events)
    response = streamed(server, provider, [*events, (None, "[DONE]")])

    assert (response.content, response.finish_reason) == ("One two three", "stop")


@pytest.mark.parametrize("end", ["stop", "", "null"])
def test_a_pause_is_no_end(
    server: FakeServer, make: Make, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """A pause after a piece that has a reason, as every piece has, does not end the answer."""
    monkeypatch.setattr("allos.wire.http_io._TAIL_S", 0.01)
    events = [*pieces_with("chat", end), (None, "[DONE]")]
    server.reply(replace(Raw.sse(events, style=Sse(done=False)), delay_s=0.05))
    with make(api="chat").stream("Hi") as stream:
        text = "".join(stream)

    assert text == "One two three"


@pytest.mark.parametrize("end", NOTHING)
@pytest.mark.parametrize("api", ["chat", "messages"])
def test_nothing_behind_the_end(server: FakeServer, make: Make, api: Api, end: Any) -> None:
    """A placeholder after the real end takes nothing back; that of Responses closes the stream."""
    events = events_of(api, finish="length")
    late = {"choices": [{"index": 0, "delta": {}, "finish_reason": end}]}
    if api == "messages":
        late = {"type": "message_delta", "delta": {"stop_reason": end}}
    events.insert(-1, (None, late))
    response = streamed(server, make(api=api), events)

    assert response.finish_reason == "length"


@pytest.mark.parametrize("status", ["", "null", None, "in_progress", "queued"])
def test_status_of_the_last_event(server: FakeServer, make: Make, status: Any) -> None:
    """The last event of Responses is the end, also with the status of the first one."""
    events = events_of("responses")
    events[-1][1]["response"]["status"] = status
    response = streamed(server, make(api="responses"), events)

    assert (response.status, response.finish_reason) == ("ok", "stop")


# ---- numbers of choices


@pytest.mark.parametrize("numbers", ["counted", "from 1", "text", "missing", "moved"])
def test_numbers_of_the_answer(server: FakeServer, make: Make, numbers: str) -> None:
    """One answer is read, whatever number its pieces have."""
    events = events_of("chat")
    for n, (_, data) in enumerate(events):
        if data == "[DONE]" or not data["choices"]:
            continue
        choice = data["choices"][0]
        found = {"counted": n, "from 1": 1, "text": "0", "moved": min(n, 1)}
        choice.pop("index")
        if numbers in found:
            choice["index"] = found[numbers]
    response = streamed(server, make(api="chat"), events)

    assert (response.content, response.finish_reason) == ("One two three", "stop")


@pytest.mark.parametrize("opens", [True, False])
def test_other_answers_are_kept_apart(server: FakeServer, make: Make, opens: bool) -> None:
    """Of several answers that come unasked the first is read; the others are kept as they came."""

    def chunk(index: int, text: str, finish: str | None = None) -> tuple[None, Any]:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
        return None, {"choices": [choice]}

    opening = [chunk(0, ""), chunk(1, "")] if opens else []
    pieces = [("A", 0), ("x", 1), ("B", 0), ("y", 1), ("z", 1), ("C", 0)]
    end = [chunk(1, "", "length"), chunk(0, "", "stop"), (None, "[DONE]")]
    events = [*opening, *(chunk(n, text) for text, n in pieces), *end]
    response = streamed(server, make(api="chat"), events)
    kept = json.dumps(response.metadata["response_extra"])

    assert (response.content, response.finish_reason) == ("ABC", "stop")
    assert all(f'"content": "{text}"' in kept for text in "xyz")


def test_other_answers_of_a_whole_response(server: FakeServer, make: Make) -> None:
    """The same in one piece, in any order."""
    choices = [
        {"index": n, "message": {"content": text}, "finish_reason": "stop"}
        for n, text in ((1, "other"), (0, "first"))
    ]
    server.reply(Raw.json({"choices": choices}))
    response = make(api="chat").chat("Hi")

    assert response.content == "first"
    assert "other" in json.dumps(response.metadata["response_extra"])


# ---- sums


def place(api: Api, data: Any) -> dict[str, Any] | None:
    """The object of an event that holds the usage."""
    if not isinstance(data, dict):
        return None
    found = data.get("response") or data.get("message") or data
    return found if isinstance(found, dict) and found.get("usage") else None


def zeros(usage: Any) -> Any:
    if isinstance(usage, dict):
        return {name: zeros(value) for name, value in usage.items()}
    return 0 if isinstance(usage, int) else usage


def nulls(usage: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(usage)


@pytest.mark.parametrize("placeholder", [zeros, nulls, lambda usage: {}, lambda usage: None])
def test_usage_of_zeros_after_the_real_one(
    server: FakeServer, provider: Provider, api: Api, placeholder: Any
) -> None:
    """Counts are never replaced by a placeholder, wherever it comes."""
    events = events_of(api)
    at = max(n for n, (_, data) in enumerate(events) if place(api, data))
    usage = place(api, events[at][1])["usage"]  # type: ignore[index]
    empty: dict[str, Any] = {"usage": placeholder(usage)}
    if api == "chat":
        late = (None, {"choices": [], **empty})
        events.insert(at + 1, late)
        events.insert(1, late)
    elif api == "messages":
        events.insert(at + 1, ("message_delta", {"type": "message_delta", "delta": {}, **empty}))
    else:
        events.insert(1, ("response.in_progress", {"type": "response.in_progress", **empty}))
    metadata = streamed(server, provider, events).metadata

    assert (metadata["input_tokens"], metadata["output_tokens"]) == (9, 4)
    assert metadata["total_tokens"] == 13


def test_usage_of_zeros_alone(server: FakeServer, provider: Provider, ask: Ask, api: Api) -> None:
    """An answered call of no tokens is one whose usage is unknown, and so is its cost."""

    def answer(seen: Seen) -> Raw:
        if seen.stream:
            events = events_of(api)
            for _, data in events:
                if (found := place(api, data)) is not None:
                    found["usage"] = zeros(found["usage"])
            return Raw.sse(events)
        whole = copy.deepcopy(FAKES[api].complete(Reply("Hi", usage=USAGE), ASKED))
        whole["usage"] = zeros(whole["usage"])
        return Raw.json(whole)

    server.reply(answer)
    metadata = ask(provider).metadata

    assert metadata["usage_source"] == "missing"
    assert not {"input_tokens", "output_tokens", "total_tokens", "cost_usd"} & set(metadata)
    assert metadata["usage"]


@pytest.mark.parametrize("part", ["input_tokens", "output_tokens"])
def test_one_count_of_zero(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, part: str
) -> None:
    """A prompt of no tokens, or an answer of none, is an unknown count; the other is kept."""
    server.reply(Reply("Hi", usage={**USAGE, part: 0}))
    metadata = ask(provider).metadata
    other = "input_tokens" if part == "output_tokens" else "output_tokens"

    assert part not in metadata
    assert metadata[other] == USAGE[other]
    assert "total_tokens" not in metadata
    assert "cost_usd" not in metadata


def test_running_totals(server: FakeServer, make: Make) -> None:
    """Totals that come with every piece replace each other, and leave the last one."""
    events = events_of("chat")
    usage = {"prompt_tokens": 9, "total_tokens": 0}
    for n, (_, data) in enumerate(events):
        if isinstance(data, dict):
            data["usage"] = {**usage, "completion_tokens": n}
    last = max(n for n, (_, data) in enumerate(events) if isinstance(data, dict))
    metadata = streamed(server, make(api="chat"), events).metadata

    assert (metadata["input_tokens"], metadata["output_tokens"]) == (9, last)


# ---- names and ids


@pytest.mark.parametrize("empty", ["", "null", None, 0, []])
def test_empty_names(server: FakeServer, provider: Provider, api: Api, empty: Any) -> None:
    """An id or a model that is told once stays, although later events leave it empty."""
    reply = events_of(api)
    told = False
    for _, data in reply:
        found = data.get("response") or data.get("message") or data if data != "[DONE]" else {}
        if "model" in found:
            if told:
                found["id"] = found["model"] = empty
            told = True
    metadata = streamed(server, provider, reply).metadata

    assert metadata["response_model"] == "m"
    assert metadata["response_id"]
    assert metadata["response_id"] != "null"


def test_an_id_for_each_piece(server: FakeServer, make: Make) -> None:
    """Of ids that change with every piece the first is kept."""
    events = events_of("chat")
    for n, (_, data) in enumerate(events):
        if isinstance(data, dict):
            data["id"] = f"id-{n}"

    assert streamed(server, make(api="chat"), events).metadata["response_id"] == "id-0"


# ---- what has no place


@pytest.mark.parametrize("odd", ["ping", "[1, 2]", '"text"'])
def test_events_that_are_no_object(
    server: FakeServer, provider: Provider, api: Api, odd: str
) -> None:
    """Data that is no object does not end a stream, and is kept as it came."""
    events = events_of(api)
    response = streamed(server, provider, [events[0], (None, odd), *events[1:]])
    (kept,) = response.metadata["response_extra"]["unplaced"]

    assert response.content == "One two three"
    assert kept["data"] == (odd if odd == "ping" else json.loads(odd))


def test_what_has_no_place_is_kept_up_to_a_size(server: FakeServer, make: Make) -> None:
    """What is too large to keep is counted."""
    events = events_of("chat")
    odd = [(None, "x" * 40_000)] * 4
    response = streamed(server, make(api="chat"), [events[0], *odd, *events[1:]])
    kept = response.metadata["response_extra"]["unplaced"]

    assert [len(str(entry["data"])) for entry in kept] == [40_000, 1]
    assert kept[-1] == {"what": "too large to keep", "data": 3}
