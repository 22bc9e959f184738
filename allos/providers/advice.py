"""A provider's own interceptor: adds the next step to errors whose cause it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.engine import After, Interceptor, PreparedCall
from allos.errors import ProviderError
from allos.providers.auth import key_store
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.providers.route import Route


class Advice(Interceptor):
    """Replaces an error's general next step by one specific to the provider's service.

    Parameters
    ----------
    route : Route
        Connection of the provider.
    """

    def __init__(self, route: Route) -> None:
        self._route = route

    @property
    def may_wait(self) -> bool:
        """Never."""
        return False

    def before(self, call: PreparedCall) -> After:
        """Inspect every response."""
        return self._advise

    def _advise(self, response: ProviderResponse) -> ProviderResponse:  # loop thread
        error = response.error
        if not isinstance(error, ProviderError):
            return response
        next_step = next_step_for(error, self._route)
        if next_step is None:
            return response
        error.advise(next_step)
        return response.with_metadata({"error_message": str(error)})


def next_step_for(error: ProviderError, route: Route) -> str | None:
    """Return the next step for an error of a service; None: keep the general one."""
    from allos.providers.catalog import deprecations

    return deprecations.advise(
        error, route.name, route.model, route.custom_base_url
    ) or key_store.advise(error, route.service, route.endpoint.key_source)
