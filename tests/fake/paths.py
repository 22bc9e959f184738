"""Which API a path means, and the answers that need no script: model lists and token counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .plan import APIS, shape_of
from .seen import Seen

_PATHS = {
    "/chat/completions": "chat",
    "/responses": "responses",
    "/messages": "messages",
    "/messages/count_tokens": "count_tokens",
    "/models": "models",
}


def api_of(path: str) -> str | None:
    """Tell the API by the end of the path, whatever stands before it."""
    for suffix, api in _PATHS.items():
        if path.endswith(suffix):
            return api
    return "models" if "/models/" in path else None


def listing(
    models: Sequence[str | dict[str, Any]], path: str, seen: Seen
) -> tuple[dict[str, Any], int]:
    """Body and status for a list of models, one model, or a token count."""
    if seen.api == "count_tokens":
        return {"input_tokens": 12}, 200
    anthropic = shape_of(seen) == "messages"
    rows = [m if isinstance(m, dict) else _model(m, anthropic) for m in models]
    _, found, name = path.partition("/models/")
    if found:
        for row in rows:
            if row.get("id") == name:
                return row, 200
        error: dict[str, Any] = APIS[shape_of(seen)].error(404, f"model: {name}")
        return error, 404
    if not anthropic:
        return {"object": "list", "data": rows}, 200
    ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {}
    return {"data": rows, "has_more": False, **ends}, 200


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
