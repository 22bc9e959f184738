"""A call that is ready to be made: everything the engine needs, and nothing it must look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allos.engine.limits import LimiterRegistry, Limits
from allos.request import Request
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledService:
    """Who is billed for a call, and at whose prices."""

    provider: str
    model: str
    base_url: str
    """Where the call goes, as far as it is known before it is made."""
    is_embedded: bool = False
    is_custom_host: bool = False
    """The host is not the service's own, so the service's name says nothing about it."""
    price_id: str | None = None
    """The service's id in the price tables; None where they do not hold."""
    max_output_tokens: int | None = None
    """Most that the model can write; None when unknown."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """One call, translated and not yet sent."""

    request: Request
    body: Body
    """The request in the words of its API."""
    wire: Wire
    """Speaks the request's API."""
    connect: Callable[[], Connection]
    """Where and as whom. Looks for the key and starts the embedded server, so it may raise and may
    take a second; asked only when the call has to go out."""
    limits: Limits | None = None
    """What the caller allows for this host and key; calls of a session share them."""
    limiters: LimiterRegistry
    """Of the session that the call belongs to."""
    billing: BilledService
