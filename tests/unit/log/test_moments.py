from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.log.moments import micros_of
from allos.log.rows import to_micros

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HERE = datetime(2026, 1, 1, 10, 30)  # noqa: DTZ001 - a time without a zone is what is tested
HOUR_AGO = to_micros(NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("30s", 30), ("30m", 1800), ("1h", 3600), ("1.5h", 5400), ("2d", 172800), (" 1 w ", 604800)],
)
def test_ages_count_back_from_now(age: str, seconds: int) -> None:
    """An age is a time that long before now."""
    assert micros_of("since", age, NOW) == to_micros(NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "moment",
    [
        NOW - timedelta(hours=1),
        timedelta(hours=1),
        "2026-11-22T11:00:00+00:00",
        "2026-11-22T11:00Z",
        "2026-11-22 12:00+01:00",
        pd.Timestamp("2026-11-22T11:00Z"),
        pd.Timestamp("2026-11-22 12:00", tz="Europe/Paris"),
        pd.Timestamp("2026-11-22T11:00:00.000000001Z"),
        pd.Timedelta("1h"),
        np.timedelta64(1, "h"),
        np.timedelta64(3_600_000_000_000, "ns"),
    ],
)
def test_times_are_accepted_in_several_types(moment: Any) -> None:
    """Times and durations of Python, pandas and numpy, and ISO 8601 strings give the same moment."""
    assert micros_of("until", moment, NOW) == HOUR_AGO


@pytest.mark.parametrize(
    "moment",
    [
        pd.Timestamp(HERE),
        np.datetime64(HERE),
        np.datetime64("2026-01-01T10:30"),
        np.datetime64("2026-01-01T10:30:00.000000000"),
        pd.Series([HERE])[0],
        pd.Series([HERE]).to_numpy()[0],
        HERE.isoformat(),
        type("Mine", (datetime,), {})(2026, 1, 1, 10, 30),
    ],
)
def test_a_time_without_a_zone_is_local(moment: Any) -> None:
    """Whoever makes it, a time without a zone is local, as everywhere in Python."""
    assert micros_of("since", moment, NOW) == to_micros(HERE)


@pytest.mark.parametrize(
    "day",
    [date(2026, 11, 22), "2026-11-22", np.datetime64("2026-11-22"), pd.Timestamp("2026-11-22")],
)
def test_a_day_begins_at_midnight_here(day: Any) -> None:
    """A date is its first moment, in local time as times without a zone are."""
    assert micros_of("since", day, NOW) == to_micros(datetime(2026, 11, 22))  # noqa: DTZ001 - local


@pytest.mark.parametrize(
    "moment",
    [
        "someday", "1 month", "", 5, 1.5, True, [], None, b"1h", "999999999d", timedelta.max,
        pd.NaT, pd.NA, np.datetime64("NaT"), np.timedelta64("NaT"), np.datetime64("99999-01-01"),
        np.int64(7), pd.Period("2026-01"), pd.Series(["1h"]),
    ],
)  # fmt: skip
def test_anything_else_is_one_line(moment: Any) -> None:
    """What is no point in time is named with what was expected."""
    with pytest.raises(ConfigurationError) as caught:
        micros_of("since", moment, NOW)

    assert str(caught.value).startswith("since= must be an age such as")
    assert "\n" not in str(caught.value)


def test_days_are_named() -> None:
    """Yesterday is what came since its midnight and before today's; a mistyped day is suggested."""
    today, yesterday = (micros_of("since", word, NOW) for word in ("today", "Yesterday"))

    assert yesterday == today - 86_400_000_000  # no clock is changed that day
    assert micros_of("since", "week", NOW) == micros_of("until", "monday", NOW)
    with pytest.raises(ConfigurationError, match=r"Did you mean 'yesterday'"):
        micros_of("since", "yestrday", NOW)
