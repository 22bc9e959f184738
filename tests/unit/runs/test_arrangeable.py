"""Comparisons that are arranged anew: tables, boards and files follow, answers and votes stay."""

from __future__ import annotations

from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.messages import as_messages
from allos.response import ProviderResponse
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.comparison import Comparison
from allos.runs.finished import FinishedComparison
from allos.runs.grid import Grid, build_columns

MODELS = ["groq/a", "mistral/b"]


def running(n: int = 1) -> Comparison:
    """Two models at two temperatures are asked about two cities."""
    columns = build_columns(MODELS, [{"temperature": 0}, {"temperature": 1}], {})
    rows = [{"city": "Rome"}, {"city": "Oslo"}]
    return Comparison(Grid([as_messages("Where is {{ city }}?")], columns, rows=rows, n=n))


def end(comparison: Comparison, start: int = 0) -> None:
    for cell in comparison.cells[start:]:
        cell._finish(ProviderResponse(f"answer {cell.index}", metadata={"status": "ok"}))


@pytest.fixture
def finished() -> FinishedComparison:
    comparison = running()
    end(comparison)
    return FinishedComparison(comparison.named_view())


def places(snapshot: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Model column and row of each cell, as the page reads them."""
    columns = {each["key"]: each["model"] for each in snapshot["columns"]}
    rows = {each["key"]: each["label"] for each in snapshot["rows"]}
    return {c["key"]: (columns[c["column"]], rows[c["row"]]) for c in snapshot["cells"]}


def test_all_that_shows_it_follows(finished: FinishedComparison) -> None:
    """The view, the table, the page of a file; what it was asked as stays beside it."""
    told = []
    finished.watch(lambda: told.append(1))
    assert finished.arrange(columns="temperature", rows="model") is finished

    assert [dict(c.values) for c in finished.view().columns] == [
        {"temperature": "0"},
        {"temperature": "1"},
    ]
    assert len(finished.columns) == len(finished.named_view().columns) == 4
    assert "A  0  temperature" in str(finished)
    assert '"columns_title":"temperature"' in finished.to_html()
    assert told
    assert finished.answers_version == 1

    finished.arrange()
    assert finished.view() is finished.named_view()


def test_a_wrong_name_changes_nothing(finished: FinishedComparison) -> None:
    """The arrangement of before stays."""
    finished.arrange(columns="city")
    with pytest.raises(ConfigurationError, match="Did you mean 'temperature'"):
        finished.arrange(columns="temperatur")

    assert finished.arrangement is not None
    assert finished.arrangement.columns == ("city",)


def test_a_board_is_told_all_of_it_anew(finished: FinishedComparison) -> None:
    """Cells keep their names, so that what was opened and asked of them stays."""
    board = BoardUpdates(finished)
    before = places(board.snapshot())
    finished.arrange(columns="city", rows="model", colour="temperature")
    message = board.changes()
    assert message is not None
    snapshot = message["snapshot"]

    assert before["1.0"] == ("a", "Rome")
    assert places(snapshot)["1.0"] == ("Rome", "groq/a")
    assert snapshot["cells"][2]["label"] == "temperature 1"
    assert snapshot["cells"][2]["model"] == "groq/a"
    assert snapshot["cells"][0]["tint"] != snapshot["cells"][2]["tint"]
    assert (snapshot["rows_title"], snapshot["columns_title"]) == ("model", "city")
    assert snapshot["variables"] == ["model", "temperature", "city"]
    assert snapshot["arranged"] == {
        "rows": ["model"],
        "columns": ["city"],
        "colour": "temperature",
    }
    assert snapshot["summary"]
    assert board.changes() is None

    board.cell("1.0").rating = 1
    board.send_rating("1.0")
    assert board.changes() == {"type": "update", "cells": [{"key": "1.0", "rating": 1}]}


def test_a_running_comparison_can_be_arranged_and_grow() -> None:
    """Answers find their place when they come; a model that is added brings everything anew."""
    comparison = running()
    board = BoardUpdates(comparison)
    comparison.arrange(columns="city", rows="model")
    board.changes()
    comparison.cells[2]._finish(ProviderResponse("Italy", metadata={"status": "ok"}))
    message = board.changes()
    assert message is not None
    assert [(each["key"], each["source"]) for each in message["cells"]] == [("1.0", "Italy")]

    comparison._grid = comparison._grid.with_column("openai/c", {"temperature": 0})
    comparison._add_cells(comparison.columns[4])
    message = board.changes()
    assert message is not None

    assert places(message["snapshot"])["4.1"] == ("Oslo", "openai/c")


def test_a_blind_board_is_as_it_was_asked(finished: FinishedComparison) -> None:
    """Rows could name the models; the arrangement is there again afterwards."""
    finished.arrange(columns="city", rows="model")
    board = BoardUpdates(finished)
    finished.is_blind = True

    assert finished.arrangement is None
    assert all("groq" not in str(row) for row in finished.view().rows)
    # It has become blind since the last changes were sent.
    board._vote = {"phase": "waiting", "answered": 0, "calls": 8}
    hidden = board.snapshot()
    assert "groq/a" not in str([hidden["rows"], hidden["rows_title"], hidden["columns"]])

    finished.is_blind = False
    assert finished.arrangement is not None


def test_an_exported_page_is_arranged_and_does_not_offer_to_be() -> None:
    """That takes a kernel. Its title counts models, not columns that are not there."""
    comparison = running()
    end(comparison)
    comparison.arrange(columns="city")
    html = comparison.to_html()

    assert '"columns_title":"city"' in html
    assert '"variables":[]' in html
    assert "2 models compared" in html
