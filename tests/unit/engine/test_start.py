"""How a call starts, and what becomes of one that never goes out."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import NoReturn

import pytest

import allos
from allos import context, engine, wire
from allos.engine import runtime
from allos.errors import AllosError, ConfigurationError, MissingKeyError
from allos.response import ProviderResponse
from allos.wire.connection import Connection
from tests.support.decoding import request
from tests.support.layers import CONNECTION, Layer, prepared
from tests.support.observing import observing


def missing_key() -> NoReturn:
    raise MissingKeyError("No key for 'groq'.")


def test_what_cannot_connect_is_a_response() -> None:
    """A missing key is found out after the layers were asked, and is the error of the response."""
    seen: list[ProviderResponse] = []

    def keep(response: ProviderResponse) -> ProviderResponse:
        seen.append(response)
        return response

    call = engine.start(
        prepared(request("chat"), wire.get("chat"), connect=missing_key), [Layer(after=keep)]
    )
    response = call.wait(5)

    assert isinstance(response.error, MissingKeyError)
    assert (response.status, response.metadata["attempts"]) == ("error", 0)
    assert response.metadata["error_message"] == "No key for 'groq'."
    assert seen == [response]


def test_a_stop_while_it_connects_is_a_cancelled_response() -> None:
    """Ctrl-C while a server starts goes to the caller, and the layers see a cancelled response."""
    seen: list[ProviderResponse] = []

    def keep(response: ProviderResponse) -> ProviderResponse:
        seen.append(response)
        return response

    def stopped() -> NoReturn:
        raise KeyboardInterrupt

    call = prepared(request("chat"), wire.get("chat"), connect=stopped)
    with pytest.raises(KeyboardInterrupt):
        engine.start(call, [Layer(after=keep)])
    engine.start(prepared(request("chat"), wire.get("chat"), connect=missing_key), []).wait(5)

    assert [response.status for response in seen] == ["cancelled"]


def test_a_refused_request_goes_the_way_of_every_call() -> None:
    """What could not even be prepared is a response with its error, seen by those who observe."""
    error = ConfigurationError("There is no such parameter.")
    with observing() as seen, context.using(sample_index=3):
        response = engine.refuse(request("chat"), error).wait(5)

    assert response.error is error
    assert error.response is response
    assert response.context.sample_index == 3
    assert seen == [response]


def test_a_request_that_is_stopped_before_its_turn() -> None:
    """Without an error it was stopped: cancelled, and seen as well."""
    with observing() as seen:
        response = engine.refuse(request("chat"), None).wait(5)

    assert (response.status, response.error) == ("cancelled", None)
    assert seen == [response]


def test_layers_that_answer_are_not_asked_about_a_refused_request() -> None:
    """No budget is touched and no recording looked up for what is refused anyway."""
    called: list[str] = []
    layer = Layer(before=lambda _: called.append("asked"))
    allos.current_session().add_interceptor(layer)
    engine.refuse(request("chat"), AllosError("no")).wait(5)

    assert called == []


def test_a_task_that_is_cancelled_while_it_connects_keeps_no_client() -> None:
    """The connection that comes too late is given back, and the layers see a cancelled response."""
    seen: list[ProviderResponse] = []
    connecting, go_on = threading.Event(), threading.Event()
    connection = replace(CONNECTION, base_url="http://127.0.0.1:9/late")

    def keep(response: ProviderResponse) -> ProviderResponse:
        seen.append(response)
        return response

    def slow() -> Connection:
        connecting.set()
        go_on.wait(10)
        return connection

    async def cancelled() -> None:
        call = prepared(request("chat"), wire.get("chat"), connect=slow)
        task = asyncio.ensure_future(engine.astart(call, [Layer(after=keep)]))
        await asyncio.to_thread(connecting.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others)

    asyncio.run(cancelled())
    client = runtime.get().borrow(connection)

    assert client.calls == 1, "this one alone"
    runtime.get().give_back(client)
    assert [response.status for response in seen] == ["cancelled"]
