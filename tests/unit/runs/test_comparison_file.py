"""`to_html` of comparisons: what the file holds, and what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.render.comparison_page import DATA_ID
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from allos.runs.finished import FinishedComparison
from allos.testing import ScriptedProvider
from tests.unit.render import comparison_views as views


def _snapshot(page: str) -> Any:
    found = re.search(rf'id="{DATA_ID}">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])["snapshot"]


def _finished(count: int = 1) -> FinishedComparison:
    return FinishedComparison(views.repeats(*[views.answer("**One**")] * count))


def test_the_page_holds_every_answer_and_a_table() -> None:
    """Also of a board so large that the live one sends texts when they are seen."""
    page = _finished(201).to_html(title="<Mine>")
    snapshot = _snapshot(page)

    assert len(snapshot["cells"]) == 201
    assert all(cell["html"] and not cell["is_deferred"] for cell in snapshot["cells"])
    assert "<title>&lt;Mine&gt;</title>" in page
    assert '<div id="allos-table"><div class="allos-out allos-cmp' in page
    assert (
        " style=" not in page.replace("<style>", "").partition("<body>")[2].partition("<script")[0]
    )
    assert snapshot["can_run"] is False


def test_a_file_is_written_byte_for_byte(tmp_path: Path) -> None:
    """Its line ends are those that its policy's hashes are of; it replaces an older one."""
    path = tmp_path / "page.html"
    path.write_text("older")

    assert _finished().to_html(str(path)) == path
    assert b"\r\n" not in path.read_bytes()
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_faults_are_one_line(tmp_path: Path) -> None:
    """A folder, a path and a title that are none."""
    with pytest.raises(ConfigurationError, match="was not written"):
        _finished().to_html(tmp_path)
    with pytest.raises(ConfigurationError, match="path must be a file's path, got 7"):
        _finished().to_html(7)  # type: ignore[call-overload]
    with pytest.raises(ConfigurationError, match="title must be a string"):
        _finished().to_html(title=3)  # type: ignore[call-overload]


def test_a_comparison_waits_for_its_answers() -> None:
    """As `frame` and `to_csv` do; and nothing can be run in the page."""
    models = [ScriptedProvider(["Italy"], model="a"), ScriptedProvider(["Rome"], model="b")]
    page = compare("Where?", models=models).to_html()

    assert [cell["state"] for cell in _snapshot(page)["cells"]] == ["ok", "ok"]
    assert "2 models compared" in page
    assert "2 answers" in page


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Comparison]:
    """Two models, one prompt, in a log."""
    allos.log.open(tmp_path / "log.sqlite")
    models = [ScriptedProvider(["Italy"], model="one"), ScriptedProvider(["Rome"], model="two")]
    yield compare("Where?", models=models).wait(10)
    allos.log.close()


def test_the_page_shows_what_people_say_in_the_log(logged: Comparison) -> None:
    """Ratings that were given or withdrawn elsewhere, and the ranking by votes, as of now."""
    before = _snapshot(logged.to_html())
    one, two = logged.responses
    allos.rate(one, 1)
    allos.rate(two, -1)
    allos.rate(two, undo=True)
    allos.vote(one, two, "a")
    after = _snapshot(logged.to_html())
    copied = _snapshot(allos.board(logged.frame.assign(comparison_id=None, rating=-1)).to_html())

    assert [cell["rating"] for cell in before["cells"]] == [None, None]
    assert before["ranking"] is None
    assert [cell["rating"] for cell in after["cells"]] == [1, None]
    assert [line["model"] for line in after["ranking"]["lines"]] == ["one", "two"]
    assert [cell["rating"] for cell in copied["cells"]] == [1, -1]


def test_a_blind_page_tells_no_names(logged: Comparison, tmp_path: Path) -> None:
    """Neither in its table nor in its data, at a glance; the comparison itself is as it was."""
    page = logged.to_html(tmp_path / "study.html", blind=True).read_text("utf-8")
    named = logged.to_html()

    assert "scripted/one" in named
    assert "Italy" in page
    assert "name hidden" in page
    assert "scripted/" not in page
    assert "two" not in page.partition("<body>")[2].partition("<script>")[0]
    assert (tmp_path / "log.sqlite.votes-key").exists()
    assert not logged.is_blind


def test_a_page_that_asks_for_votes_is_as_it_was_asked(logged: Comparison) -> None:
    """Rows of another arrangement could name the models."""
    logged.arrange(rows="model", columns=[])

    assert '"rows_title":"model"' in logged.to_html()
    assert "scripted/" not in logged.to_html(blind=True)


def test_a_comparison_that_is_blind_has_a_blind_page(logged: Comparison) -> None:
    """It is asked for by name to tell the names."""
    logged.blind()

    assert "scripted/" not in logged.to_html()
    assert "scripted/one" in logged.to_html(blind=False)
    assert logged.is_blind


def test_without_two_answers_or_a_log_there_is_no_vote(logged: Comparison) -> None:
    """One line says why."""
    same = [ScriptedProvider(["Rome"], model=name) for name in ("a", "b")]
    with pytest.raises(ConfigurationError, match="nothing to vote on"):
        compare("Where?", models=same).to_html(blind=True)
    allos.log.close()
    with pytest.raises(ConfigurationError, match="the log is off"):
        logged.to_html(blind=True)
