"""Questions to a service that are no calls of a model: which models, how large a window.

Errors come back as values, so that no header of a request leaves with a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlsplit

from allos.engine import runtime
from allos.errors import ConfigurationError, ProviderError, ProviderTimeoutError
from allos.providers import models
from allos.wire.base import Connection, Wire

Work = Callable[[Any], Coroutine[Any, Any, Any]]
"""What to ask, given the SDK's client. Runs on the loop thread."""

Probe = Literal["", "props", "show"]
"""Where a local server tells the window that it has loaded: ``/props`` of llama.cpp, ``/api/show`` of
Ollama."""


def inquire(what: str, work: Work, connection: Connection, timeout_s: float) -> Any:
    """Ask and wait; a `ProviderError` is returned. Any thread but the loop's."""
    future = _begin(what, work, connection)
    try:
        return future.result(timeout_s)
    except TimeoutError:
        return _late(timeout_s)
    finally:
        future.cancel()


async def ainquire(what: str, work: Work, connection: Connection, timeout_s: float) -> Any:
    """Ask and await; see `inquire`. Works on any event loop but allos's own."""
    import asyncio

    future = _begin(what, work, connection)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout_s)
    except TimeoutError:
        return _late(timeout_s)
    finally:
        future.cancel()


def _begin(what: str, work: Work, connection: Connection) -> Future[Any]:
    started = runtime.get()
    if started.here:
        raise ConfigurationError(
            f"{what}() would block allos's own loop thread; call it from your own thread"
        )
    shared = started.borrow(connection)
    future = started.submit(_safely(work, shared.client))
    future.add_done_callback(lambda _: started.give_back(shared))
    return future


def _late(timeout_s: float) -> ProviderError:
    return ProviderTimeoutError(f"no answer within {timeout_s:g} s")


async def _safely(work: Work, client: Any) -> Any:
    from allos.wire import faults

    try:
        return await work(client)
    except Exception as exc:  # noqa: BLE001 - returned, so that no header leaves with a traceback
        return faults.from_exception(exc)


def window_of(model: str, speaks: Wire, base_url: str, probe: Probe) -> Work:
    """Return the question how large a model's context window is; its answer may be None."""

    async def work(client: Any) -> int | None:
        if probe:
            root = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
            with suppress(Exception):  # another kind of server: then its list may tell
                told = await (
                    speaks.fetch(client, f"{root}/props")
                    if probe == "props"
                    else speaks.fetch(client, f"{root}/api/show", {"model": model})
                )
                if (loaded := models.loaded_window(told)) is not None:
                    return loaded
        record = await speaks.model(client, model)
        if record is not None:
            return models.window_in(record)
        listed = models.find(models.read(await speaks.models(client), ""), model)
        return listed.context_window if listed else None

    return work
