from __future__ import annotations

import pytest

from allos import errors
from allos.wire import error_mapping, error_messages


def sentence(error: errors.ProviderError, message: str, attempts: int = 1) -> str:
    error_messages.complete(error, message, attempts)
    return str(error)


def test_long_messages_are_cut_in_the_sentence_only() -> None:
    """The whole text is there to be masked; what is shown of it is short."""
    error = error_mapping.from_status(400, {"error": {"message": "word " * 300}}, {})

    assert len(error.message) > 1400
    assert len(sentence(error, error.message)) < 600


@pytest.mark.parametrize(
    ("hint", "words"),
    [(30.0, "30 s"), (600.0, "10 minutes"), (86400.0, "24 hours"), (None, "Tried 3 times")],
)
def test_sentence(hint: float | None, words: str) -> None:
    """One line says who, what, the server's message, and what to do."""
    error = errors.RateLimitError("x", provider="groq", model="m", status_code=429)
    error.retry_after_s = hint
    line = sentence(error, "Slow\ndown.", attempts=3)

    assert line.startswith("groq/m: rate limited (429): Slow down.")
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("attempts", "words"), [(1, "asks to wait 10 minutes"), (3, "Tried 3 times")]
)
def test_a_wait_of_any_failure_is_told(attempts: int, words: str) -> None:
    """A service that is down says how long, unless it was tried again in vain."""
    error = error_mapping.from_status(503, "Maintenance", {"retry-after": "600"})

    assert words in sentence(error, error.message, attempts)


def _all(kind: type[errors.ProviderError]) -> list[type[errors.ProviderError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _all(sub))]


@pytest.mark.parametrize("kind", _all(errors.ProviderError)[1:])
def test_every_sentence_has_a_next_step(kind: type[errors.ProviderError]) -> None:
    """Whatever class an error is of, its line says what happened and ends in what to do."""
    error = kind("x", provider="groq", model="m")
    line = sentence(error, "Message of the server.", attempts=1)
    who, what, words = line.split(": ", 2)

    assert who == "groq/m"
    assert what != "the call failed"
    assert words.startswith("Message of the server. ")
    assert words.endswith(".")
    assert len(words) > len("Message of the server. ") + 15
