"""Providers that installed packages bring, under the entry point group ``allos.providers``.

A package is loaded when a name is looked up that nobody knows, or when all providers are listed. See the
guide "A provider of your own".
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
"""Entry point group of packages with providers."""

# A pure cache: entry points that were loaded, or tried, so that a broken one is reported once.
_loaded: set[tuple[str, str]] = set()


class Add(Protocol):
    """Takes in a row."""

    def __call__(self, service: Service, *, origin: str) -> Service:
        """Return the row as it was added."""


def load(add: Add, known: Callable[[], Set[str]]) -> None:
    """Load the installed packages that bring providers, each once.

    A package that cannot be loaded is one warning that names it; the others are loaded anyway.

    Parameters
    ----------
    add : callable
        Takes in a row, and the name of the module that it comes from.
    known : callable
        Returns the names and aliases of all rows so far: loading a module may register some.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        key = (entry.name, entry.value)
        if key in _loaded:
            continue
        _loaded.add(key)
        try:
            _add(entry, entry.load(), add, known)
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


def _add(entry: EntryPoint, value: Any, add: Add, known: Callable[[], Set[str]]) -> None:
    """Register what an entry point gives, unless loading it has done so."""
    if isinstance(value, Service):
        add(value, origin=entry.module)
    elif isinstance(value, Iterable) and not isinstance(value, str | type):
        for service in value:
            if not isinstance(service, Service):
                raise ConfigurationError(_no_service(entry, service))
            add(service, origin=entry.module)
    elif entry.name not in known():
        raise ConfigurationError(_no_service(entry, value))


def _no_service(entry: EntryPoint, value: object) -> str:
    return (
        f"{entry.value} is {type(value).__name__}, neither a Service nor something that registers "
        f"{entry.name!r} with @allos.providers.register."
    )
