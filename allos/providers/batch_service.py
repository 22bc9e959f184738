"""The batch API of one model's service: its terms, how it is spoken, and the connection to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from allos.engine import runtime
from allos.errors import ConfigurationError, ProviderError
from allos.providers.catalog import services
from allos.providers.catalog.service import BatchTerms, Service
from allos.providers.route import Route
from allos.wire import error_mapping, error_messages
from allos.wire.base import Wire

if TYPE_CHECKING:
    from allos.wire.batch_api import BatchApi

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchService:
    """The batch API of one service with one key."""

    name: str
    """Of the service."""
    terms: BatchTerms
    api: BatchApi
    _route: Route

    async def call(self, request: Callable[[Any], Awaitable[T]]) -> T:
        """Make a request with the client of the connection. Loop thread.

        Raises
        ------
        ProviderError
            It failed; no key is in its text.
        """
        import asyncio

        connection = await asyncio.to_thread(self._route.ready)
        shared = await asyncio.to_thread(runtime.get().borrow, connection)
        try:
            return await request(shared.client)
        except asyncio.CancelledError:
            raise
        except Exception as exc:  # noqa: BLE001 - classified
            error = error_mapping.from_exception(exc)
        finally:
            runtime.get().give_back(shared)
        error_messages.redact(error, connection)
        error.provider = error.provider or self.name
        error.__cause__ = error.__context__ = None
        raise error

    def error(self, error: ProviderError) -> ProviderError:
        """Return an error that a batch has brought without what looks like a key."""
        error_messages.redact(error, self._route.ready())
        return error


def find(service: Service, wire: Wire, route: Route) -> BatchService:
    """Return the batch API of a service.

    Raises
    ------
    ConfigurationError
        There is none, or it does not take this API.
    """
    terms, api = service.batches, wire.batches()
    if terms is None or api is None:
        known = ", ".join(each.name for each in services.all_services() if each.batches is not None)
        raise ConfigurationError(
            f"{service.name} has no batch API that allos speaks (they are: {known}). Leave out "
            'mode="provider_batch". Nothing was sent.'
        )
    if wire.api not in terms.apis:
        takes = " or ".join(f"api={each!r}" for each in terms.apis)
        raise ConfigurationError(
            f"The batch API of {service.name} takes {takes}, not api={wire.api!r}. Nothing was sent."
        )
    return BatchService(service.name, terms, api, route)
