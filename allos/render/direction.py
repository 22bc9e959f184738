"""Which way a text runs."""

from __future__ import annotations

import re
from unicodedata import bidirectional

# Blocks of Hebrew, Arabic, Syriac, Thaana, N'Ko and the scripts beside them, and their presentation forms.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def may_be_right_to_left(text: str) -> bool:
    """Whether a text has a letter that runs from right to left; quick for the many that have none."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def is_right_to_left(text: str) -> bool:
    """Whether the first letter of a text runs from right to left, as browsers decide for `dir="auto"`.

    Examples
    --------
    >>> is_right_to_left("**\u05e9\u05dc\u05d5\u05dd** world"), is_right_to_left("1. Hi \u05e9")
    (True, False)
    """
    kinds = (bidirectional(char) for char in text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)
