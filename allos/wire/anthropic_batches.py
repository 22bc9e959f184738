"""Anthropic's batch API: https://docs.anthropic.com/en/api/creating-message-batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from allos.errors import InvalidResponseError
from allos.wire import error_mapping
from allos.wire.batch_api import PAGE, BatchApi, BatchLine, ServiceBatch
from allos.wire.http_io import encode_json, fetch
from allos.wire.json_fields import count, json_dict, text

if TYPE_CHECKING:
    from allos.wire.clients import Client

_PATH = "/v1/messages/batches"
_DONE = ("succeeded", "errored", "canceled", "expired")


class AnthropicBatches(BatchApi):
    """Batches of Messages. The service keeps no name: a lost one is found by its time and size."""

    keeps_names = False

    def line(self, key: str, body: Mapping[str, Any]) -> bytes:
        return encode_json({"custom_id": key, "params": body})

    async def submit(
        self,
        client: Client,
        lines: Sequence[bytes],
        name: str,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceBatch:
        body = b'{"requests":[' + b",".join(lines) + b"]}"
        return self._batch(await fetch(client, _PATH, body, headers))

    async def poll(self, client: Client, batch_id: str) -> ServiceBatch:
        return self._batch(await fetch(client, _path(batch_id)))

    async def cancel(self, client: Client, batch_id: str) -> None:
        await fetch(client, f"{_path(batch_id)}/cancel", b"{}")

    def _listing(self, page: Mapping[str, Any] | None) -> str | None:
        if page is None:
            return f"{_PATH}?limit={PAGE}"
        last = text(page.get("last_id"))
        if page.get("has_more") is not True or last is None:
            return None
        return f"{_PATH}?limit={PAGE}&after_id={quote(last, safe='')}"

    def _batch(self, facts: Mapping[str, Any]) -> ServiceBatch:
        batch_id = text(facts.get("id"))
        if batch_id is None:
            raise InvalidResponseError("the service described a batch without an id")
        counts = {k: count(v) or 0 for k, v in json_dict(facts.get("request_counts")).items()}
        is_ended = facts.get("processing_status") == "ended"
        return ServiceBatch(
            id=batch_id,
            is_ended=is_ended,
            done=sum(counts.get(name, 0) for name in _DONE),
            total=sum(counts.values()) or None,
            created_at=_seconds(facts.get("created_at")),
            # Not `results_url`, which could lead the key to another host.
            results=[f"{_path(batch_id)}/results"] if is_ended else (),
        )

    def read_line(self, line: dict[str, Any]) -> BatchLine | None:
        key, result = text(line.get("custom_id")), json_dict(line.get("result"))
        if key is None:
            return None
        kind, message = result.get("type"), result.get("message")
        if kind == "succeeded" and isinstance(message, dict):
            return BatchLine(key, "answered", encode_json(message))
        if kind == "expired":
            return BatchLine(key, "expired")
        if kind == "canceled":
            return BatchLine(key, "cancelled")
        return BatchLine(key, "failed", error=error_mapping.from_body(result.get("error")))


def _path(batch_id: str) -> str:
    return f"{_PATH}/{quote(batch_id, safe='')}"


def _seconds(value: Any) -> float | None:
    """Seconds since 1970 of a time in RFC 3339."""
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None
