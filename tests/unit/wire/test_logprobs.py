from __future__ import annotations

from typing import Any

import pytest

from allos.wire.logprobs import token_logprobs

TOKEN = {"token": "Hi", "logprob": -0.5, "top_logprobs": [{"token": "Ho", "logprob": -1.0}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"content": [TOKEN]}, [TOKEN]),
        ({"content": None, "refusal": [TOKEN]}, [TOKEN]),
        ({"content": [], "refusal": None}, []),
        ({"content": [TOKEN, "odd"]}, [TOKEN]),
        ({"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": [{"Ho": -1.0}]}, [TOKEN]),
        ({"tokens": ["Hi"], "token_logprobs": [-0.5]}, [{"token": "Hi", "logprob": -0.5}]),
        (-0.5, [{"token": "Hi", "logprob": -0.5}]),
        # unknown forms
        ({"content": "Hi"}, None),
        ({"tokens": ["Hi"], "token_logprobs": []}, None),
        ({"bits": 1}, None),
        ([TOKEN], None),
        (True, None),
    ],
)
def test_forms(value: Any, expected: list[dict[str, Any]] | None) -> None:
    """Each known form gives tokens alike; an unknown one is left to whoever keeps it raw."""
    assert token_logprobs(value, "Hi") == expected


def test_a_number_without_text() -> None:
    """A number belongs to a token; without one it says nothing."""
    assert token_logprobs(-0.5, None) is None
