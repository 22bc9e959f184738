from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from allos.log.days import WORDS, start_of

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday, wherever on Earth it is near noon


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", date(2026, 11, 26)),
        (" Yesterday ", date(2026, 11, 25)),
        ("week", date(2026, 11, 23)),
        ("month", date(2026, 11, 1)),
        ("monday", date(2026, 11, 23)),
        ("THURSDAY", date(2026, 11, 26)),
        ("friday", date(2026, 11, 20)),
        ("sunday", date(2026, 11, 22)),
    ],
)
def test_a_day_begins_at_local_midnight(word: str, day: date) -> None:
    """Each word is the newest such day; today counts."""
    assert start_of(word, NOON) == datetime.combine(day, time()).astimezone()


@pytest.mark.parametrize("word", ["", "someday", "2026-11-26", "1d", "mon"])
def test_other_words_are_no_days(word: str) -> None:
    """What is not in the list is left to others."""
    assert start_of(word, NOON) is None


@pytest.mark.parametrize("word", WORDS)
def test_no_day_is_in_the_future(word: str) -> None:
    """At any hour a day has begun, and not longer ago than a month."""
    for hours in range(24 * 40):
        now = NOON + timedelta(hours=hours)
        start = start_of(word, now)

        assert start is not None
        assert timedelta(0) <= now - start < timedelta(days=31, hours=1)
