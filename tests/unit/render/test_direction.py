"""Which way a text runs."""

from __future__ import annotations

import pytest

from allos.render.direction import is_right_to_left, may_be_right_to_left


@pytest.mark.parametrize(
    ("text", "runs", "may"),
    [
        ("", False, False),
        ("Grüße, 你好", False, False),
        ("שלום", True, True),
        ("12. **مرحبا** x", True, True),
        ("Hi שלום", False, True),
        ("\N{ADLAM CAPITAL LETTER ALIF}", True, True),
    ],
)
def test_the_first_letter_decides(text: str, runs: bool, may: bool) -> None:
    """Digits, marks and spaces run neither way."""
    assert (is_right_to_left(text), may_be_right_to_left(text)) == (runs, may)
