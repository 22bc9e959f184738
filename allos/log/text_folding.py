"""Text without case and accents, to search in; and where in the original a match is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Accents and vowel points that a reader may leave out. Others change what is read and stay: the voicing
# marks of kana, the vowel signs of Indic scripts.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_SPACES = re.compile(r"\s+")
_LETTERS = str.maketrans(
    {
        "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u0131": "i",
        "\u00e6": "ae", "\u0153": "oe", "\u0640": None,
    }
)  # fmt: skip
"""Letters that Unicode does not take apart: o, l and d with a stroke, i without a dot, ae, oe."""


def fold(text: str) -> str:
    """Text to compare: without case, accents and full-width forms; lone surrogates are replaced.

    Examples
    --------
    >>> fold("Crème Brûlée"), fold("ＡＢＣ"), fold("Straße"), fold("が")
    ('creme brulee', 'abc', 'strasse', 'が')
    """
    if text.isascii():
        return text.lower()
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    taken_apart = unicodedata.normalize("NFKD", text.casefold())
    folded = unicodedata.normalize("NFC", _MARKS.sub("", taken_apart))
    return folded.casefold().translate(_LETTERS)


def snippet(text: str, words: Sequence[str], before: int = 40, length: int = 160) -> str | None:
    """Part of a text around the first of the folded words; None where none of them is in it.

    Examples
    --------
    >>> snippet("A trampoline is a strong piece of fabric.", ["piece"], before=9, length=24)
    '… a strong piece of fabric…'
    """
    folded = fold(text)
    places = [place for place in map(folded.find, words) if place >= 0]
    if not places:
        return None
    start = max(0, _original_place(text, folded, min(places)) - before)
    stop = start + length
    part = _SPACES.sub(" ", text[start:stop].strip())
    return f"{'… ' if start else ''}{part}{'…' if stop < len(text) else ''}"


def _original_place(text: str, folded: str, place: int) -> int:
    """Position in a text of a position in the folded one; near it where folding changed the length."""
    if len(text) == len(folded):
        return place
    low, high = 0, len(text)  # folding never changes the order: search by halves
    while low < high:
        middle = (low + high) // 2
        if len(fold(text[:middle])) < place:
            low = middle + 1
        else:
            high = middle
    return low
