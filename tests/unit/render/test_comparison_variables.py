"""What the calls of a comparison differ in."""

from __future__ import annotations

from allos.render.comparison_variables import variables
from allos.render.comparison_view import ColumnView, ComparisonView, PromptView, RowView


def view(*columns: ColumnView, rows: tuple[RowView, ...] = (), n: int = 1) -> ComparisonView:
    return ComparisonView(
        id="cmp_1", prompt=PromptView(), columns=columns, cells=(), rows=rows, n=n
    )


def test_values_are_in_the_order_in_which_they_were_asked() -> None:
    """Parameters that one model alone was given are not set for the other; repeats come last."""
    columns = [
        ColumnView(index=0, name="a/x", params={"temperature": 1.0}),
        ColumnView(index=1, name="b/y", params={"temperature": 0.2}),
        ColumnView(index=2, name="a/x", params={"seed": 7}),
    ]
    rows = [
        RowView(index=at, prompt=PromptView(text=word), values={"word": word})
        for at, word in enumerate(("two\n lines", "one"))
    ]

    assert variables(view(*columns, rows=tuple(rows), n=2)) == {
        "model": ("a/x", "b/y"),
        "temperature": ("1", "0.2", "not set"),
        "seed": ("not set", "7"),
        "word": ("two lines", "one"),
        "repeat": ("1", "2"),
    }


def test_equal_columns_are_told_apart_by_their_letter() -> None:
    """The same model may be asked twice."""
    twice = [ColumnView(index=at, name="a/x") for at in range(2)]

    assert variables(view(*twice)) == {"model": ("a/x",), "column": ("A", "B")}


def test_a_value_that_a_row_does_not_have_is_not_set() -> None:
    """Rows of several comparisons stand on one board."""
    rows = [
        RowView(index=0, prompt=PromptView(text="Ciao"), values={"language": "Italian"}),
        RowView(index=1, prompt=PromptView(text="Hello")),
        RowView(index=2, prompt=PromptView(text="Hi")),
    ]
    columns = [ColumnView(index=0, name="a/x", run="1"), ColumnView(index=1, name="a/x")]

    assert variables(view(*columns, rows=tuple(rows))) == {
        "model": ("a/x",),
        "run": ("1", ""),
        "language": ("Italian", "not set"),
        "prompt": ("Ciao", "Hello", "Hi"),
    }
