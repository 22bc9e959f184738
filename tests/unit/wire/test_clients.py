from __future__ import annotations

import asyncio

import httpx2
import pytest

from allos.wire.clients import Client

URL = "https://api.example:8443/v1/chat"
HEADERS = [(b"Authorization", b"Bearer x"), (b"Content-Type", b"application/json"), (b"X-A", b"1")]


def sent(
    method: str = "POST",
    body: bytes | None = b"{}",
    headers: list[tuple[bytes, bytes]] = HEADERS,
    replaced: dict[str, str] | None = None,
) -> list[httpx2.Request]:
    """Requests as the transport gets them: the same call, twice."""
    requests: list[httpx2.Request] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200)

    async def run() -> None:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        client = Client(http, "https://api.example:8443/v1", headers)
        for _ in range(2):
            await client.send(method, URL, timeout={}, body=body, headers=replaced)
        await client.close()

    asyncio.run(run())
    return requests


@pytest.mark.parametrize(
    ("method", "body"), [("POST", b"{}"), ("POST", "ä€".encode()), ("GET", None)]
)
def test_same_request_as_httpx2_makes(method: str, body: bytes | None) -> None:
    """Headers and body are those that httpx2 makes itself, whenever it is called."""
    expected = httpx2.Request(method, URL, headers=HEADERS, content=body)

    for request in sent(method, body):
        assert sorted(request.headers.multi_items()) == sorted(expected.headers.multi_items())
        assert request.content == (body or b"")


def test_headers_of_one_call() -> None:
    """They replace those of the client, and those of the next call are its own."""
    for request in sent(replaced={"x-a": "2", "x-b": "ü"}):
        assert request.headers.get_list("x-a") == ["2"]
        assert request.headers["x-b"] == "ü"
        assert request.headers["host"] == "api.example:8443"
    assert HEADERS[2] == (b"X-A", b"1")


def test_own_host_is_kept() -> None:
    """A host that the user has set is the only one."""
    for request in sent(headers=[*HEADERS, (b"host", b"gateway.example")]):
        assert request.headers.get_list("host") == ["gateway.example"]
