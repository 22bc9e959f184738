from __future__ import annotations

import pandas as pd

from allos.analysis import errors


def test_kinds_of_errors() -> None:
    """Each kind has its number, its share of the calls, its first and last time, its newest message."""
    times = pd.to_datetime([f"2026-11-0{day}" for day in (4, 1, 3, 2, 5)], utc=True)
    frame = pd.DataFrame(
        {
            "created_at": times,
            "provider": "p",
            "model": ["a", "a", "a", "b", "b"],
            "status": ["error", "error", "ok", "error", "cancelled"],
            "error_type": ["RateLimitError", "RateLimitError", None, "APIError", None],
            "http_status": pd.array([429, 429, 200, None, 200], dtype="Int64"),
            "error_message": ["newest", "oldest", None, "odd", None],
        },
        index=[7, 7, 7, 8, 8],  # of frames that were put together
    )
    first, second = errors(frame).to_dict("records")

    assert (first["model"], first["failed"], round(first["share"], 3)) == ("a", 2, 0.667)
    assert (first["first"], first["last"]) == (times[1], times[0])
    assert first["message"] == "newest"
    assert (second["error_type"], second["share"]) == ("APIError", 0.5)
