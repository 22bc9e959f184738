from __future__ import annotations

import pytest

from allos.errors import (
    AllosError,
    AuthenticationError,
    BadRequestError,
    BudgetError,
    ConfigurationError,
    MissingKeyError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from allos.response import ProviderResponse
from allos.runs.batching.stopping import UNREACHABLE_CALLS, Stop, StopRules


def failed(error: AllosError) -> ProviderResponse:
    return ProviderResponse(metadata={"status": "error"}, error=error)


OK = ProviderResponse(metadata={"status": "ok"})


@pytest.mark.parametrize(
    ("error", "stop"),
    [
        (QuotaError("no credit"), Stop.SERVICE),
        (AuthenticationError("wrong key"), Stop.SERVICE),
        (MissingKeyError("no key"), Stop.SERVICE),
        (ModelNotFoundError("no model"), Stop.COLUMN),
        (BudgetError("spent"), Stop.COLUMN),
        (RateLimitError("tomorrow", retry_after_s=40_000), Stop.COLUMN),
        (RateLimitError("soon", retry_after_s=2), None),
        (BadRequestError("this row"), None),
        (ServerError("down"), None),
        (ConfigurationError("every row"), Stop.COLUMN),
        (PermissionDeniedError("every row"), Stop.COLUMN),
    ],
)
def test_what_an_error_stops(error: AllosError, stop: Stop | None) -> None:
    """What would fail again stops its service or its column; what is about a row stops nothing."""
    assert StopRules().after(failed(error), 0, "groq") is stop


def test_what_was_about_all_rows_is_about_one_once_another_was_answered() -> None:
    """A refusal of one row of a column that works stops nothing."""
    rules = StopRules()
    rules.after(OK, 0, "groq")

    assert rules.after(failed(PermissionDeniedError("this row")), 0, "groq") is None
    assert rules.after(failed(PermissionDeniedError("every row")), 1, "groq") is Stop.COLUMN


@pytest.mark.parametrize("error", [ProviderConnectionError("no"), ProviderTimeoutError("late")])
def test_a_service_that_is_not_reached_is_given_up(error: AllosError) -> None:
    """After so many calls in a row; an answer starts the count again."""
    rules = StopRules()
    for _ in range(UNREACHABLE_CALLS - 1):
        assert rules.after(failed(error), 0, "groq") is None
    rules.after(OK, 0, "groq")
    for _ in range(UNREACHABLE_CALLS - 1):
        assert rules.after(failed(error), 0, "groq") is None
    assert rules.after(failed(error), 0, "openai") is None

    assert rules.after(failed(error), 0, "groq") is Stop.SERVICE
