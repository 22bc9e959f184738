from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.wire.waits import find_wait, parse_field, parse_wait

NOW = 1_795_910_400.0  # 2026-11-29 00:00:00 UTC


def now() -> float:
    return NOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2), ("0", 0), ("1.5", 1.5), ("17s", 17), ("2s", 2), ("12ms", 0.012), ("6m0s", 360),
        ("1m30s", 90), ("1m30.5s", 90.5), ("1h2m3s", 3723), ("1d", 86400), ("20 seconds", 20),
        ("1 minute", 60), ("2 hours and 5 minutes", 7500), (" 3 ", 3), ("86400", 86400),
        ("1795910405", 5), ("1795910405.5", 5.5), ("1795910405000", 5), ("1795910000", 0),
        ("Sun, 29 Nov 2026 00:00:30 GMT", 30), ("Sat, 28 Nov 2026 00:00:30 GMT", 0),
        ("2026-11-29T00:00:10Z", 10), ("2026-11-29T00:00:10", 10),
        ("2026-11-29T01:00:10.5+01:00", 10.5),
        ("soon", None), ("", None), ("-3", None), ("nan", None), ("inf", None), ("2 parsecs", None),
        ("2x", None), ("m", None), ("1e3", None), ("2s" * 40, None), ("999999T", None),
    ],
)  # fmt: skip
def test_value_of_a_header(text: str, seconds: float | None) -> None:
    """A wait is read in every spelling; a point in time counts from now, and what is none is None."""
    assert parse_wait(text, now) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("Please try again in 2.5s. Need more tokens?", 2.5),
        ("Please try again in 1m3s.", 63),
        ("Please try again in 20ms", 0.02),
        ("Please try again in 7m12.48s", 432.48),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please retry after 20 seconds.", 20),
        ("Retry your request after 1 minute", 60),
        ("Try again later in about 5 minutes.", 300),
        ("Please wait 3 seconds before the next call", 3),
        ("Limit resets in 12 s", 12),
        ("Limit resets in: 12 s", 12),
        ("Your limit will reset at 2026-11-29 00:00:10 UTC.", 10),
        ("try again at 2026-11-29T00:01:00Z", 60),
        ("Limit: 3 requests per minute", None),
        ("Reset the model, 3 messages were sent", None),
        ("Please try again later.", None),
        ("retry 3 times", None),
        ("wait", None),
    ],
)
def test_sentence(sentence: str, seconds: float | None) -> None:
    """A wait that only the words tell is found; other numbers are not taken for one."""
    assert find_wait(sentence, now) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3s", 3), ("1.5s", 1.5), (20, 20), (0.5, 0.5), ("7", 7), (1795910405000, 5),
        ({"seconds": 3}, 3), ({"seconds": "3", "nanos": 500_000_000}, 3.5), ({"nanos": 5e8}, 0.5),
        ({}, None), ({"seconds": []}, None), (True, None), (None, None), ([], None), (-1, None),
        (10**400, None), ("x", None),
    ],
)  # fmt: skip
def test_value_of_a_field(value: Any, seconds: float | None) -> None:
    """A JSON field tells a wait as text, number, or seconds and nanos."""
    assert parse_field(value, now) == (seconds if seconds is None else pytest.approx(seconds))


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    """No text makes an exception, nor a negative wait."""
    for found in (parse_wait(text, now), find_wait("try again in " + text, now)):
        assert found is None or found >= 0
