"""A `Where` as SQL for SQLite."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from allos.log.json_text import to_json_text
from allos.log.store.protocol import Where


class Condition(NamedTuple):
    """Boolean SQL expression and the values of its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()


def to_sql(where: Where) -> Condition | None:
    """Condition on the table `responses`; None when every row is selected."""
    parts = [_one_of(f'"{name}"', values) for name, values in where.any_of.items()]
    if where.models is not None:
        parts.append(_model(where.models))
    if where.since is not None:
        parts.append(Condition("created_at >= ?", (where.since,)))
    if where.until is not None:
        parts.append(Condition("created_at < ?", (where.until,)))
    if where.tags is not None:
        # In the JSON array a tag has quotes around it, and JSON escapes those inside a tag.
        tags = [(to_json_text(tag),) for tag in where.tags]
        parts.append(_any("instr(tags, ?)", tags))
    if where.texts is not None:
        patterns = [_like(text) for text in where.texts]
        parts.append(
            _any(
                "(prompt LIKE ? ESCAPE '\\' OR content LIKE ? ESCAPE '\\')",
                [(pattern, pattern) for pattern in patterns],
            )
        )
    if not parts:
        return None
    return Condition(
        " AND ".join(part.sql for part in parts),
        tuple(value for part in parts for value in part.values),
    )


def _one_of(expression: str, values: Sequence[str]) -> Condition:
    return Condition(f"{expression} IN ({', '.join('?' * len(values))})", tuple(values))


def _model(values: Sequence[str]) -> Condition:
    name, full_name = _one_of("model", values), _one_of("provider || '/' || model", values)
    return Condition(f"({name.sql} OR {full_name.sql})", name.values + full_name.values)


def _any(sql: str, values: Sequence[tuple[str, ...]]) -> Condition:
    if not values:
        return Condition("0")
    alternatives = " OR ".join([sql] * len(values))
    return Condition(f"({alternatives})", tuple(value for each in values for value in each))


def _like(text: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
