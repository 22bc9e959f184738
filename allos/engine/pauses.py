"""Pauses that a service asked for, and what it said."""

from __future__ import annotations

from typing import NamedTuple

from allos.errors import RateLimitError


class Reason(NamedTuple):
    """What a service said when it asked to wait."""

    text: str
    code: str | None = None


class Pause(NamedTuple):
    """A pause that calls wait for."""

    until: float
    reason: Reason | None = None


class Block(NamedTuple):
    """A pause that is too long to be waited for."""

    until: float
    reason: Reason | None
    refused_until: float
    """When the next call is sent all the same: the service may have changed its mind."""

    def error(self, now: float) -> RateLimitError:
        """Return the error of a call that is refused."""
        text, code = self.reason or (None, None)
        return RateLimitError(
            "the service currently accepts no request with this key, so none was sent"
            + (f"; it said: {text}" if text else ""),
            retry_after_s=round(self.until - now, 3),
            retryable=False,
            code=code,
            detail=text,
        )
