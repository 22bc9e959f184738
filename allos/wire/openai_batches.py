"""OpenAI's batch API, and what others made of it: https://platform.openai.com/docs/api-reference/batch.

The requests are lines of a file that is uploaded first; the answers are lines of other files.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from allos.errors import InvalidResponseError, ProviderError
from allos.wire import error_mapping
from allos.wire.batch_api import PAGE, BatchApi, BatchLine, ServiceBatch
from allos.wire.http_io import encode_json, fetch
from allos.wire.json_fields import count, json_dict, text

if TYPE_CHECKING:
    from allos.wire.clients import Client

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_NAME = "allos"
"""Field of a batch's metadata that has its name."""


class OpenAIBatches(BatchApi):
    """Batches of Chat Completions or Responses."""

    @property
    def _endpoint(self) -> str:
        return f"/v1{self.path}"  # whatever the base URL is

    def line(self, key: str, body: Mapping[str, Any]) -> bytes:
        return encode_json(
            {"custom_id": key, "method": "POST", "url": self._endpoint, "body": body}
        )

    async def submit(
        self,
        client: Client,
        lines: Sequence[bytes],
        name: str,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceBatch:
        content, kind = _form(name, lines)
        uploaded = await fetch(client, "/files", content, {**(headers or {}), "content-type": kind})
        file_id = text(uploaded.get("id"))
        if file_id is None:
            raise InvalidResponseError("the service took the file of a batch, but gave it no id")
        facts = {
            "input_file_id": file_id,
            "endpoint": self._endpoint,
            "completion_window": "24h",
            "metadata": {_NAME: name},
        }
        return self._batch(await fetch(client, "/batches", encode_json(facts), headers))

    async def poll(self, client: Client, batch_id: str) -> ServiceBatch:
        return self._batch(await fetch(client, f"/batches/{quote(batch_id, safe='')}"))

    async def cancel(self, client: Client, batch_id: str) -> None:
        await fetch(client, f"/batches/{quote(batch_id, safe='')}/cancel", b"{}")

    def _listing(self, page: Mapping[str, Any] | None) -> str | None:
        if page is None:
            return f"/batches?limit={PAGE}"
        last = text(page.get("last_id")) or text(
            json_dict((page.get("data") or [{}])[-1]).get("id")
        )
        if page.get("has_more") is not True or last is None:
            return None
        return f"/batches?limit={PAGE}&after={quote(last, safe='')}"

    def _batch(self, facts: Mapping[str, Any]) -> ServiceBatch:
        batch_id = text(facts.get("id"))
        if batch_id is None:
            raise InvalidResponseError("the service described a batch without an id")
        counts = json_dict(facts.get("request_counts"))
        files = [text(facts.get(name)) for name in ("output_file_id", "error_file_id")]
        created = facts.get("created_at")
        return ServiceBatch(
            id=batch_id,
            is_ended=facts.get("status") in _ENDED,
            done=(count(counts.get("completed")) or 0) + (count(counts.get("failed")) or 0),
            total=count(counts.get("total")),
            created_at=float(created) if isinstance(created, int | float) else None,
            name=text(json_dict(facts.get("metadata")).get(_NAME)),
            error=_refusal(facts) if facts.get("status") == "failed" else None,
            results=[f"/files/{quote(each, safe='')}/content" for each in files if each],
        )

    def read_line(self, line: dict[str, Any]) -> BatchLine | None:
        key = text(line.get("custom_id"))
        if key is None:
            return None
        response, error = json_dict(line.get("response")), line.get("error")
        status, body = response.get("status_code"), response.get("body")
        if isinstance(body, dict) and (status is None or 200 <= status < 300):
            return BatchLine(key, "answered", encode_json(body))
        code = json_dict(error).get("code")
        if code == "batch_expired":
            return BatchLine(key, "expired")
        if code == "batch_cancelled":
            return BatchLine(key, "cancelled")
        if isinstance(status, int):
            failed = error_mapping.from_status(status, body or {"error": error}, {})
            failed.request_id = failed.request_id or text(response.get("request_id"))
            return BatchLine(key, "failed", error=failed)
        return BatchLine(key, "failed", error=error_mapping.from_body({"error": error}))


def _refusal(facts: Mapping[str, Any]) -> ProviderError:
    """Why a whole file was refused: the first of the errors, with the line that it is about."""
    errors = json_dict(facts.get("errors")).get("data")
    first = json_dict(errors[0] if isinstance(errors, list) and errors else None)
    at = f" (line {first['line']})" if isinstance(first.get("line"), int) else ""
    message = f"the service refused the batch: {text(first.get('message')) or 'without a reason'}"
    return error_mapping.from_body({"error": {**first, "message": f"{message}{at}"}})


def _form(name: str, lines: Sequence[bytes]) -> tuple[bytes, str]:
    """Form of an upload, and its content type."""
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    parts = [head.encode(), b"\n".join(lines), f"\n\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
