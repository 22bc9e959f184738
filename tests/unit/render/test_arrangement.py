"""A comparison arranged anew: which answers stand where, what they are called, which colour they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.render.arrangement import MAX_COLUMNS, Arranged, arrange, make_arrangement
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import (
    CellView,
    ColumnView,
    ComparisonView,
    PromptView,
    RowView,
    Tint,
)
from tests.unit.render import comparison_views as views

MODELS = ("groq/llama", "mistral/small")
LANGUAGES = ("Thai", "Italian", "Arabic")


def grid(n: int = 1, temperatures: tuple[float, ...] = (0.0, 0.9)) -> ComparisonView:
    """Two models at two temperatures say hello in three languages; an answer tells what it answers."""
    columns = [
        ColumnView(index=at, name=name, params={"temperature": value, "max_tokens": 60})
        for at, (name, value) in enumerate((m, t) for m in MODELS for t in temperatures)
    ]
    rows = [
        RowView(index=at, prompt=PromptView(text=f"Hello in {word}."), values={"language": word})
        for at, word in enumerate(LANGUAGES)
    ]
    cells = [
        CellView(
            column=column.index,
            row=row.index,
            sample_index=sample,
            state="ok",
            response=views.answer(
                f"{column.name} {column.params['temperature']} {row.values['language']} {sample}"
            ),
            rating=1 if (column.index, row.index) == (1, 2) else None,
        )
        for column in columns
        for row in rows
        for sample in range(n)
    ]
    return replace(
        views.view_of(columns, cells, n=n),
        prompt=PromptView(text="Hello in {{ language }}."),
        rows=tuple(rows),
    )


def arranged(view: ComparisonView, **chosen: Any) -> ComparisonView:
    return arrange(view, make_arrangement(view, **chosen))


def texts(view: ComparisonView) -> dict[tuple[int, int], list[str]]:
    """Answers by column and row."""
    found: dict[tuple[int, int], list[str]] = {}
    for cell in view.cells:
        assert cell.response is not None
        found.setdefault((cell.column, cell.row), []).append(cell.response.content)
    return found


def test_one_variable_becomes_columns_and_all_others_rows() -> None:
    """Every answer is there once, in the order in which the values were asked."""
    view = arranged(grid(), columns="temperature")

    assert [dict(column.values) for column in view.columns] == [
        {"temperature": "0"},
        {"temperature": "0.9"},
    ]
    assert [tuple(row.values.values()) for row in view.rows] == [
        (model, language) for model in MODELS for language in LANGUAGES
    ]
    assert texts(view)[1, 4] == ["mistral/small 0.9 Italian 0"]
    assert len(texts(view)) == 12
    assert not any(cell.label for cell in view.cells)


def test_rows_alone_leave_the_others_as_columns() -> None:
    """A model that is among the columns' variables looks as in any comparison."""
    view = arranged(grid(), rows="language")
    as_asked = grid()

    assert [column.name for column in view.columns] == [each.name for each in as_asked.columns]
    assert [column.params for column in view.columns] == [each.params for each in as_asked.columns]
    assert not any(column.values for column in view.columns)
    assert texts(view) == texts(as_asked)


def test_answers_of_one_place_say_what_they_are_of() -> None:
    """As repeats stand, each with its label; what a person said of one stays with it."""
    view = arranged(grid(), columns="language", rows="model")
    here = [cell for cell in view.cells if (cell.column, cell.row) == (2, 0)]

    assert [column.values["language"] for column in view.columns] == list(LANGUAGES)
    assert [row.values["model"] for row in view.rows] == list(MODELS)
    assert [cell.sample_index for cell in here] == [0, 1]
    assert [cell.label for cell in here] == ["temperature 0", "temperature 0.9"]
    assert [cell.rating for cell in here] == [None, 1]


def test_repeats_stay_repeats_and_can_be_columns() -> None:
    """Where nothing else shares their place they have no label."""
    by_model = arranged(grid(n=2), columns="temperature")
    by_repeat = arranged(grid(n=2), columns="repeat", rows=["model", "language", "temperature"])

    assert by_model.n == 2
    assert {cell.label for cell in by_model.cells} == {""}
    assert texts(by_model)[0, 0] == ["groq/llama 0.0 Thai 0", "groq/llama 0.0 Thai 1"]
    assert [dict(column.values) for column in by_repeat.columns] == [
        {"repeat": "1"},
        {"repeat": "2"},
    ]
    assert texts(by_repeat)[1, 0] == ["groq/llama 0.0 Thai 1"]


def test_nothing_as_rows_puts_all_others_into_one_place() -> None:
    """An empty list is no variable; the prompt of the comparison stands above."""
    view = arranged(grid(), columns="model", rows=[])

    assert view.rows == ()
    assert [len(each) for each in texts(view).values()] == [6, 6]
    assert view.cells[0].label == "temperature 0 · Thai"
    assert "temperature 0.9 · Arabic" in comparison_html(view)


def test_colours_stand_for_models_or_for_any_variable() -> None:
    """A column has the colour that all of its answers have; else each answer has its own."""
    as_asked = grid()
    by_language = arranged(as_asked, columns="language")
    coloured = arranged(as_asked, colour="temperature")
    tints = [column.tint for column in coloured.columns]

    assert [column.tint for column in by_language.columns] == [Tint(-1)] * 3
    assert len({cell.tint for cell in by_language.cells}) == 4  # two models in two shades
    assert tints[0] == tints[2] != tints[1] == tints[3]
    assert {cell.tint for cell in coloured.cells} == {None}
    assert [row.values for row in coloured.rows] == [row.values for row in as_asked.rows]


