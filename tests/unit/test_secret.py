from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from allos.secret import Headers, Secret, reveal

KEY = "sk-very-secret"


def test_never_shows_itself() -> None:
    """No common way to print a value shows the key."""
    secret = Secret(KEY)
    record = logging.LogRecord("n", 10, "p", 1, "%s %r", (secret, secret), None)
    shown = [
        str(secret),
        repr(secret),
        f"{secret} {secret!r} {secret!s:>20}",
        "%s" % secret,  # noqa: UP031 - one of the ways
        str([secret]),
        str({"key": secret}),
        record.getMessage(),
    ]

    assert not [text for text in shown if "secret" in text.lower().replace("secret(***)", "")]


def test_not_in_a_traceback_with_locals() -> None:
    """A traceback that prints the locals shows the mask."""

    def fail(key: Secret) -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x") as caught:
        fail(Secret("".join(["sk-", "local"])))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)

    assert "sk-local" not in "".join(shown.format())
    assert "Secret(***)" in "".join(shown.format())


def test_leaves_only_by_name() -> None:
    """The string is only returned by `reveal`; copies for other processes are refused."""
    secret = Secret(KEY)

    assert secret.reveal() == KEY
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    assert not hasattr(secret, "__dict__")


def test_equality() -> None:
    """Equal keys are equal and hash alike; a string is not a key."""
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert Secret("ü") == Secret("ü")
    assert bool(Secret(KEY))
    assert not Secret("")


@pytest.mark.parametrize(
    ("key", "text", "masked"),
    [
        (KEY, f"a {KEY} b {KEY}", "a *** b ***"),
        (KEY, "nothing", "nothing"),
        ("a", "banana", "banana"),
        ("", "banana", "banana"),
    ],
)
def test_redact(key: str, text: str, masked: str) -> None:
    """Every occurrence is masked; a key too short to be one leaves the text alone."""
    assert Secret(key).redact(text) == masked


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("Authorization", "x", True),
        ("X-Api-Key", "mine", True),
        ("Cookie", "a=b", True),
        ("X-Gateway", "Bearer abc", True),
        ("X-Gateway", "gw-9f8e7d6c5b4a39281706", True),
        ("X-Gateway", "9f8e7d6c5b4a392817069f8e", True),
        ("X-Title", "My notebook of 2026", False),
        ("HTTP-Referer", "https://example.com", False),
        ("X-Correlation-Id", "4bf92f3577b34da6a3ce929d0e0e4736", False),
        ("anthropic-beta", "context-management", False),
    ],
)
def test_headers_that_look_like_credentials(name: str, value: str, is_secret: bool) -> None:
    """A header is a `Secret` by its name or its value; ids, titles and addresses are not."""
    sealed = Headers({name: value})

    assert isinstance(sealed[name], Secret) is is_secret
    assert reveal(sealed[name]) == value
    assert value not in repr(sealed)
    assert Headers(sealed) == sealed


def test_equal_secrets_are_one() -> None:
    """So that a process knows each of its keys once."""
    assert Secret(KEY) is Secret("".join(["sk-very", "-secret"]))
