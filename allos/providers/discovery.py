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
from allos.providers.catalog import model_cache, model_list
from allos.providers.catalog.deprecations import advise
from allos.providers.catalog.model_list import ModelInfo, ModelList
from allos.providers.route import Route
from allos.secret import Secret
from allos.wire.base import Wire
from allos.wire.connection import Connection

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
    return started.submit(_safely(work, started.client(connection)))


def _late(timeout_s: float) -> ProviderError:
    return ProviderTimeoutError(f"no answer within {timeout_s:g} s")


async def _safely(work: Work, client: Any) -> Any:
    from allos.wire import error_mapping

    try:
        return await work(client)
    except Exception as exc:  # noqa: BLE001 - returned, so that no header leaves with a traceback
        return error_mapping.from_exception(exc)


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
                if (loaded := model_list.loaded_window(told)) is not None:
                    return loaded
        record = await speaks.model(client, model)
        if record is not None:
            return model_list.window_in(record)
        listed = model_list.find(model_list.read(await speaks.models(client), ""), model)
        return listed.context_window if listed else None

    return work


def list_models(route: Route, speaks: Wire, timeout_s: float) -> ModelList:
    """Models that a service tells of; those of the embedded server need no request.

    Raises
    ------
    ProviderError
        The service cannot tell, or the request failed.
    """
    known = _without_asking(route)
    if known is not None:
        return known
    connection = route.ready()
    return _read(route, inquire("list_models", speaks.models, connection, timeout_s), connection)


async def alist_models(route: Route, speaks: Wire, timeout_s: float) -> ModelList:
    """Models that a service tells of; see `list_models`."""
    known = _without_asking(route)
    if known is not None:
        return known
    await route.aready()
    connection = route.ready()
    told = await ainquire("alist_models", speaks.models, connection, timeout_s)
    return _read(route, told, connection)


def refresh_window(route: Route, speaks: Wire, timeout_s: float) -> None:
    """Ask a service how large its model's context window is, and remember it.

    Raises
    ------
    ProviderError
        The request failed.
    """
    connection = route.ready()
    work = window_of(route.model, speaks, connection.base_url, route.service.window_probe)
    told = inquire("get_context_window", work, connection, timeout_s)
    if isinstance(told, ProviderError):
        raise _told_error(route, "its context window", told, connection.api_key)
    if told is not None:
        model_cache.remember_window(route.name, route.custom_base_url, route.model, told)


def _without_asking(route: Route) -> ModelList | None:
    if not (route.service.list_models or route.endpoint.foreign):
        raise _told_error(route, "its models", ProviderError("it has no such list"))
    if not route.service.embedded:
        return None
    from allos import local

    return ModelList(ModelInfo(id=name, provider=route.name) for name in local.known_models())


def _read(route: Route, told: Any, connection: Connection) -> ModelList:
    if isinstance(told, ProviderError):
        raise _told_error(route, "its models", told, connection.api_key)
    found = model_list.read(told, route.name)
    model_cache.remember(route.name, route.custom_base_url, found, on_disk=True)
    return found


def _told_error(
    route: Route, what: str, error: ProviderError, key: Secret | None = None
) -> ProviderError:
    from allos.wire.error_bodies import shorten

    redact = key.redact if key is not None else str
    error.provider, error.model = route.name, route.model
    error.detail = error.detail and shorten(redact(error.detail))
    words = shorten(redact(error.message))
    end = "" if words.endswith((".", "?", "!")) else "."
    advice = advise(error, route.name, route.model, route.custom_base_url)
    next_step = f"{end} {advice}" if advice else ""
    error.message = f"{route.name}: the service does not tell {what}: {words}{next_step}"
    error.args = (error.message,)
    error.__cause__ = error.__context__ = None
    return error
