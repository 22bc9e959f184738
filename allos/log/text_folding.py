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
# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
_SINGLE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Letters, digits and marks of folded text, in any other script: all but spaces and punctuation.
_SIGN = (
    "a-z0-9\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u060b\u060d-\u061a\u061c-\u061e\u0620-\u06d3"
    "\u06d5-\u0963\u0966-\u0dff\u0f00-\u0fff\u10a0-\u167f\u1681-\u177f\u1800-\u1fff\u2c00-\u2dff\u3100-\u33ff"
    "\ua000-\uf8ff\ufb00-\ufe0f\ufe70-\ufeff\uff66-\uffdc\U00010000-\U0001ffff\U00040000-\U0010ffff"
)
_WORD = re.compile(f"[{_SINGLE}]|[{_SIGN}]+")
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


def split_words(text: str) -> str:
    """Words of a text, folded, with one space between them; in scripts without spaces each sign is one.

    Examples
    --------
    >>> split_words("Crème_brûlée: 3.50 €!"), split_words("今天天气 in Łódź")
    ('creme brulee 3 50', '今 天 天 气 in lodz')
    """
    return " ".join(_WORD.findall(fold(text)))


def has_words(text: str, words: str, *, inside: bool = False) -> bool:
    """Whether words follow each other in a text, the last as the beginning of one; both are split.

    With `inside` a single word may also be a part of one.

    Examples
    --------
    >>> has_words("a strong piece", "strong pie"), has_words("a trampoline", "poline")
    (True, False)
    >>> has_words("a trampoline", "poline", inside=True)
    True
    """
    if inside and " " not in words:
        return words in text
    return f" {words}" in f" {text}"


def snippet(text: str, words: Sequence[str], before: int = 40, length: int = 160) -> str | None:
    """Part of a text around the first of the split words; None where none of them is in it.

    Examples
    --------
    >>> snippet("A trampoline is a strong piece of fabric.", ["piece"], before=9, length=24)
    '… a strong piece of fabric…'
    """
    folded = fold(text)
    found = [match.start() for word in words if (match := _place(folded, word)) is not None]
    if not found:
        return None
    start = max(0, _original_place(text, folded, min(found)) - before)
    stop = start + length
    part = _SPACES.sub(" ", text[start:stop].strip())
    return f"{'… ' if start else ''}{part}{'…' if stop < len(text) else ''}"


def _place(folded: str, words: str) -> re.Match[str] | None:
    """Where words are in a folded text, at the beginning of a word if there is such a place."""
    between = f"[^{_SIGN}{_SINGLE}]*"
    pattern = between.join(map(re.escape, words.split(" ")))
    at_beginning = re.search(f"(?<![{_SIGN}]){pattern}", folded)
    return at_beginning or (None if " " in words else re.search(pattern, folded))


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
