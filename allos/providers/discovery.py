"""Requests for metadata: list models, get a context window.

Errors are returned as values, so that no traceback contains the headers of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlsplit

from allos import redaction
from allos.engine import runtime
from allos.errors import ConfigurationError, ProviderError, ProviderTimeoutError
from allos.providers.catalog import model_cache, model_list
from allos.providers.catalog.deprecations import advise
from allos.providers.catalog.model_list import ModelInfo, ModelList
from allos.providers.route import Route
from allos.wire.base import Wire
from allos.wire.connection import Connection

LoopRequest = Callable[[Any], Coroutine[Any, Any, Any]]
"""A request, given the SDK's client. Runs on the loop thread."""

Probe = Literal["", "props", "show"]
"""Endpoint of a local server that reports the loaded context window: ``/props`` of llama.cpp,
``/api/show`` of Ollama."""


def run_request(what: str, work: LoopRequest, connection: Connection, timeout_s: float) -> Any:
    """Send a request and wait; a `ProviderError` is returned. Any thread but the loop thread."""
    future = _submit(what, work, connection)
    try:
        return future.result(timeout_s)
    except TimeoutError:
        return _timeout_error(timeout_s)
    finally:
        future.cancel()


async def arun_request(
    what: str, work: LoopRequest, connection: Connection, timeout_s: float
) -> Any:
    """Send a request and await it; see `run_request`. Any event loop but allos's own."""
    import asyncio

    future = _submit(what, work, connection)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout_s)
    except TimeoutError:
        return _timeout_error(timeout_s)
    finally:
        future.cancel()


def _submit(what: str, work: LoopRequest, connection: Connection) -> Future[Any]:
    started = runtime.get()
    if started.is_loop_thread:
        raise ConfigurationError(
            f"{what}() would block allos's own loop thread; call it from your own thread"
        )
    return started.submit(_errors_as_values(work, started.client(connection)))


def _timeout_error(timeout_s: float) -> ProviderError:
    return ProviderTimeoutError(f"no answer within {timeout_s:g} s")


async def _errors_as_values(work: LoopRequest, client: Any) -> Any:
    from allos.wire import error_mapping

    try:
        return await work(client)
    except Exception as exc:  # noqa: BLE001 - returned, so that no traceback contains headers
        return error_mapping.from_exception(exc)


def context_window_of(model: str, wire: Wire, base_url: str, probe: Probe) -> LoopRequest:
    """Return a request for a model's context window; its result may be None."""

    async def work(client: Any) -> int | None:
        if probe:
            root = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
            with suppress(Exception):  # another kind of server: its list of models may report it
                reply = await (
                    wire.fetch(client, f"{root}/props")
                    if probe == "props"
                    else wire.fetch(client, f"{root}/api/show", {"model": model})
                )
                if (loaded := model_list.loaded_context_window(reply)) is not None:
                    return loaded
        record = await wire.model(client, model)
        if record is not None:
            return model_list.context_window_in(record)
        listed = model_list.find(model_list.parse_models(await wire.models(client), ""), model)
        return listed.context_window if listed else None

    return work


def list_models(route: Route, wire: Wire, timeout_s: float) -> ModelList:
    """Models that a service lists; for the embedded model no request is needed.

    Raises
    ------
    ProviderError
        The service has no models endpoint, or the request failed.
    """
    known = _models_without_request(route)
    if known is not None:
        return known
    connection = route.ready()
    return _parse_reply(
        route, run_request("list_models", wire.models, connection, timeout_s), connection
    )


async def alist_models(route: Route, wire: Wire, timeout_s: float) -> ModelList:
    """Models that a service lists; see `list_models`."""
    known = _models_without_request(route)
    if known is not None:
        return known
    await route.aready()
    connection = route.ready()
    reply = await arun_request("alist_models", wire.models, connection, timeout_s)
    return _parse_reply(route, reply, connection)


def refresh_context_window(route: Route, wire: Wire, timeout_s: float) -> None:
    """Request the context window of a provider's model, and cache it.

    Raises
    ------
    ProviderError
        The request failed.
    """
    connection = route.ready()
    work = context_window_of(route.model, wire, connection.base_url, route.service.window_probe)
    reply = run_request("get_context_window", work, connection, timeout_s)
    if isinstance(reply, ProviderError):
        raise _request_error(route, "get the context window", reply, connection)
    if reply is not None:
        model_cache.remember_context_window(route.name, route.custom_base_url, route.model, reply)


def _models_without_request(route: Route) -> ModelList | None:
    if not (route.service.list_models or route.endpoint.is_custom_host):
        raise _request_error(
            route, "list models", ProviderError("this service has no models endpoint")
        )
    if not route.service.embedded:
        return None
    from allos import local

    return ModelList(ModelInfo(id=name, provider=route.name) for name in local.known_models())


def _parse_reply(route: Route, reply: Any, connection: Connection) -> ModelList:
    if isinstance(reply, ProviderError):
        raise _request_error(route, "list models", reply, connection)
    found = model_list.parse_models(redaction.current().value(reply), route.name)
    model_cache.remember(route.name, route.custom_base_url, found, on_disk=True)
    return found


def _request_error(
    route: Route, action: str, error: ProviderError, connection: Connection | None = None
) -> ProviderError:
    from allos.wire import error_messages
    from allos.wire.error_bodies import shorten

    if connection is not None:
        error_messages.redact(error, connection)
    error.provider, error.model = route.name, route.model
    error.detail = error.detail and shorten(error.detail)
    message = shorten(error.message)
    end = "" if message.endswith((".", "?", "!")) else "."
    advice = advise(error, route.name, route.model, route.custom_base_url)
    next_step = f"{end} {advice}" if advice else ""
    error.message = f"{route.name}: could not {action}: {message}{next_step}"
    error.args = (error.message,)
    error.__cause__ = error.__context__ = None
    return error
