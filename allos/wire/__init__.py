"""The wire APIs: our `Request` to SDK arguments, reply bytes to our events, SDK errors to ours.

One file per API; pure translation around one SDK call. Nothing here retries, prices or logs, and no
file names a service.
"""

from __future__ import annotations

from importlib import import_module

from allos.profiles import Api
from allos.wire.base import Wire

_HOMES: dict[Api, tuple[str, str]] = {
    "responses": ("allos.wire.openai_responses", "ResponsesWire"),
    "chat": ("allos.wire.openai_chat", "ChatWire"),
    "messages": ("allos.wire.anthropic_messages", "MessagesWire"),
}
_made: dict[Api, Wire] = {}


def get(api: Api) -> Wire:
    """Return the wire that speaks an API: ``"responses"``, ``"chat"`` or ``"messages"``."""
    if api not in _made:
        module, name = _HOMES[api]
        _made[api] = getattr(import_module(module), name)()
    return _made[api]
