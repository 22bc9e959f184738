"""The batch APIs: OpenAI's files and batches, Anthropic's message batches; and what goes wrong with them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .paths import PATHS
from .script import Entry, Fault, Raw
from .seen import Seen
from .sse import dumps

KINDS = frozenset({"files", "batches", "batch", "results"})
"""Parts of a batch API, as `FakeServer.script` names them in `on`."""


@dataclass(slots=True)
class Submitted:
    """One batch that was accepted."""

    id: str
    api: str
    keys: list[str]
    bodies: dict[str, dict[str, Any]]
    metadata: dict[str, str]
    size: int
    """Bytes of the file, or of the request."""
    created_at: float = field(default_factory=time.time)
    polls: int = 0
    is_cancelled: bool = False


@dataclass(slots=True)
class Trouble:
    """What goes wrong with the next batches."""

    polls: int = 1
    """How often it must be asked for before it has ended."""
    lost: Callable[[str], bool] = lambda key: False
    """Whether a key is missing from the results."""
    errors: Callable[[str], int | None] = lambda key: None
    """Status with which the line of a key has failed."""
    expired: Callable[[str], bool] = lambda key: False
    is_shuffled: bool = False
    is_doubled: bool = False
    """Every line stands there twice."""
    foreign: int = 0
    """Lines of keys that nobody asked for."""
    is_cut: bool = False
    """The last line ends in its middle."""
    refusal: str | None = None
    """Code with which the whole batch fails."""
    loses_answer: bool = False
    """The batch is accepted, but the client never hears of it."""


class Batches:
    """What was submitted.

    Parameters
    ----------
    answer_of : callable
        Body that answers a request.
    """

    def __init__(self, answer_of: Callable[[Seen], dict[str, Any]]) -> None:
        self.submitted: list[Submitted] = []
        self.trouble: list[Trouble] = []
        """One for each batch, in order; the last one stays."""
        self.hold = False
        """While it is set, no batch ends."""
        self._answer_of = answer_of
        self._files: dict[str, bytes] = {}

    def answered(self) -> Iterable[str]:
        """Prompts that were answered in batches: what was paid."""
        for batch in self.submitted:
            for key in batch.keys:
                yield _seen(batch, key).prompt

    # ---- server's thread ------------------------------------------------------------------------

    def answer(self, seen: Seen, path: str) -> Entry:
        """Answer a request to a batch API."""
        api = "messages" if "/messages/" in path else ""
        if seen.api == "files":
            content = seen.raw.split(b"\r\n\r\n", 2)[2].rpartition(b"\r\n--")[0]
            file_id = f"file-{len(self._files)}"
            self._files[file_id] = content
            return Raw.json({"id": file_id, "object": "file", "purpose": "batch"})
        if seen.api == "batches":
            return self._listed(api) if seen.method == "GET" else self._create(seen, api)
        name = path.removesuffix("/cancel").removesuffix("/results").removesuffix("/content")
        name = name.rpartition("/")[2]
        if seen.api == "results":
            return self._results(name)
        batch = next((each for each in self.submitted if each.id == name), None)
        if batch is None:
            return Fault.status(404, message=f"No batch found with id '{name}'.")
        if path.endswith("/cancel"):
            batch.is_cancelled = True
        else:
            batch.polls += 1
        return Raw.json(self._facts(batch))

    def _create(self, seen: Seen, api: str) -> Entry:
        import json

        if api == "messages":
            rows = [(each["custom_id"], each["params"]) for each in seen.body["requests"]]
            size, metadata = len(seen.raw), {}
        else:
            content = self._files[seen.body["input_file_id"]]
            lines = [json.loads(line) for line in content.splitlines() if line]
            rows = [(line["custom_id"], line["body"]) for line in lines]
            api = "responses" if "responses" in seen.body["endpoint"] else "chat"
            assert {line["url"] for line in lines} == {seen.body["endpoint"]}
            size, metadata = len(content), seen.body.get("metadata") or {}
        keys = [key for key, _ in rows]
        assert len(set(keys)) == len(keys)
        batch = Submitted(f"batch_{len(self.submitted)}", api, keys, dict(rows), metadata, size)
        self.submitted.append(batch)
        if self._trouble(batch).loses_answer:
            return Fault.drop()
        return Raw.json(self._facts(batch))

    def _trouble(self, batch: Submitted) -> Trouble:
        if not self.trouble:
            return Trouble()
        return self.trouble[min(int(batch.id.removeprefix("batch_")), len(self.trouble) - 1)]

    def _listed(self, api: str) -> Entry:
        of_api = [b for b in self.submitted if (b.api == "messages") == (api == "messages")]
        rows = [self._facts(batch) for batch in reversed(of_api)]
        return Raw.json({"data": rows, "has_more": False})

    def _facts(self, batch: Submitted) -> dict[str, Any]:
        trouble = self._trouble(batch)
        is_ended = (batch.polls >= trouble.polls and not self.hold) or batch.is_cancelled
        count = len(batch.keys)
        done = count if is_ended else count * min(batch.polls, trouble.polls) // (trouble.polls + 1)
        if batch.api == "messages":
            return {
                "id": batch.id,
                "type": "message_batch",
                "processing_status": "ended" if is_ended else "in_progress",
                "request_counts": {"processing": count - done, "succeeded": done, "errored": 0},
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch.created_at)),
                "results_url": "https://elsewhere.example/never",
            }
        status = "completed" if is_ended else "in_progress"
        failed = {"data": [{"code": trouble.refusal, "message": "No.", "line": 1}]}
        return {
            "id": batch.id,
            "object": "batch",
            "status": "failed" if trouble.refusal and is_ended else status,
            "errors": failed if trouble.refusal else None,
            "request_counts": {"total": count, "completed": done, "failed": 0},
            "created_at": int(batch.created_at),
            "metadata": batch.metadata,
            "output_file_id": f"{batch.id}-out" if is_ended and not trouble.refusal else None,
            "error_file_id": f"{batch.id}-errors" if is_ended and not trouble.refusal else None,
        }

    def _results(self, name: str) -> Entry:
        batch_id, _, part = name.partition("-")
        batch = next(each for each in self.submitted if each.id == batch_id)
        trouble = self._trouble(batch)
        good, bad = [], []
        for key in batch.keys:
            if trouble.lost(key):
                continue
            is_bad = bool(trouble.errors(key)) or trouble.expired(key)
            (bad if is_bad else good).append(dumps(self._line(batch, key, trouble)))
        good += [
            dumps(self._line(batch, batch.keys[0], trouble) | {"custom_id": f"unknown_{n}_0"})
            for n in range(trouble.foreign)
        ]
        lines = {"out": good, "errors": bad}.get(part, good + bad)
        if trouble.is_doubled:
            lines = lines * 2
        if trouble.is_shuffled:
            random.Random(5).shuffle(lines)
        content = b"\n".join(lines)
        if trouble.is_cut and lines:
            content = content[: -len(lines[-1]) // 2]
        return Raw(content, "application/jsonl", split=700)

    def _line(self, batch: Submitted, key: str, trouble: Trouble) -> dict[str, Any]:
        status = trouble.errors(key)
        error = {"type": "invalid_request_error", "message": "This request is wrong."}
        if status is not None and status >= 500:
            error = {"type": "api_error", "message": "Internal error."}
        if batch.api == "messages":
            result: dict[str, Any] = {"type": "errored", "error": {"type": "error", "error": error}}
            if trouble.expired(key):
                result = {"type": "expired"}
            elif status is None:
                result = {"type": "succeeded", "message": self._answer_of(_seen(batch, key))}
            return {"custom_id": key, "result": result}
        line: dict[str, Any] = {
            "id": "batch_req_1",
            "custom_id": key,
            "response": None,
            "error": None,
        }
        if trouble.expired(key):
            line["error"] = {"code": "batch_expired", "message": "Not done in time."}
        elif status is not None:
            line["response"] = {"status_code": status, "request_id": "r", "body": {"error": error}}
        else:
            body = self._answer_of(_seen(batch, key))
            line["response"] = {"status_code": 200, "request_id": "r", "body": body}
        return line


def _seen(batch: Submitted, key: str) -> Seen:
    body = batch.bodies[key]
    path = next(path for path, api in PATHS.items() if api == batch.api)
    return Seen(0, "POST", path, {}, b"", body, 0, 0.0, api=batch.api)
