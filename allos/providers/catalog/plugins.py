"""Providers of others: registered by hand, or found in installed packages.

A package names its providers under the entry point group ``allos.providers``; it is loaded when a
name is looked up that nobody knows, or when all providers are listed. See the guide "A provider of
your own".
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from allos.errors import ConfigurationError
from allos.providers.catalog import services
from allos.providers.catalog.services import Service

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "allos.providers"
"""Entry point group of packages with providers."""

_B = TypeVar("_B", bound=services.Build)
_loaded: set[tuple[str, str]] = set()
"""Entry points that were loaded, or tried: a broken one is told once."""


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


def load() -> None:
    """Load the installed packages that bring providers, each once.

    A package that cannot be loaded is one warning that names it; the others are loaded all the same.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        key = (entry.name, entry.value)
        if key in _loaded:
            continue
        _loaded.add(key)
        try:
            _take(entry, entry.load())
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, it is that package's
            package = entry.dist.name if entry.dist else entry.module
            said = (
                str(exc) if isinstance(exc, ConfigurationError) else f"{type(exc).__name__}: {exc}"
            )
            warnings.warn(
                f"The provider {entry.name!r} of the package {package!r} is left out: {said}",
                UserWarning,
                stacklevel=3,
            )


def _take(entry: EntryPoint, value: Any) -> None:
    """Register what an entry point gives, unless loading it has done so."""
    if isinstance(value, Service):
        services.add(value, origin=entry.module)
    elif isinstance(value, Iterable) and not isinstance(value, str | type):
        for service in value:
            if not isinstance(service, Service):
                raise ConfigurationError(_no_service(entry, service))
            services.add(service, origin=entry.module)
    elif entry.name not in {name for row in services.every() for name in (row.name, *row.aliases)}:
        raise ConfigurationError(_no_service(entry, value))


def _no_service(entry: EntryPoint, value: object) -> str:
    return (
        f"{entry.value} is {type(value).__name__}, neither a Service nor something that registers "
        f"{entry.name!r} with @allos.providers.register."
    )
