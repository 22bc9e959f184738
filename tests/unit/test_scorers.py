from __future__ import annotations

from typing import Any

import pytest

from allos import scorers
from allos.errors import ConfigurationError
from allos.scorers import as_scorer


def row(content: Any, target: Any = None) -> dict[str, Any]:
    return {"content": content, "target": target}


@pytest.mark.parametrize(
    ("name", "content", "target", "expected"),
    [
        ("exact", " Billing.\n", "billing", True),
        ("exact", "two  words", "Two words", True),
        ("exact", "billing or not", "billing", False),
        ("exact", None, "billing", False),
        ("exact", "12", 12, True),
        ("includes", "It is billing, I think", "billing", True),
        ("includes", "rebilling", "billing", False),
        ("includes", "C++ it is", "c++", True),
        ("numeric", "First 3, then 1,250.5 kg.", 1250.5, True),
        ("numeric", "about -4e2", "-400", True),
        ("numeric", "none", 3, False),
        ("json_equal", '{"b": 1, "a": [2]}', '{"a": [2], "b": 1}', True),
        ("json_equal", '```json\n{"a": 1}\n```', {"a": 1}, True),
        ("json_equal", '{"a": 1', {"a": 1}, False),
        ("similarity", "same", "Same", 1.0),
        ("similarity", "abcd", "wxyz", 0.0),
    ],
)
def test_ready_scorers(name: str, content: Any, target: Any, expected: float) -> None:
    """Each compares the answer with a column."""
    assert as_scorer(name, target="target")(row(content, target)) == expected


@pytest.mark.parametrize(
    ("scorer", "content", "expected"),
    [
        (scorers.regex(r"^\d+$"), "42", True),
        (scorers.regex(r"^\d+$"), "no 42", False),
        (scorers.one_of(["Billing", "other"]), "billing.", True),
        (scorers.one_of(["Billing", "other"]), "bill", False),
        (scorers.schema_valid(int), "3", True),
        (scorers.schema_valid({"type": "object", "required": ["a"]}), "{}", False),
        (scorers.exact(target="target", ignore_case=False), "Abc", False),
        (scorers.numeric(target="target", within=5), "104", True),
    ],
)
def test_ready_scorers_with_options(scorer: scorers.Scorer, content: str, expected: bool) -> None:
    """They need no target, or have their own."""
    found = as_scorer(scorer)({"content": content, "target": 100 if content == "104" else "abc"})

    assert found is expected


def test_versions_change_with_what_a_scorer_does() -> None:
    """Options, and the source of a function; not the name of the column."""

    def mine(row: Any) -> bool:
        return True

    def other(row: Any) -> bool:
        return False

    assert scorers.numeric(within=1).version != scorers.numeric(within=2).version
    assert scorers.exact("a").version == scorers.exact("b", name="x").version
    assert as_scorer(mine).version != as_scorer(other).version
    assert as_scorer(mine).name == "mine"
    assert as_scorer(lambda row: 1).name == "scorer"


@pytest.mark.parametrize(
    "source",
    [
        len,
        lambda row, strict=True: 1,
        lambda *rows: 1,
        str.strip,
        type("Of", (), {"__call__": lambda self, row: 1})(),
    ],
)
def test_whatever_takes_one_argument_is_a_scorer(source: Any) -> None:
    """Functions in C, with defaults, and objects that are called."""
    assert as_scorer(source).function is source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("exct", "There is no scorer 'exct'. Did you mean 'exact'"),
        ("exact", "needs a column to compare with"),
        (scorers.exact, "needs a column to compare with"),
        (5, "must be a function of a row"),
        (lambda answer, row: 1, "must take one argument, the row"),
        (lambda: 1, "must take one argument, the row"),
    ],
)
def test_what_is_no_scorer_is_refused(source: Any, message: str) -> None:
    """One line that says what to do."""
    with pytest.raises(ConfigurationError, match=message):
        as_scorer(source)
    with pytest.raises(ConfigurationError, match="is not a valid regular expression"):
        scorers.regex("(")
