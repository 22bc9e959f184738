"""Providers of your own: registered under a name that then works everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from allos.providers.catalog import services
from allos.providers.catalog.service import Build, Service

_B = TypeVar("_B", bound=Build)


@overload
def register(service: Service, /) -> Service: ...


@overload
def register(service: str, /, **row: Any) -> Callable[[_B], _B]: ...


def register(service: Service | str, /, **row: Any) -> Service | Callable[[_B], _B]:
    """Give a provider of your own a name that works everywhere.

    With a `Service` it is done. With a name and the row's fields it decorates a subclass of
    `Provider`, or a function that is given the row and the keywords of `get_provider` and returns a
    provider.

    Parameters
    ----------
    service : Service or str
        The row, or the provider's name: lower-case letters, digits and ``_``.
    **row
        Fields of `Service`, as in `services.toml`: `base_url` and `api` are required.

    Raises
    ------
    ConfigurationError
        The name is reserved or taken, or a field is wrong.

    Examples
    --------
    >>> from allos.providers import ProviderRegistry
    >>> row = Service(name="gateway", base_url="https://llm.example/v1", api="chat")
    >>> register(row).name
    'gateway'
    >>> ProviderRegistry.get_provider("gateway", model="m", api_key="k")
    Provider('gateway', model='m')
    >>> unregister("gateway")
    """
    origin = str(sys._getframe(1).f_globals.get("__name__"))
    if isinstance(service, Service):
        return services.add(service, origin=origin)
    made = services.row(service, row)

    def decorate(build: _B) -> _B:
        services.add(made, origin=origin, build=build)
        return build

    return decorate


def unregister(name: str) -> None:
    """Forget a provider that was registered; the built-in ones stay."""
    services.remove(name)
