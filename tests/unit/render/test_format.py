"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from allos.render.format import ending, money, rate, seconds, speed, token_counts, tokens


@pytest.mark.parametrize(
    ("value_s", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (0.0, "0 ms"),
        (0.0184, "18 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.10 s"),
        (0.18, "0.18 s"),
        (0.92, "0.92 s"),
        (0.9949, "0.99 s"),
        (0.997, "1.0 s"),
        (2.1, "2.1 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (125.4, "2 min 5 s"),
        (3599.7, "1 h 0 min"),
        (3_720.0, "1 h 2 min"),
    ],
)
def test_seconds(value_s: float | None, text: str) -> None:
    """Two or three significant digits, the unit always there, no rounding to 60 s."""
    assert seconds(value_s) == text


@pytest.mark.parametrize(
    ("amount_usd", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0, "$0"),
        (0.00003, "$0.00003"),
        (0.000034, "$0.000034"),
        (0.0123, "$0.012"),
        (0.0999, "$0.1"),
        (0.27, "$0.27"),
        (0.3, "$0.3"),
        (0.999, "$1.00"),
        (1.5, "$1.50"),
        (1234.567, "$1,234.57"),
        (1e-12, "<$0.000000001"),
        (-0.5, "-$0.5"),
    ],
)
def test_money(amount_usd: float | None, text: str) -> None:
    """Cents from a dollar up, two significant digits below; free is $0, unknown is a dash."""
    assert money(amount_usd) == text


def test_estimated_money_says_so() -> None:
    """An amount that rests on an estimate is marked; an unknown one needs no mark."""
    assert money(0.0004, about=True) == "about $0.0004"
    assert money(None, about=True) == "–"


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((36, 22), "36 in, 22 out"),
        ((48_210, 0), "48,210 in, 0 out"),
        ((36, None), "36 in"),
        ((math.nan, 22), "22 out"),
        ((None, None), ""),
    ],
)
def test_token_counts(counts: tuple[float | None, float | None], text: str) -> None:
    """What is unknown is left out; an estimate says so, once."""
    assert token_counts(*counts) == text
    assert token_counts(*counts, about=True) == (f"about {text}" if text else "")


@pytest.mark.parametrize("reason", [None, "stop", "tool_calls", "refusal", "error"])
def test_usual_endings_need_no_word(reason: str | None) -> None:
    """Nor those that the answer itself shows."""
    assert ending(reason) == ""


def test_unusual_endings_have_words() -> None:
    """A reason that we have no words for is given as it is."""
    assert ending("length") == "cut at max_tokens"
    assert ending("cancelled") == "stopped"
    assert ending("other") == "finish reason: other"


def test_tokens_and_rates() -> None:
    """Thousands are separated, small rates keep a digit, unknown is a dash."""
    assert [tokens(n) for n in (0, 187, 48_210, None, math.nan)] == ["0", "187", "48,210", "–", "–"]
    assert [rate(r) for r in (209.7, 9.96, 4.26, None)] == [
        "210 tok/s",
        "10 tok/s",
        "4.3 tok/s",
        "–",
    ]


@pytest.mark.parametrize(
    ("latency_s", "first_s", "text"),
    [
        (0.92, 0.18, "210 tok/s"),
        (0.0703, 0.07, ""),
        (0.92, None, "210 tok/s"),
        (None, 0.18, "210 tok/s"),
    ],
)
def test_speed_of_an_answer(latency_s: float | None, first_s: float | None, text: str) -> None:
    """An answer that came in one piece has no speed; a time that is not known hides none."""
    assert speed(209.7, latency_s, first_s) == text
    assert speed(None, latency_s, first_s) == ""
