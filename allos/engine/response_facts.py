"""What a response says of its request, and how it reaches all who wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from allos import seams
from allos.errors import ProviderError, SchemaError
from allos.request import Request
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.engine.call import Call

_OWN_COLUMNS = frozenset({"temperature", "top_p", "max_tokens", "seed"})


def asked(request: Request, dropped: Sequence[str]) -> dict[str, Any]:
    """Facts that the request alone decides, by column name and in the order of `metadata`.

    Parameters
    ----------
    request : Request
    dropped : sequence of str
        Parameters that were set and not sent.
    """
    params = {k: v for k, v in request.params.items() if k not in dropped}
    others = {k: v for k, v in params.items() if k not in _OWN_COLUMNS}
    if request.extra:
        others["extra"] = dict(request.extra)
    if dropped:
        others["dropped"] = list(dropped)
    if request.tools:
        others["tools"] = [tool.name for tool in request.tools]
        if request.tool_choice is not None:
            others["tool_choice"] = request.tool_choice
    if request.schema is not None:
        others["schema"] = request.schema.name
    return {
        "provider": request.provider,
        "base_url": request.base_url,
        "api": request.api,
        "model": request.model,
        "response_model": None,
        "temperature": params.get("temperature"),
        "top_p": params.get("top_p"),
        "max_tokens": params.get("max_tokens"),
        "seed": params.get("seed"),
        "stream": request.stream,
        "params": others or None,
    }


def deliver(call: Call, response: ProviderResponse) -> None:
    """Show a finished response to the observers, then to whoever waits. Loop thread."""
    if isinstance(response.error, (ProviderError, SchemaError)):
        response.error.response = response
    for observer in list(seams.observers):
        try:
            observer(response)
        except Exception as exc:  # noqa: BLE001 - who watches never costs the answer
            report(call, "an observer of responses failed", exc)
    call.future.set_result(response)


def report(call: Call, message: str, exc: Exception) -> None:
    """Tell the loop's handler of a fault that costs nobody an answer. Loop thread."""
    call._runtime.loop.call_exception_handler({"message": message, "exception": exc})
