from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.runs.compare import compare
from allos.runs.logged_comparison import LoggedComparison
from allos.testing import ScriptedProvider
from tests.support.log_rows import a_response, record


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.log.close()


def a_comparison() -> str:
    """Run a comparison of two models and return its id."""
    models = [ScriptedProvider(["One **bold**"]), ScriptedProvider(["Two"])]
    return compare("Explain tides.", models=models, n=1).wait(10).id


def test_a_comparison_comes_back_as_its_table() -> None:
    """Prompt, answers and id are those of the run; nothing is sent."""
    wanted = a_comparison()
    found = allos.comparison(wanted)
    bundle = found._repr_mimebundle_()

    assert isinstance(found, LoggedComparison)
    assert sorted(r.content for r in found.responses) == ["One **bold**", "Two"]
    assert len(found.frame) == 2
    assert "<strong>bold</strong>" in bundle["text/html"]
    assert "Explain tides." in bundle["text/plain"]
    assert wanted in bundle["text/plain"]
    assert repr(found) == f"LoggedComparison({wanted!r}, 2 responses)"


def test_the_beginning_of_an_id_is_enough_where_it_is_unique() -> None:
    """A prefix finds one comparison; of several it names the newest."""
    first, second = a_comparison(), a_comparison()

    assert allos.comparison(f" {second} ").id == second
    assert allos.comparison(second[:-1]).id == second
    common = "".join(a for a, b in zip(first, second, strict=True) if a == b)[:8]
    with pytest.raises(ConfigurationError, match=rf"2 comparisons of the log begin with.*{second}"):
        allos.comparison(common)


@pytest.mark.parametrize("wrong", ["", "  ", None, 5])
def test_what_is_no_id_is_refused(wrong: object) -> None:
    """The message says what an id looks like."""
    with pytest.raises(ConfigurationError, match="needs the id of a comparison"):
        allos.comparison(wrong)  # type: ignore[arg-type]


def test_an_unknown_id_names_the_newest() -> None:
    """Who mistyped one finds it there; a log without comparisons says so."""
    record(a_response())
    with pytest.raises(ConfigurationError, match=r"^The log has no comparison\.$"):
        allos.comparison("cmp_none")
    known = a_comparison()
    with pytest.raises(ConfigurationError, match=rf"no comparison 'cmp_none'\. Newest: {known}"):
        allos.comparison("cmp_none")
    with pytest.raises(ConfigurationError, match=rf"Newest: {known}"):
        allos.comparison("cmp_")
