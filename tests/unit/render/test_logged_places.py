"""Where logged rows stand: which column, which prompt, which repeat."""

from __future__ import annotations

from typing import Any

from allos.render.logged_places import RUN, Place, places


def row(prompt: str = "Hi", model: str = "a", sample: int = 0, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "model": model, "sample_index": sample, "status": "ok", **more}


def at(*rows: dict[str, Any], is_one_run: bool = True) -> list[tuple[int, int, int] | None]:
    found = places(rows, is_one_run=is_one_run)
    return [place and (place.column, place.row, place.sample) for place in found]


def test_prompts_are_rows_and_models_are_columns() -> None:
    """Both in the order of their first row; a repeat keeps its number."""
    assert places([row("One?")]) == [Place(0, 0, 0)]
    assert at(row("1"), row("2"), row("1", "b"), row("2", "b", 1)) == [
        (0, 0, 0),
        (0, 1, 0),
        (1, 0, 0),
        (1, 1, 1),
    ]
    assert at(row(temperature=0.0), row(temperature=1.0)) == [(0, 0, 0), (1, 0, 0)]
    assert at(row(system="Be kind."), row(system="Be terse.")) == [(0, 0, 0), (0, 1, 0)]


def test_equal_calls_are_columns_where_every_prompt_has_them_else_rows() -> None:
    """A model that was named twice is two columns; a text that stands twice in the data is two rows."""
    named_twice = at(row("1"), row("1"), row("2"), row("2"))
    text_twice = at(row("1"), row("2"), row("1"))

    assert named_twice == [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)]
    assert text_twice == [(0, 0, 0), (0, 1, 0), (0, 2, 0)]


def test_a_call_that_was_made_again_has_the_place_of_the_first_one() -> None:
    """What failed or was stopped is replaced, in one prompt of several as well."""
    failed = row("2", status="error")

    assert at(row("1"), failed, row("2")) == [(0, 0, 0), None, (0, 1, 0)]
    assert at(row("1", status="cancelled"), row("1")) == [None, (0, 0, 0)]


def test_equal_calls_of_any_rows_are_repeats() -> None:
    """Whichever comparison they are of; a run may have columns of its own."""
    rows = [row(), row(), row("2")]

    assert at(*rows, is_one_run=False) == [(0, 0, 0), (0, 0, 1), (0, 1, 0)]
    assert at({**row(), RUN: "x"}, {**row(), RUN: "y"}, is_one_run=False) == [(0, 0, 0), (1, 0, 0)]


def test_keys_of_a_comparison_say_where_its_rows_stand() -> None:
    """The order in which calls happened to start or to fail moves no column and no prompt."""

    def keyed(key: str, **more: Any) -> dict[str, Any]:
        return row(task_key=key, **more)

    late = [
        keyed("p0-r1-c2-s0", prompt="2", model="b"),
        keyed("p0-r0-c0-s0", prompt="1"),
        keyed("p0-r0-c2-s0", prompt="1", model="b"),
    ]
    assert at(*late) == [(1, 1, 0), (0, 0, 0), (1, 0, 0)]
    twins = [keyed("p0-r0-c1-s0"), keyed("p0-r0-c0-s0", status="error"), keyed("p0-r0-c0-s0")]
    assert at(*twins) == [(1, 0, 0), None, (0, 0, 0)]
    # Rows of logs that have no keys stand as they come.
    assert at(*late, row("2", "c")) == [(0, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 0)]


def test_columns_of_several_runs_keep_the_order_that_each_had() -> None:
    """Their rows stay as they are given; without keys so do the columns."""

    def keyed(comparison: str, column: int, model: str) -> dict[str, Any]:
        return row(
            model=model, comparison_id=comparison, task_key=f"p0-r0-c{column}-s0", **{RUN: "x"}
        )

    rows = [keyed("new", 1, "b"), keyed("new", 0, "a"), keyed("old", 0, "c")]

    assert at(*rows, is_one_run=False) == [(1, 0, 0), (0, 0, 0), (2, 0, 0)]
    assert at(*rows, row(model="d"), is_one_run=False) == [
        (0, 0, 0),
        (1, 0, 0),
        (2, 0, 0),
        (3, 0, 0),
    ]
