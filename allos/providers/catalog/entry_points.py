"""Providers of installed packages, declared in the entry point group ``allos.providers``.

A package is loaded when an unknown name is looked up, or when all providers are listed. See the guide
"A provider of your own".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Set
from typing import TYPE_CHECKING, Any, Protocol

from allos.errors import ConfigurationError
from allos.providers.catalog.service import Service

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "allos.providers"
"""Entry point group for packages with providers."""

# State of the process: entry points that were loaded or failed to load; each failure is one warning.
_loaded: set[tuple[str, str]] = set()


class Add(Protocol):
    """Registers a service."""

    def __call__(self, service: Service, *, origin: str) -> Service:
        """Return the registered service."""


def load(add: Add, known: Callable[[], Set[str]]) -> None:
    """Load the installed packages that declare providers, each once.

    A package that cannot be loaded causes a warning; the others are loaded.

    Parameters
    ----------
    add : callable
        Registers a service, given the name of its module.
    known : callable
        Returns the names and aliases of all services; loading a module may register some.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        key = (entry.name, entry.value)
        if key in _loaded:
            continue
        _loaded.add(key)
        try:
            _register(entry, entry.load(), add, known)
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - third-party code may raise anything
            package = entry.dist.name if entry.dist else entry.module
            reason = (
                str(exc) if isinstance(exc, ConfigurationError) else f"{type(exc).__name__}: {exc}"
            )
            warnings.warn(
                f"The provider {entry.name!r} of the package {package!r} cannot be loaded: {reason}",
                UserWarning,
                stacklevel=3,
            )


def _register(entry: EntryPoint, value: Any, add: Add, known: Callable[[], Set[str]]) -> None:
    """Register the object of an entry point, unless loading it has registered it."""
    if isinstance(value, Service):
        add(value, origin=entry.module)
    elif isinstance(value, Iterable) and not isinstance(value, str | type):
        for service in value:
            if not isinstance(service, Service):
                raise ConfigurationError(_not_a_service_message(entry, service))
            add(service, origin=entry.module)
    elif entry.name not in known():
        raise ConfigurationError(_not_a_service_message(entry, value))


def _not_a_service_message(entry: EntryPoint, value: object) -> str:
    return (
        f"{entry.value} must be a Service or register {entry.name!r} with "
        f"@allos.providers.register, got {type(value).__name__}."
    )
