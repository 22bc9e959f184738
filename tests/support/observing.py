"""See every response of the current session, and what its calls asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from allos.engine import After, Interceptor, PreparedCall
from allos.response import ProviderResponse
from allos.session import current_session


class Observer(Interceptor):
    """Keeps every response, refused calls included."""

    observes_refused = True

    def __init__(self) -> None:
        self.responses: list[ProviderResponse] = []

    def before(self, call: PreparedCall) -> After:
        return self._keep

    def _keep(self, response: ProviderResponse) -> ProviderResponse:
        self.responses.append(response)
        return response


@contextmanager
def observing() -> Iterator[list[ProviderResponse]]:
    """Run a block, and collect the responses of all calls that it makes."""
    observer = Observer()
    session = current_session()
    session.add_interceptor(observer)
    try:
        yield observer.responses
    finally:
        session.remove_interceptor(observer)
