"""Views of a comparison: from a live run, and from its logged rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.engine import retry
from allos.errors import IncompleteStreamError
from allos.messages import Message, MessageRole
from allos.parts import File, Image
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import ColumnView, ComparisonView, PromptView
from allos.runs.active_runs import stop_all
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.unit.render import comparison_views as views


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer("**Hello** there.") as started, retry.using(base_s=0):
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        yield started
        stop_all()
        allos.log.close()


@pytest.fixture
def finished(server: FakeServer) -> Comparison:
    """A comparison with everything that the log holds: texts, a tool call, a failure, repeats."""
    server.reply(Reply(tool_calls=[Call("weather", {"city": "Köln"})]), on="tool")
    server.reply(Fault.model_not_found(), on="absent")
    server.reply(Reply(text="Half an", finish="length"), on="short")
    messages = [
        Message(MessageRole.SYSTEM, "Be terse."),
        Message(MessageRole.USER, "One?"),
        Message(MessageRole.ASSISTANT, "One."),
        Message(MessageRole.USER, "Two <b>?"),
    ]
    return compare(
        messages,
        models=["groq/plain", "groq/tool", "groq/absent", "groq/short", "groq/plain"],
        params=[{"temperature": 0, "stop": ["END"]}, {"temperature": 0.5, "extra": {"top_k": 3}}],
        n=2,
        max_tokens=20,
    ).wait(60)


def by_layout(rows: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Rows of the log in the order of the comparison's cells."""
    order = [response.id for response in comparison.responses]
    return rows.set_index("id", drop=False).loc[order]


def test_logged_rows_draw_the_same_table(finished: Comparison) -> None:
    """The table of a comparison and that of its rows are the same, as HTML and as text.

    The log does not hold, and so the comparison above does not have: the order of columns (rows come
    in the order in which calls were made), the order of parameters, parameters that are not sent
    (`timeout_s`, `headers` ...), the value in `parsed` of a structured answer, which of two equal
    columns a row belongs to, and calls that have not ended.
    """
    live = finished.view()
    allos.log.flush()
    logged = by_layout(allos.responses(comparison_id=finished.id), finished)

    for frame in (finished.frame, logged):
        view = ComparisonView.from_frame(frame)

        assert comparison_html(view) == comparison_html(live)
        assert comparison_text(view) == comparison_text(live)
    assert "list_models()" in comparison_html(live)
    assert "cut at max_tokens" in comparison_html(live)
    assert "Köln" in comparison_html(live)


def test_a_live_comparison_shows_what_has_come(server: FakeServer) -> None:
    """Before the end a cell has its state and its text so far, and no response."""
    server.reply(Reply(chunks=["word "] * 200, delay_s=0.02))
    comparison = compare("Hi", models=["groq/m"])
    try:
        while not comparison.cells[0].pieces:
            comparison.cells[0].wait(0.01)
        (cell,) = comparison.view().cells
    finally:
        comparison.cancel()
    comparison.wait(10)
    (stopped,) = comparison.view().cells

    assert (cell.state, cell.response) == ("running", None)
    assert cell.text.startswith("word ")
    assert stopped.state == "cancelled"
    assert stopped.response is comparison.cells[0].response


def rows(*changes: dict[str, Any]) -> pd.DataFrame:
    """Rows of one comparison; columns that are not named are missing."""
    usual = {"comparison_id": "cmp_1", "provider": "groq", "model": "m", "status": "ok"}
    return pd.DataFrame([{**usual, **each} for each in changes])


def test_equal_calls_get_columns_of_their_own() -> None:
    """The same model twice is two columns; a retried call is one."""
    twice = ComparisonView.from_frame(rows({"content": "a"}, {"content": "b"}))
    failed = {
        "status": "error",
        "error_type": "IncompleteStreamError",
        "error_message": "It broke.",
    }
    retried = ComparisonView.from_frame(rows(failed, {"content": "b"}))

    assert [cell.text for cell in twice.cells] == ["a", "b"]
    assert twice.columns == tuple(ColumnView(index=k, name="groq/m") for k in range(2))
    assert [cell.text for cell in retried.cells] == ["b"]


