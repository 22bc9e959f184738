"""A call that is ready to be sent, with everything the engine needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allos.engine.limits import LimiterRegistry, Limits
from allos.request import Request
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledService:
    """The service that bills a call, and its prices."""

    provider: str
    model: str
    base_url: str
    """Base URL of the call, as far as it is known before it is sent."""
    is_embedded: bool = False
    is_custom_host: bool = False
    """Whether the host is not the service's own, so that its prices do not apply."""
    price_id: str | None = None
    """The service's id in the price tables; None where they do not apply."""
    batch_share: float | None = None
    """Share of the list price that a call in a batch of the service costs, where the tables have no price
    of its own; None: it is no such call."""
    max_output_tokens: int | None = None
    """Output limit of the model; None when unknown."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """One call, translated and not yet sent."""

    request: Request
    body: Body
    """The request in the format of its API."""
    wire: Wire
    """Client of the request's API."""
    connect: Callable[[], Connection]
    """Returns the connection. Looks up the key and starts the embedded server, so it may raise and may
    take a second; only called when a request has to be sent."""
    limits: Limits | None = None
    """Rate limits of the caller for this host and key; shared by the calls of a session."""
    limiters: LimiterRegistry
    """The limiters of the call's session."""
    billing: BilledService
