"""Interceptors for tests: a layer made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allos.engine import After, BilledService, Interceptor, PreparedCall
from allos.engine.limits import LimiterRegistry
from allos.request import Request
from allos.response import ProviderResponse
from allos.secret import Secret
from allos.testing.scripted_wire import NoSDK
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection

CONNECTION = Connection(
    sdk=NoSDK(),
    base_url="http://127.0.0.1:9/v1",
    api_key=Secret("sk-very-secret-key"),
    direct=True,
)


class Layer(Interceptor):
    """A layer whose two halves are functions; either may be left out."""

    def __init__(
        self,
        before: Callable[[PreparedCall], ProviderResponse | None] | None = None,
        after: After | None = None,
        *,
        observes_refused: bool = False,
        can_answer_offline: bool = False,
    ) -> None:
        self._before = before
        self._after = after
        self.observes_refused = observes_refused
        self.can_answer_offline = can_answer_offline

    def before(self, call: PreparedCall) -> ProviderResponse | After | None:
        answer = None if self._before is None else self._before(call)
        return self._after if answer is None else answer


def answering(answer: Callable[[Request], ProviderResponse | None]) -> Layer:
    """A layer that answers some requests without a service, as a replay file does."""
    return Layer(before=lambda call: answer(call.request), can_answer_offline=True)


def prepared(request: Request, wire: Wire, **changes: Any) -> PreparedCall:
    """A call that needs nothing of a provider."""
    options: dict[str, Any] = {
        "body": Body({}, ()),
        "connect": lambda: CONNECTION,
        "limiters": LimiterRegistry(),
        "billing": BilledService(provider=request.provider, model=request.model, base_url=""),
        **changes,
    }
    return PreparedCall(request=request, wire=wire, **options)
