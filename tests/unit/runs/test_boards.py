"""Boards of logged rows: any frame, and several runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.boards import board
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from allos.testing import ScriptedProvider


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.log.close()


def run(*answers: str) -> Comparison:
    """A comparison of one model over two rows of data."""
    data = [{"city": "Rome"}, {"city": "Oslo"}]
    return compare("Where is {{ city }}?", models=[ScriptedProvider(answers)], data=data).wait(10)


def test_rows_of_one_comparison_are_that_comparison() -> None:
    """It has its id, its prompts as rows, and the values that were put in."""
    done = run("Italy", "Norway")
    shown = board(allos.responses(comparison_id=done.id))

    assert shown.id == done.id
    assert [dict(row.values) for row in shown.view().rows] == [{"city": "Rome"}, {"city": "Oslo"}]
    assert sorted((cell.row, cell.text) for cell in shown.view().cells) == [
        (0, "Italy"),
        (1, "Norway"),
    ]


def test_a_batch_is_shown_with_the_answers_that_it_has() -> None:
    """Itself or as an evaluation; its id says what to do."""
    provider = ScriptedProvider(["Italy", "Norway"])
    data = [{"city": "Rome"}, {"city": "Oslo"}]
    asked = allos.batch(data, "Where is {{ city }}?", models=provider).wait(10)
    scored = allos.evaluate(data, "Where is {{ city }}?", models=provider, scorers=len).wait(10)

    for each in (asked, scored):
        assert sorted(cell.text for cell in board(each).view().cells) == ["Italy", "Norway"]
    with pytest.raises(ConfigurationError, match="is a batch"):
        board(asked.id)


def test_equal_calls_of_several_comparisons_are_repeats() -> None:
    """Any rows of the log stand side by side."""
    run("Italy", "Norway")
    run("In Italy", "Norway")
    shown = board(allos.responses())
    view = shown.view()

    assert (len(view.columns), len(view.rows), view.n, view.logged) == (1, 2, 2, False)
    assert shown.id.startswith("board_")
    assert shown.done
    assert not shown.can_run


def test_several_runs_share_rows_and_have_columns_of_their_own() -> None:
    """By prompt; each column is named after its run."""
    first, second = run("Italy", "Norway"), run("In Italy", "Norway")
    view = board(first.id, second).view()
    numbered = board(allos.responses(), second.frame).view()

    assert [column.run for column in view.columns] == [f"…{first.id[-4:]}", f"…{second.id[-4:]}"]
    assert [(cell.column, cell.row, cell.text) for cell in view.cells] == [
        (0, 0, "Italy"),
        (0, 1, "Norway"),
        (1, 0, "In Italy"),
        (1, 1, "Norway"),
    ]
    assert [row.change for row in view.rows] == [0.5, 0.0]
    assert [column.run for column in numbered.columns] == ["run 1", "run 2"]
    assert [column.run for column in board(first, first).view().columns] == ["run 1", "run 2"]


def test_a_board_of_rows_is_arranged_by_any_variable() -> None:
    """Values of the data, parameters, and the runs of a board of several."""
    first, second = run("Italy", "Norway"), run("In Italy", "Norway")
    cities = board(first.id, columns="city").view()
    runs = board(first.id, second.id, columns="city", rows="run").view()
    with pytest.raises(ConfigurationError, match="'town' is not a variable"):
        board(first.id, rows="town")

    assert [dict(column.values) for column in cities.columns] == [
        {"city": "Rome"},
        {"city": "Oslo"},
    ]
    assert [cell.text for cell in cities.cells] == ["Italy", "Norway"]
    assert [row.values["run"] for row in runs.rows] == [f"…{first.id[-4:]}", f"…{second.id[-4:]}"]
    assert [cell.text for cell in runs.cells] == ["Italy", "In Italy", "Norway", "Norway"]


def test_the_runs_of_a_model_stand_next_to_each_other() -> None:
    """Whichever other models were asked."""
    one, two = ScriptedProvider(["a"]), ScriptedProvider(["b"])
    first = compare("Hi", models=[one, two], params=[{"seed": 1}, {"seed": 2}]).wait(10)
    view = board(first, first).view()

    assert [(column.index, column.params["seed"], column.run) for column in view.columns] == [
        (0, 1, "run 1"),
        (1, 1, "run 2"),
        (2, 2, "run 1"),
        (3, 2, "run 2"),
    ]
    assert [cell.column for cell in view.cells] == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ((), "needs rows of the log"),
        ((5,), "got 5"),
        ((pd.DataFrame({"model": ["m"]}),), "has no column 'provider', 'content'"),
        ((pd.DataFrame({"provider": [], "model": [], "content": []}),), "without rows"),
        (("cmp_none",), "The log has no comparison"),
    ],
)
def test_what_is_no_run_is_refused(runs: tuple[object, ...], message: str) -> None:
    """One line says what is missing."""
    with pytest.raises(ConfigurationError, match=message):
        board(*runs)  # type: ignore[arg-type]


def test_the_table_of_several_runs_names_them() -> None:
    """Text and static table say which run a column is of; rows that differ most come first."""
    first, second = run("Italy", "Norway"), run("Italy", "In Norway")
    shown = board(first, second)

    assert str(shown).index("Oslo\n") < str(shown).index("Rome\n")
    for done in (first, second):
        assert f"…{done.id[-4:]}" in str(shown)
        assert f"…{done.id[-4:]}" in shown.to_html()


def test_runs_of_different_models_are_compared_too() -> None:
    """What changed is then from one run's answers to the other's."""
    other = [ScriptedProvider(["Italy", "In Norway"], model="other")]
    data = [{"city": "Rome"}, {"city": "Oslo"}]
    second = compare("Where is {{ city }}?", models=other, data=data).wait(10)

    assert [row.change for row in board(run("Italy", "Norway"), second).view().rows] == [0.0, 0.5]


def test_who_finished_first_is_said_of_calls_that_were_started_together() -> None:
    """Those of a batch wait for their turn, those of several runs have other days; in the table and on the board."""
    models = [ScriptedProvider("Italy", model=name) for name in "ab"]
    together = compare("Where is Rome?", models=models).wait(10)
    batch = allos.batch([{"city": "Rome"}], "Where is {{ city }}?", models=models).wait(10)
    for made, is_said in (
        (together, True),
        (board(together), True),
        (board(batch), False),
        (board(together, together.frame), False),
    ):
        assert ("first to finish" in str(made)) is is_said
        assert ("first to finish" in str(BoardUpdates(made).snapshot()["summary"])) is is_said
