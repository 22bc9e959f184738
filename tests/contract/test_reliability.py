"""Long runs on a server that fails at random: no call is lost, and every one ends in a typed way.

A third of each run goes to each API. The chances are seeded; which call meets which fault depends
on the threads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import pytest

import allos
from allos import errors
from allos.providers import ProviderResponse
from tests.contract.conftest import Make
from tests.support.fake_server import Call, FakeServer, Fault, Raw, Reply, Seen

IN_FLIGHT = 32


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "log.sqlite"
    allos.log.open(path)
    yield path
    allos.log.close()


def test_no_call_is_lost(server: FakeServer, make: Make, log: Path) -> None:
    """Calls under 5 % 429, 5 % 500 and 2 % resets are all answered, each its own, each a row."""
    calls = 334
    server.reply(lambda seen: Reply(f"answer to {seen.prompt}", chunk_size=9, first_delay_s=0.02))
    server.odds(
        (0.05, Fault.status(429, retry_after=0.01)),
        (0.05, Fault.status(500)),
        (0.02, Fault.reset()),
        seed=7,
    )
    # With n attempts a call is lost with a chance of 0.12 ** n: at eight, one run in 25,000.
    provider = make(max_attempts=8)

    def ask(number: int) -> ProviderResponse:
        if number % 2:
            return provider.chat(f"<{number}>")
        with provider.stream(f"<{number}>") as stream:
            text = "".join(stream)
        assert stream.response is not None
        assert text == stream.response.content
        return stream.response

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        responses = list(pool.map(ask, range(calls)))
    rows = allos.responses()
    failed = Counter(
        entry["error_type"] for r in responses for entry in r.metadata.get("retry_log", ())
    )

    assert [r.content for r in responses] == [f"answer to <{n}>" for n in range(calls)]
    assert len(rows) == calls
    assert set(rows["status"]) == {"ok"}
    assert sorted(rows["content"]) == sorted(r.content for r in responses)
    assert sum(r.metadata["attempts"] for r in responses) == server.count
    assert sum(failed.values()) == server.count - calls
    assert set(failed) == {"RateLimitError", "ServerError", "ProviderConnectionError"}
    assert server.max_concurrency_seen > IN_FLIGHT // 2


TEXT = "The quick brown fox jumps over the lazy dog. " * 6
TIMEOUT_S, DEADLINE_S = 4.0, 8.0  # a busy machine needs a second to connect
PART = {"after_deltas": 4, "reply": Reply(TEXT)}
ENDS: dict[str, tuple[type[errors.ProviderError], ...]] = {
    "reset": (errors.IncompleteStreamError,),
    "drop": (errors.IncompleteStreamError,),
    "truncate": (errors.IncompleteStreamError,),
    "malformed": (errors.IncompleteStreamError,),
    "stall": (errors.ProviderTimeoutError,),
    "drip": (errors.ProviderTimeoutError,),
    "error_event": (errors.ServerError,),
    "call_cut": (errors.IncompleteStreamError,),
    "page": (errors.InvalidResponseError,),
    "noise": (errors.IncompleteStreamError, errors.InvalidResponseError),
}
FAULTS = {
    "reset": Fault.reset(**PART),
    "drop": Fault.drop(**PART),
    "truncate": Fault.truncate(**PART),
    "malformed": Fault.malformed(**PART),
    "stall": Fault.stall(**PART),
    "drip": Fault.drip(size=96, delay_s=0.05, reply=Reply(TEXT * 8)),
    "error_event": Fault.error_event(**PART),
    "call_cut": Fault.truncate(after_deltas=2, reply=Reply(tool_calls=[Call("f", {"t": TEXT})])),
    "page": Fault.html(),
    "noise": Raw(b"data: \xff\xfe{]\r\n\r\nevent: \x00\n\ndata: [1, 2]\n\n", "text/event-stream"),
}
LIBRARIES = re.compile(
    r"httpx|aiohttp|openai\.|anthropic\.|JSONDecode|Traceback|<class|0x[0-9a-f]{6}"
)


def test_every_stream_ends_in_a_typed_way(server: FakeServer, make: Make, log: Path) -> None:
    """Streams that break in ten ways end as an answer or as a typed error with what had come."""
    calls = 667
    met: dict[str, str] = {}

    def answer(seen: Seen) -> Reply | Raw | Fault:
        name = seen.prompt.rpartition(" ")[2]
        met[seen.prompt] = name
        return FAULTS.get(name, Reply(TEXT))

    server.reply(answer)
    # Half of the calls meet a fault, each kind alike; one attempt each, so that what it met is known.
    kinds = [kind for pair in zip(FAULTS, ["fine"] * len(FAULTS), strict=True) for kind in pair]
    provider = make(timeout_s=TIMEOUT_S, deadline_s=DEADLINE_S, max_attempts=1)

    def ask(number: int) -> tuple[str, ProviderResponse, float]:
        kind = kinds[number % len(kinds)]
        started, pieces, response = perf_counter(), [], None
        try:
            with provider.stream(f"{number} {kind}") as stream:
                for piece in stream:
                    pieces.append(piece)  # noqa: PERF402 - what came before the error counts
            response = stream.response
        except errors.ProviderError as exc:
            response = exc.response
        assert response is not None
        assert response.content == "".join(pieces)
        return kind, response, perf_counter() - started

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        ended = list(pool.map(ask, range(calls)))
    rows = allos.responses()
    status = Counter(response.status for _, response, _ in ended)

    assert len(met) == server.count == len(rows) == calls
    assert rows["status"].value_counts().to_dict() == dict(status)
    assert sorted(rows["content"].fillna("")) == sorted(
        response.content for _, response, _ in ended
    )
    assert max(took for *_, took in ended) < DEADLINE_S + 3
    for kind, response, _ in ended:
        if kind == "fine":
            assert (response.status, response.content) == ("ok", TEXT), response.error
            continue
        error = response.error
        assert type(error) in ENDS[kind], (kind, error)
        assert error.__cause__ is None
        assert not LIBRARIES.search(str(error)), str(error)
        if kind in ("page", "noise", "call_cut"):
            assert response.content == ""
            assert [call.name for call in response.tool_calls] == ["f"] * (kind == "call_cut")
        else:
            assert 0 < len(response.content) < len(TEXT * 8)
            assert (TEXT * 8).startswith(response.content)


@pytest.mark.parametrize("hint", [86400, "86400", "Sun, 22 Nov 2099 10:00:00 GMT"])
def test_a_day_is_not_waited_for(server: FakeServer, make: Make, hint: object) -> None:
    """A Retry-After of a day fails at once, and no further request is sent."""
    date = {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    server.reply(Fault.status(429, retry_after=hint, headers=date))  # type: ignore[arg-type]
    provider = make(api_key=f"sk-patience-{hint}".replace(" ", ""))
    started = perf_counter()
    for _ in range(2):
        with pytest.raises(errors.RateLimitError, match=r"asks to wait \d+ hours") as caught:
            provider.chat("Hi")

        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 80000
    assert perf_counter() - started < 3
    assert server.count == 1
