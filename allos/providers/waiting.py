"""Wait for a call: block a thread, or await in a coroutine; both can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from allos.engine.call import Call
from allos.errors import Interrupted
from allos.response import ProviderResponse

_CANCEL_TIMEOUT_S = 5.0
"""How long a cancelled call may take to close its connection and return its partial answer."""

_TICK_S = 0.1
"""Longest sleep of an event loop while a call is awaited."""


@contextmanager
def keep_loop_awake() -> Iterator[None]:
    """Wake the running event loop regularly: while it sleeps, it does not notice a kernel's interrupt."""
    import asyncio

    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        timer = loop.call_later(_TICK_S, tick)

    tick()
    try:
        yield
    finally:
        timer.cancel()


def wait_for_response(call: Call) -> ProviderResponse:
    """Wait for a call; Ctrl-C cancels it and raises `Interrupted` with the partial answer."""
    try:
        return call.wait()
    except KeyboardInterrupt:
        pass
    raise interrupted(call)


def interrupted(call: Call) -> Interrupted:
    """Cancel a call and return an exception with its partial answer."""
    call.cancel()
    try:
        response = call.wait(_CANCEL_TIMEOUT_S)
    except TimeoutError:
        return Interrupted("Interrupted; the call did not stop in time.")
    size = len(response.content)
    received = f"{size} characters had arrived and are kept" if size else "nothing had arrived"
    return Interrupted(f"Interrupted: {received}.", response)


def result(call: Call) -> ProviderResponse:
    """Wait for a call and raise its error, if it has one."""
    return raise_for_error(wait_for_response(call))


async def await_response(call: Call) -> ProviderResponse:
    """Await a call; cancelling the awaiting task cancels it."""
    import asyncio

    future = asyncio.wrap_future(call.future)
    try:
        with keep_loop_awake():
            await asyncio.wait([future])
        return future.result()
    except asyncio.CancelledError:
        call.cancel()
        await asyncio.wait([future], timeout=_CANCEL_TIMEOUT_S)
        raise


async def aresult(call: Call) -> ProviderResponse:
    """Await a call and raise its error, if it has one."""
    return raise_for_error(await await_response(call))


def raise_for_error(response: ProviderResponse) -> ProviderResponse:
    """Return a response, or raise its error."""
    if response.error is not None:
        raise response.error.with_traceback(None)
    return response
