"""How a caller waits for a call: a thread blocks, a coroutine awaits; both may be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from allos.engine.call import Call
from allos.errors import Interrupted
from allos.response import ProviderResponse

_WRAP_UP_S = 5.0
"""How long a stopped call may take to close its connection and hand over what had arrived."""

_TICK_S = 0.1
"""How long an event loop sleeps at most while a call is awaited."""


@contextmanager
def ticking() -> Iterator[None]:
    """Wake the running event loop now and then: one that sleeps does not notice a kernel's stop button."""
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


def settle(call: Call) -> ProviderResponse:
    """Wait for a call; Ctrl-C stops it and raises `Interrupted` with the partial answer."""
    try:
        return call.wait()
    except KeyboardInterrupt:
        pass
    raise interrupted(call)


def interrupted(call: Call) -> Interrupted:
    """Stop a call and return the exception that carries its partial answer."""
    call.cancel()
    try:
        response = call.wait(_WRAP_UP_S)
    except TimeoutError:
        return Interrupted("Interrupted; the call did not stop in time.")
    size = len(response.content)
    kept = f"{size} characters had arrived and are kept" if size else "nothing had arrived"
    return Interrupted(f"Interrupted: {kept}.", response)


def result(call: Call) -> ProviderResponse:
    """Wait for a call and raise its error, if it has one."""
    return checked(settle(call))


async def asettle(call: Call) -> ProviderResponse:
    """Await a call; cancelling the awaiting task stops it."""
    import asyncio

    future = asyncio.wrap_future(call.future)
    try:
        with ticking():
            await asyncio.wait([future])
        return future.result()
    except asyncio.CancelledError:
        call.cancel()
        await asyncio.wait([future], timeout=_WRAP_UP_S)
        raise


async def aresult(call: Call) -> ProviderResponse:
    """Await a call and raise its error, if it has one."""
    return checked(await asettle(call))


def checked(response: ProviderResponse) -> ProviderResponse:
    """Return a response, or raise its error."""
    if response.error is not None:
        raise response.error.with_traceback(None)
    return response
