from __future__ import annotations

import inspect
import pickle

import pytest

from allos import errors
from allos.errors import did_you_mean, nearest
from allos.response import ProviderResponse

OURS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value.__module__ == "allos.errors"
]
PROVIDER = [kind for kind in OURS if issubclass(kind, errors.ProviderError)]


@pytest.mark.parametrize("kind", OURS)
def test_tree_of_the_docstring(kind: type[BaseException]) -> None:
    """Every error is drawn in the module's tree; all but the interrupt are Exceptions of ours."""
    assert kind.__name__ in (errors.__doc__ or "")
    assert issubclass(kind, KeyboardInterrupt if kind is errors.Interrupted else errors.AllosError)
    assert kind.__doc__


@pytest.mark.parametrize("kind", PROVIDER)
def test_provider_errors_survive_pickle(kind: type[errors.ProviderError]) -> None:
    """Every attribute goes along to another process, the response with its error included."""
    error = kind(
        "what happened",
        provider="p",
        model="m",
        status_code=418,
        request_id="r",
        retry_after_s=1.5,
        code="c",
        detail="d",
        retryable=True,
    )
    error.response = ProviderResponse("part", error=error)
    made = pickle.loads(pickle.dumps(error))

    assert type(made) is kind
    assert str(made) == "what happened"
    assert {k: v for k, v in vars(made).items() if k != "response"} == {
        k: v for k, v in vars(error).items() if k != "response"
    }
    assert made.response.content == "part"
    assert made.response.error is made


@pytest.mark.parametrize("kind", PROVIDER)
def test_retryable(kind: type[errors.ProviderError]) -> None:
    """`retryable` defaults to that of the class."""
    transient = {"RateLimitError", "ServerError", "ProviderConnectionError", "ProviderTimeoutError"}

    assert kind("x").retryable is (kind.__name__ in transient)
    assert kind("x", retryable=True).retryable
    assert not kind("x", retryable=False).retryable


def test_interrupted() -> None:
    """An interrupt is one line in a notebook, and `except Exception` does not catch it."""
    response = ProviderResponse("part")
    stopped = errors.Interrupted("Interrupted: 4 characters had arrived.", response)

    assert stopped._render_traceback_() == ["Interrupted: 4 characters had arrived."]
    assert stopped.response is response
    assert not isinstance(stopped, Exception)


def test_near_matches() -> None:
    """A typing error finds its name; a strange word finds none."""
    known = ["anthropic", "openai", "groq"]

    assert nearest("antropic", known) == "anthropic"
    assert nearest("zzz", known) is None
    assert did_you_mean("opnai", known) == " Did you mean 'openai'?"
    assert did_you_mean("zzz", known) == ""
