"""Which failures say that the calls after them would fail as well, so that they are not sent."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from allos.engine import retry
from allos.errors import (
    AllosError,
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    MissingKeyError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
)
from allos.response import ProviderResponse

UNREACHABLE_CALLS = 16
"""So many calls in a row that reach nobody, each with all its attempts, and the service is given up."""


class Stop(Enum):
    """What is not sent any more."""

    SERVICE = "service"
    """Calls to the service with this key."""
    COLUMN = "column"
    """Calls of this model with these parameters."""


def not_sent_note(name: str, count: int, error: AllosError) -> str:
    """One line that says how many calls of a model or a service were not sent, and why.

    Examples
    --------
    >>> not_sent_note("groq/m", 1, BudgetError("$1 of $1 are spent. Nothing was sent."))
    'groq/m: 1 call was not sent. $1 of $1 are spent.'
    """
    calls = "1 call was" if count == 1 else f"{count:,} calls were"
    reason = str(error).removesuffix("Nothing was sent.").rstrip()  # of this call; others were
    reason = reason.removeprefix(f"{name}: ")
    return f"{name}: {calls} not sent. {reason[:1].upper()}{reason[1:]}"


class StopRules:
    """Decides after each response whether its column or its service is to stop. Loop thread."""

    def __init__(self) -> None:
        self._answered: set[int] = set()
        self._unreachable: Counter[str] = Counter()

    def after(self, response: ProviderResponse, column: int, service: str) -> Stop | None:
        """What is to stop after this response of a column."""
        error = response.error
        if response.ok:
            self._answered.add(column)
            self._unreachable.pop(service, None)
            return None
        if isinstance(error, ProviderConnectionError | ProviderTimeoutError):
            self._unreachable[service] += 1
            return Stop.SERVICE if self._unreachable[service] >= UNREACHABLE_CALLS else None
        if error is None:
            return None
        return self._reason(error, is_answered=column in self._answered)

    @staticmethod
    def _reason(error: AllosError, *, is_answered: bool) -> Stop | None:
        if isinstance(error, QuotaError | AuthenticationError | MissingKeyError):
            return Stop.SERVICE
        if isinstance(error, ModelNotFoundError | BudgetError):
            return Stop.COLUMN
        if isinstance(error, RateLimitError):  # such as a limit of the day
            longest_s = retry.policy.max_hint_s
            return Stop.COLUMN if (error.retry_after_s or 0) > longest_s else None
        if isinstance(error, ConfigurationError | PermissionDeniedError) and not is_answered:
            return Stop.COLUMN
        return None
