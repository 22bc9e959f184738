from __future__ import annotations

from allos.prompt_data.text import DataText, count_fitting, plural, value_text


def test_values_in_lists() -> None:
    """Nested values are written like Python's own; arrays inside as lists."""
    import numpy as np

    value = {"a": [1, None, "x"], "b": (np.float32(0.1), b"y"), "c": np.eye(1)}
    assert value_text(value) == "{'a': [1, None, 'x'], 'b': (0.1, b'y'), 'c': [[1.0]]}"


def test_notes_name_what_was_cut() -> None:
    """Own and inner parts."""
    data = DataText(
        "", ("1 of 2 rows sent", "texts cut to 12 characters"), ((".a", ("3 of 9 values sent",)),)
    )

    assert data.notes("x") == [
        "x: 1 of 2 rows sent, texts cut to 12 characters",
        "x.a: 3 of 9 values sent",
    ]


def test_counts() -> None:
    """Pieces count with their separators."""
    assert [count_fitting(["aa", "bb"], budget) for budget in (2, 3, 6)] == [0, 1, 2]
    assert (plural(1, "row"), plural(2000, "row")) == ("1 row", "2,000 rows")