def test_rows_know_what_is_missing() -> None:
    """Null is unknown, a repeat has its number, an error has its class and its words."""
    frame = rows(
        {"sample_index": 1, "latency_s": None, "temperature": 0.0},
        {
            "sample_index": 0,
            "latency_s": 0.5,
            "temperature": 0.0,
            "status": "error",
            "error_type": "IncompleteStreamError",
            "error_message": "It broke.",
        },
        {"sample_index": 0, "temperature": 1.0, "error_type": "TheirOwnError"},
    )
    view = ComparisonView.from_frame(frame.convert_dtypes())
    first, second, third = view.cells

    assert view.n == 2
    assert [column.params for column in view.columns] == [{"temperature": 0}, {"temperature": 1}]
    assert [cell.sample_index for cell in (first, second, third)] == [0, 1, 0]
    assert first.response is not None
    assert isinstance(first.response.error, IncompleteStreamError)
    assert str(first.response.error) == "It broke."
    assert first.response.latency_s == 0.5
    assert second.response is not None
    assert "latency_s" not in second.response.metadata
    assert third.response is not None
    assert str(third.response.error) == "TheirOwnError"
    assert view.prompt == PromptView()


@pytest.mark.parametrize(
    "frame",
    [
        rows({}, {"comparison_id": "cmp_2"}),
        rows({"comparison_id": None}),
        rows({}).iloc[:0],
        rows({}).drop(columns="comparison_id"),
    ],
)
def test_rows_must_be_of_one_comparison(frame: pd.DataFrame) -> None:
    """Rows of several comparisons, of none, and no rows are refused."""
    with pytest.raises(ValueError, match="expected the rows of one comparison"):
        ComparisonView.from_frame(frame)


def test_a_view_of_nothing_logged_says_so() -> None:
    """Without a log the last line names the comparison alone."""
    view = ComparisonView.from_frame(rows({"content": "a"}))

    assert comparison_text(view).endswith("logged as cmp_1")
    assert comparison_text(replace(view, logged=False)).endswith(" done\ncmp_1")


def test_no_import_of_pandas() -> None:
    """A view of a live run needs no pandas."""
    code = "import allos.render.comparison_view, sys; sys.exit('pandas' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("provider", "model", "name", "heading"),
    [
        (None, None, "unnamed model", ("unnamed model", "")),
        ("", " \u200b", "unnamed model", ("unnamed model", "")),
        ("groq", None, "groq/unnamed model", ("unnamed model", "groq")),
        (None, "m", "m", ("m", "")),
        ("groq", "openai/m", "groq/openai/m", ("openai/m", "groq")),
    ],
)
def test_every_column_has_a_name(
    provider: str | None, model: str | None, name: str, heading: tuple[str, str]
) -> None:
    """Rows may lack the model or the service: the heading says so, in place of being blank."""
    frame = pd.DataFrame([{"content": "Hi", "prompt": "Q", "provider": provider, "model": model}])
    view = ComparisonView.from_rows(frame, "board_1")

    assert (view.columns[0].name, view.columns[0].heading) == (name, heading)
    assert f"</b> <b>{heading[0]}</b>" in comparison_html(view)


def test_a_prompt_shows_its_images_and_files() -> None:
    """Images that a browser draws are drawn; a URL is never fetched, a file is named."""
    png = Image(data=b"\x89PNG\r\n\x1a\n" + bytes(400))
    message = Message(
        MessageRole.USER,
        ("What?", png, Image(url="https://example.org/c.jpg"), File(data=b"a,b", name="n.csv")),
    )
    view = views.view_of(
        [ColumnView(index=0, name="a/a")], [views.finished(views.answer())], (message,)
    )
    page, text = comparison_html(view), comparison_text(view)

    assert page.count("<img") == 1
    assert 'src="https://' not in page
    assert "n.csv, 3 bytes" in page
    assert "n.csv, 3 bytes" in text
    assert "https://example.org/c.jpg" in text