def test_a_row_has_a_prompt_where_it_has_only_one() -> None:
    """It is read above the answers, and searched in."""
    by_language = arranged(grid(), rows="language", columns="model")
    by_model = arranged(grid(), rows="model", columns="language")

    assert by_language.rows[0].prompt.text == "Hello in Thai."
    assert [row.prompt.text for row in by_model.rows] == ["", ""]


def test_runs_and_equal_columns_and_prompts_are_variables_too() -> None:
    """Whatever tells two calls apart; a value that must not be shown tells nothing."""
    columns = [
        ColumnView(index=0, name="a/b", run="…1234", params={"headers": {"x": "1"}}),
        ColumnView(index=1, name="a/b", run="…5678", params={"headers": {"x": "2"}}),
        ColumnView(index=2, name="a/b", run="…5678", params={"headers": {"x": "3"}}),
    ]
    rows = [RowView(index=at, prompt=PromptView(text=text)) for at, text in enumerate("xyy")]
    view = replace(views.view_of(columns, []), rows=tuple(rows))
    by_run = Arranged(view, make_arrangement(view, columns="run", rows="prompt")).layout  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="It has: model, run, column, prompt, row"):
        make_arrangement(view, rows="headers")

    assert [dict(column.values) for column in by_run.columns] == [
        {"run": "…1234"},
        {"run": "…5678"},
    ]
    assert [row.values["prompt"] for row in by_run.rows] == ["x", "y"]


def test_a_column_of_the_data_may_have_the_name_of_something_else() -> None:
    """It is another variable then."""
    row = RowView(index=0, prompt=PromptView(), values={"model": "T", "temperature": "hot"})
    view = replace(grid(), rows=(row,))

    assert make_arrangement(view, columns="model (data)", rows="temperature (data)") is not None


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"columns": "temprature"}, "'temprature' is not a variable .* mean 'temperature'"),
        ({"rows": "zzz"}, "It has: model, temperature, max_tokens, language."),
        ({"colour": "langage"}, "Did you mean 'language'"),
        ({"rows": "model", "columns": ["model"]}, "'model' is given twice"),
        ({"rows": ["model", "model"]}, "'model' is given twice"),
        ({"columns": 3}, "columns must be a variable's name or a list of names, got 3"),
        ({"rows": [1]}, "rows must be a variable's name"),
        ({"colour": ["model"]}, "colour must be a variable's name"),
    ],
)
def test_a_wrong_name_is_one_clear_line(chosen: dict[str, Any], message: str) -> None:
    """It says what the comparison has."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        make_arrangement(grid(), **chosen)

    assert "\n" not in str(caught.value)


def test_more_columns_than_a_table_has_are_refused() -> None:
    """As rows they are fine."""
    rows = [
        RowView(index=at, prompt=PromptView(text=str(at)), values={"id": str(at)})
        for at in range(MAX_COLUMNS + 1)
    ]
    view = replace(views.view_of([ColumnView(index=0, name="a/b")], []), rows=tuple(rows))
    with pytest.raises(ConfigurationError, match="201 columns, more than 200"):
        make_arrangement(view, columns="id")

    assert make_arrangement(view, rows="id") is not None


def test_as_asked_is_no_arrangement() -> None:
    """Nothing is made anew for it."""
    view = grid()

    assert make_arrangement(view) is None
    assert make_arrangement(view, colour="model") is None
    assert arrange(view, None) is view


def test_tables_show_the_arrangement() -> None:
    """Heads name the values, rows their variable; equal answers are one with all of their names."""
    view = arranged(grid(), columns="language", rows="model")
    same = replace(
        view, cells=tuple(replace(cell, response=views.answer("Hi")) for cell in view.cells)
    )
    html, text = comparison_html(same), comparison_text(same)

    assert "<b>Thai</b><br><small><span>language</span></small>" in html
    assert '<th class="allos-row" align="left" valign="top"' in html
    assert "temperature 0, temperature 0.9" in html
    assert html.count("Hi") == text.count("Hi") == 6
    assert "A  Thai  language" in text
    assert "(temperature 0, temperature 0.9)" in text


def test_a_place_of_many_answers_is_cut_in_tables() -> None:
    """A saved notebook does not grow with the data; repeats of one call are all there, as before."""
    rows = [
        RowView(index=at, prompt=PromptView(text=str(at)), values={"id": str(at)})
        for at in range(25)
    ]
    cells = [
        CellView(column=0, row=at, state="ok", response=views.answer(f"answer-{at}."))
        for at in range(25)
    ]
    column = ColumnView(index=0, name="a/b")
    view = arranged(
        replace(views.view_of([column], cells), rows=tuple(rows)), columns="model", rows=[]
    )
    repeats = views.repeats(*[views.answer(f"answer-{at}.") for at in range(25)])

    for shown in (comparison_html(view), comparison_text(view)):
        assert shown.count("answer-") == 20
        assert "5 more answers here are not in this table." in shown
    assert comparison_html(repeats).count("answer-") == 25


def test_what_a_service_or_a_person_wrote_stays_text() -> None:
    """Names and values stand in heads, rows and labels."""
    evil = "<img src=x onerror=alert(1)>"
    rows = [
        RowView(index=at, prompt=PromptView(text=evil), values={evil: evil + str(at), "b": str(at)})
        for at in range(2)
    ]
    columns = [ColumnView(index=at, name=evil + str(at)) for at in range(2)]
    cells = [
        CellView(column=c, row=r, state="ok", response=views.answer("Hi", latency_s=c))
        for c in range(2)
        for r in range(2)
    ]
    view = replace(views.view_of(columns, cells), rows=tuple(rows))
    for chosen in ({"columns": evil, "rows": "b"}, {"columns": "b", "rows": []}):
        assert "<img" not in comparison_html(arranged(view, **chosen))
