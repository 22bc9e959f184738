"""The arguments of a batch, checked before anything is sent."""

from __future__ import annotations

from typing import Any

from allos.errors import ConfigurationError, did_you_mean
from allos.options import BATCH_MODES
from allos.providers.pricing.budgets import checked_usd
from allos.runs.batching.live_batch import Pace

_MAX_ID_CHARS = 100
_ON_ERROR = ("row", "raise")


def concurrency(value: object) -> int | None:
    """Return a valid number of calls at once."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"concurrency must be an integer >= 1, got {value!r:.80}. Nothing was sent."
        )
    return value


def budget_usd(value: object) -> float | None:
    """Return a valid budget."""
    return None if value is None else checked_usd(value)


def on_error(value: object) -> str:
    """Return what becomes of a failed call."""
    if value not in _ON_ERROR:
        raise ConfigurationError(
            f"on_error must be 'row' or 'raise', got {value!r:.80}. Nothing was sent."
        )
    return str(value)


def mode(value: object) -> str:
    """Return who makes the calls: this process, or the batch APIs of the services."""
    if value not in BATCH_MODES:
        raise ConfigurationError(
            "mode must be 'calls' or 'provider_batch' (half price, within 24 hours), got "
            f"{value!r:.80}.{did_you_mean(str(value), BATCH_MODES)} Nothing was sent."
        )
    return str(value)


def batch_id(value: object) -> str | None:
    """Return the name of a batch."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_ID_CHARS:
        raise ConfigurationError(
            f"batch_id must be a string of 1 to {_MAX_ID_CHARS} characters, got {value!r:.80}. "
            "Nothing was sent."
        )
    return value.strip()


def confirm(value: object) -> None:
    """Refuse what cannot say whether to go on."""
    if value is not None and not callable(value):
        raise ConfigurationError(
            f"confirm must be a function of the preview that returns True or False, got {value!r:.80}. "
            "Nothing was sent."
        )


def pace(value: Any) -> None:
    """Refuse what cannot decide which rows are asked."""
    if value is not None and (isinstance(value, type) or not isinstance(value, Pace)):
        raise ConfigurationError(
            f"pace must be None or have begin(), leave() and is_same(), got {value!r:.80}: for calls per "
            "minute there is requests_per_minute=, for calls at once concurrency=. Nothing was sent."
        )
