"""Registration of custom providers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from allos.providers.catalog import services
from allos.providers.catalog.service import ProviderFactory, Service

_Factory = TypeVar("_Factory", bound=ProviderFactory)


@overload
def register(service: Service, /) -> Service: ...


@overload
def register(service: str, /, **fields: Any) -> Callable[[_Factory], _Factory]: ...


def register(service: Service | str, /, **fields: Any) -> Service | Callable[[_Factory], _Factory]:
    """Register a provider under a name.

    Called with a `Service`, registers it. Called with a name and fields, it is a decorator for a
    subclass of `Provider`, or for a function that takes the `Service` and the keywords of `get_provider`
    and returns a provider.

    Parameters
    ----------
    service : Service or str
        The service, or the provider's name: lower-case letters, digits and ``_``.
    **fields
        Fields of `Service`, as in `services.toml`: `base_url` and `api` are required.

    Raises
    ------
    ConfigurationError
        The name is reserved or already in use, or a field is not valid.

    Examples
    --------
    >>> from allos.providers import ProviderRegistry
    >>> service = Service(name="gateway", base_url="https://llm.example/v1", api="chat")
    >>> register(service).name
    'gateway'
    >>> ProviderRegistry.get_provider("gateway", model="m", api_key="k")
    Provider('gateway', model='m')
    >>> unregister("gateway")
    """
    origin = str(sys._getframe(1).f_globals.get("__name__"))
    if isinstance(service, Service):
        return services.add(service, origin=origin)
    registered = services.from_fields(service, fields)

    def decorate(factory: _Factory) -> _Factory:
        services.add(registered, origin=origin, factory=factory)
        return factory

    return decorate


def unregister(name: str) -> None:
    """Remove a registered provider; built-in ones stay."""
    services.remove(name)
