"""A `Where` as SQL for PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from allos.log.json_text import to_json_text
from allos.log.store.protocol import Where


def to_sql(where: Where) -> tuple[str, list[Any]]:
    """Condition on the table `responses`, and the values of its placeholders."""
    parts: list[str] = []
    values: list[Any] = []

    def add(sql: str, *some: Any) -> None:
        parts.append(sql)
        values.extend(some)

    for name, wanted in where.any_of.items():
        add(f'"{name}" = ANY(%s)', list(wanted))
    if where.models is not None:
        models = list(where.models)
        add("(model = ANY(%s) OR provider || '/' || model = ANY(%s))", models, models)
    if where.since is not None:
        add("created_at >= %s", where.since)
    if where.until is not None:
        add("created_at < %s", where.until)
    if where.tags is not None:
        # In the JSON array a tag has quotes around it, and JSON escapes those inside a tag.
        tags = [to_json_text(tag) for tag in where.tags]
        add("EXISTS (SELECT FROM unnest(%s::text[]) AS tag WHERE strpos(tags, tag) > 0)", tags)
    if where.texts is not None:
        # In the collation "C" only A to Z match a to z, as in SQLite.
        patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", text) + "%" for text in where.texts]
        either = " OR ".join(f'{name} COLLATE "C" ILIKE ANY(%s)' for name in ("prompt", "content"))
        add(f"({either})", patterns, patterns)
    return " AND ".join(parts) or "true", values
