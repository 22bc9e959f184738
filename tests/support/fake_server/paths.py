"""Which API a path means, and the answers that need no script: model lists and token counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from .plan import APIS, shape_of
from .seen import Seen

PATHS = {
    "/chat/completions": "chat",
    "/responses": "responses",
    "/messages": "messages",
    "/messages/count_tokens": "count_tokens",
    "/models": "models",
    "/props": "props",
    "/api/show": "show",
    "/files": "files",
    "/batches": "batches",
    "/content": "results",
    "/results": "results",
}
"""End of a path to the API that it means; a test may add its own, with a renderer in `plan.APIS`."""


def api_of(path: str) -> str | None:
    """Tell the API by the end of the path, whatever stands before it."""
    for suffix, api in PATHS.items():
        if path.endswith(suffix):
            return api
    if "/batches/" in path:
        return "batch"
    return "models" if "/models/" in path else None


def listing(
    models: Sequence[str | dict[str, Any]], path: str, seen: Seen
) -> tuple[dict[str, Any], int]:
    """Body and status for a list of models, one model, or a token count."""
    if seen.api == "count_tokens":
        return {"input_tokens": 12}, 200
    if seen.api in ("props", "show"):  # only where a test scripts them
        return APIS[shape_of(seen)].error(404, f"Unknown path: {path}"), 404
    anthropic = shape_of(seen) == "messages"
    rows = [m if isinstance(m, dict) else _model(m, anthropic) for m in models]
    _, found, name = path.partition("/models/")
    if found:
        for row in rows:
            if row.get("id") == unquote(name):
                return row, 200
        error: dict[str, Any] = APIS[shape_of(seen)].error(404, f"model: {name}")
        return error, 404
    if not anthropic:
        return {"object": "list", "data": rows}, 200
    return _page(rows, parse_qs(seen.path.partition("?")[2])), 200


def _page(rows: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """One page of models, 20 unless asked for more, those behind `after_id`."""
    ids = [row["id"] for row in rows]
    start = ids.index(query["after_id"][0]) + 1 if "after_id" in query else 0
    size = min(int(query.get("limit", ["20"])[0]), 1000)
    page = rows[start : start + size]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
    return {"data": page, "has_more": start + size < len(rows), **ends}


def _model(name: str, anthropic: bool) -> dict[str, Any]:
    if not anthropic:
        return {"id": name, "object": "model", "created": 1767225600, "owned_by": "fake"}
    return {
        "type": "model",
        "id": name,
        "display_name": name.title(),
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200000,
        "max_tokens": 64000,
    }
