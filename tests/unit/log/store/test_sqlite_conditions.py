from __future__ import annotations

import pytest

from allos.log.store.protocol import Where
from allos.log.store.sqlite_conditions import Condition, to_sql


def test_no_condition_selects_all() -> None:
    """Without conditions there is no WHERE clause."""
    assert to_sql(Where()) is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (
            Where(any_of={"provider": ("a", "b"), "status": ("ok",)}),
            Condition('"provider" IN (?, ?) AND "status" IN (?)', ("a", "b", "ok")),
        ),
        (
            Where(models=("m",)),
            Condition("(model IN (?) OR provider || '/' || model IN (?))", ("m", "m")),
        ),
        (Where(since=1, until=2), Condition("created_at >= ? AND created_at < ?", (1, 2))),
        (Where(tags=('a"b',)), Condition("(instr(tags, ?))", ('"a\\"b"',))),
        (Where(tags=()), Condition("0")),
        (
            Where(texts=("50%_",)),
            Condition(
                "((prompt LIKE ? ESCAPE '\\' OR content LIKE ? ESCAPE '\\'))",
                ("%50\\%\\_%", "%50\\%\\_%"),
            ),
        ),
    ],
)
def test_conditions(where: Where, expected: Condition) -> None:
    """Values are bound, never written into the SQL; LIKE has its wildcards escaped."""
    assert to_sql(where) == expected
