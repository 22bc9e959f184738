"""A cache that does not grow."""

from __future__ import annotations

from allos.render.recent import Recent


def test_what_was_not_asked_for_longest_goes_first() -> None:
    """The size counts both texts, and asking for one keeps it."""
    recent = Recent(8)
    for text in "ab":
        recent.put(text, text * 3)
    kept = recent.get("a")
    recent.put("c", "c")

    assert kept == "aaa"
    assert [recent.get(text) for text in "abc"] == ["aaa", None, "c"]


def test_the_same_text_counts_once() -> None:
    """Also when another text is made of it."""
    recent = Recent(8)
    recent.put("b", "b")
    for made in ("a", "aa", "aaa"):
        recent.put("a", made)

    assert (recent.get("a"), recent.get("b")) == ("aaa", "b")


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    """It takes nothing with it that was not in its way."""
    recent = Recent(8)
    recent.put("b", "b")
    recent.put("a", "a" * 8)

    assert (recent.get("a"), recent.get("b")) == (None, "b")
