"""The clients of the wire against the SDKs themselves: what a request bears, and what building one does."""

from __future__ import annotations

import asyncio

import pytest

from allos.secret import Secret
from allos.wire import clients
from allos.wire.anthropic_messages import ANTHROPIC
from allos.wire.connection import SDK, Connection
from allos.wire.http_io import encode_json
from allos.wire.openai_chat import OPENAI
from tests.support.fake_server import FakeServer


def connection(server: FakeServer, sdk: SDK, **changes: object) -> Connection:
    options = {"base_url": server.base_url, "api_key": Secret("sk-of-the-test"), "direct": True}
    return Connection(sdk=sdk, **{**options, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("sdk", [OPENAI, ANTHROPIC], ids=lambda sdk: sdk.name)
def test_headers_are_the_sdk_s(sdk: SDK) -> None:
    """A request bears what the SDK sends of itself, the key and the user's own headers, each once."""
    with FakeServer() as server:
        made = clients.make(connection(server, sdk, headers=(("X-Team", "red"),)))
        timeout = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}

        async def send() -> None:
            for team in (None, {"x-team": "blue"}):
                await made.send(
                    "POST",
                    f"{server.base_url}/chat/completions",
                    timeout=timeout,
                    body=b'{"model": "m", "messages": []}',
                    headers=team,
                )
            await made.close()

        asyncio.run(send())
        first, second = (seen.headers for seen in server.requests)

    assert first["authorization"] == "Bearer sk-of-the-test"
    assert sdk.name in first["user-agent"].lower()
    assert first["content-type"] == "application/json"
    assert first["content-length"] == "30"
    assert first["host"] == f"127.0.0.1:{server.port}"
    assert (first["x-team"], second["x-team"]) == ("red", "blue")
    assert ("anthropic-version" in first) is (sdk is ANTHROPIC)
    assert not [name for name, value in first.items() if ", " in value and name == "host"]


def test_building_sends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The request that gives the headers goes nowhere, and no log tells of it or of the key."""
    with FakeServer() as server, caplog.at_level("INFO"):
        for sdk in (OPENAI, ANTHROPIC):
            clients.make(connection(server, sdk))

        assert server.connections_seen == 0
    assert caplog.records == []


def test_body_is_compact_and_always_encodable() -> None:
    """Letters go out as they are; half an emoji, which UTF-8 cannot say, is escaped."""
    assert encode_json({"a": "ü", "b": [1, None]}) == '{"a":"ü","b":[1,null]}'.encode()
    assert encode_json({"a": "\ud83d"}) == rb'{"a":"\ud83d"}'
