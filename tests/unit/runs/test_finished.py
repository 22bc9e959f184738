"""A comparison of which nothing runs, as a board sees it."""

from __future__ import annotations

from allos.errors import Interrupted
from allos.runs.board_messages.source import BoardSource
from allos.runs.finished import FinishedComparison
from tests.unit.render import comparison_views as views


def test_it_is_what_a_board_shows() -> None:
    """Everything is new at first, and nothing after that."""
    view = views.comparison(groq_a=views.answer("One"), groq_b=views.answer("Two"))
    source: BoardSource = FinishedComparison(view)
    version, cells = source.changed_since(0)
    source.watch(lambda: None)
    source.unwatch(lambda: None)

    assert [cell.snapshot().response for cell in cells] == [cell.response for cell in view.cells]
    assert source.changed_since(version) == (version, [])
    assert (source.done, source.can_run, source.wait(1)) == (True, False, source)
    assert source.view() is view
    assert source.layout().cells == ()
    assert isinstance(source.interrupted(), Interrupted)


def test_it_shows_its_table_without_a_board() -> None:
    """Where nothing is interactive, and for print."""
    done = FinishedComparison(views.comparison(groq_a=views.answer("**One**")))
    bundle = done._repr_mimebundle_()

    assert bundle["text/html"].startswith("<div")
    assert "<strong>One</strong>" in bundle["text/html"]
    assert "One" in bundle["text/plain"]
    assert [cell.sample_index for cell in done.cells_of(0)] == [0]
