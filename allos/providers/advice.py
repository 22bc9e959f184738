"""The provider's own layer around its calls: what to do about an error that it knows more about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.engine import After, Interceptor, PreparedCall
from allos.errors import ProviderError
from allos.providers.auth import key_store
from allos.providers.catalog import deprecations
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.providers.route import Route


class Advice(Interceptor):
    """Replaces an error's general next step by that of the provider's service.

    Parameters
    ----------
    route : Route
        Where the provider's calls go.
    """

    def __init__(self, route: Route) -> None:
        self._route = route

    def before(self, call: PreparedCall) -> After:
        """Look at every response."""
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
    """Return what to do about an error of a service; None leaves it to the general advice."""
    return deprecations.advise(
        error, route.name, route.model, route.custom_base_url
    ) or key_store.advise(error, route.service, route.endpoint.key_source)
