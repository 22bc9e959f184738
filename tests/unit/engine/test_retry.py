from __future__ import annotations

import random

import pytest

from allos import errors
from allos.engine import retry
from allos.engine.retry import Policy

FAIR = Policy(chance=lambda: 1.0)


def wait(
    kind: type[errors.ProviderError] = errors.ServerError,
    *,
    hint: float | None = None,
    attempt: int = 1,
    attempts: int = 5,
    policy: Policy = FAIR,
) -> float | None:
    return policy.wait_s(kind("x", retry_after_s=hint), attempt, attempts)


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (errors.RateLimitError, True),
        (errors.ServerError, True),
        (errors.ProviderConnectionError, True),
        (errors.ProviderTimeoutError, True),
        (errors.IncompleteStreamError, False),
        (errors.InvalidResponseError, False),
        (errors.AuthenticationError, False),
        (errors.BadRequestError, False),
        (errors.ContextLengthError, False),
        (errors.ContentFilterError, False),
        (errors.ModelNotFoundError, False),
        (errors.QuotaError, False),
    ],
)
def test_which_errors_are_repeated(kind: type[errors.ProviderError], again: bool) -> None:
    """Transient faults are tried again, the client's own faults never, hint or not."""
    assert (wait(kind) is not None) is again
    assert (wait(kind, hint=1) is not None) is again


def test_waits_grow_to_a_bound() -> None:
    """Own waits double from half a second up to eight, and are spread over their upper half."""
    assert [wait(attempt=n, attempts=9) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert wait(policy=Policy(chance=lambda: 0.0)) == 0.25


def test_last_attempt() -> None:
    """After the last attempt there is no wait."""
    assert wait(attempt=5, attempts=5) is None
    assert wait(attempt=1, attempts=1) is None


@pytest.mark.parametrize(
    ("hint", "attempt", "expected"),
    [(0, 1, 0), (0.05, 1, 0.05), (30, 1, 30), (60, 1, 60), (60.1, 1, None), (86400, 1, None)],
)
def test_hint(hint: float, attempt: int, expected: float | None) -> None:
    """The server's hint counts as it is, up to a bound; above it the call ends at once."""
    assert wait(hint=hint, attempt=attempt) == expected


def test_short_hint_does_not_hammer() -> None:
    """A hint that has proved too short does not undercut our own waits."""
    assert [wait(hint=0, attempt=n) for n in (1, 2, 3)] == [0, 1, 2]
    assert wait(hint=5, attempt=2) == 5


def test_using() -> None:
    """A block runs under a changed policy, and the former one is back after it, errors included."""
    before = retry.policy
    inside = before

    def fail() -> None:
        nonlocal inside
        with retry.using(base_s=0):
            inside = retry.policy
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert inside.base_s == 0
    assert wait(policy=inside, attempt=4) == 0
    assert retry.policy is before


def test_the_seed_that_a_user_set_stays_theirs() -> None:
    """Waiting draws nothing from the generator of the `random` module."""
    random.seed(1)
    before = random.getstate()
    waited = wait(policy=Policy())

    assert waited is not None
    assert 0.25 <= waited <= 0.5
    assert random.getstate() == before
