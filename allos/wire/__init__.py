"""The wire APIs: our `Request` to a body, reply bytes to our events, SDK errors to ours.

One file per API, which registers itself; pure translation around one HTTP exchange. Nothing here
retries, prices or logs, and no file names a service.

A new API is a subclass of `allos.wire.base.Wire` under `register`; services then name it in `api`,
see `allos.providers.register`.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from allos.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from allos.wire.base import Wire

    WireClass = TypeVar("WireClass", bound=type[Wire])

# The module that registers each API of the package; imported when the API is first used.
_BUILT_IN = {
    "responses": "allos.wire.openai_responses",
    "chat": "allos.wire.openai_chat",
    "messages": "allos.wire.anthropic_messages",
}
# Code of the process, as `sys.modules` is: it belongs to no session.
_wires: dict[str, Wire] = {}


def register(wire_class: WireClass) -> WireClass:
    """Register the class that speaks an API, under its `api`. A decorator.

    Parameters
    ----------
    wire_class : type
        Subclass of `allos.wire.base.Wire`. The same module may register an API again, as a cell does
        that is run twice.

    Raises
    ------
    ConfigurationError
        The name is not valid, or another module has registered it.

    Examples
    --------
    ::

        @allos.wire.register
        class GenerateWire(Wire):
            api = "generate"
            ...
    """
    api = getattr(wire_class, "api", None)
    if not isinstance(api, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", api):
        raise ConfigurationError(
            f"{api!r} is not a valid name of an API: use lower-case letters, digits and _, and start "
            "with a letter."
        )
    known = _wires.get(api)
    owner = _BUILT_IN.get(api) if known is None else type(known).__module__
    if owner not in (None, wire_class.__module__):
        raise ConfigurationError(f"The API {api!r} is already registered by {owner}.")
    _wires[api] = wire_class()
    return wire_class


def unregister(api: str) -> None:
    """Remove an API that was registered; those of the package stay."""
    if api not in _BUILT_IN:
        _wires.pop(api, None)


def names() -> tuple[str, ...]:
    """Names of all APIs: those of the package, then those that were registered."""
    return (*_BUILT_IN, *(api for api in _wires if api not in _BUILT_IN))


def is_built_in(api: str) -> bool:
    """Whether an API is one of allos' own, and not registered by somebody else."""
    return api in _BUILT_IN


def get(api: str) -> Wire:
    """Return the wire that speaks an API.

    Raises
    ------
    ConfigurationError
        No such API is registered.

    Examples
    --------
    >>> get("chat").path
    '/chat/completions'
    """
    if api not in _wires:
        check_name(api)
        import_module(_BUILT_IN[api])
    return _wires[api]


def check_name(api: object) -> None:
    """Refuse the name of an API that is not registered.

    Raises
    ------
    ConfigurationError
        Names the APIs that there are.
    """
    if api not in names():
        known = ", ".join(map(repr, names()))
        raise ConfigurationError(
            f"Unknown api {api!r}: expected one of {known}.{did_you_mean(str(api), names())}"
        )
