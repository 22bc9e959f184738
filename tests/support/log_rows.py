"""Responses for the tests of the log, and a store in memory; also used in separate processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from allos import _process
from allos.context import RunContext
from allos.log.blocks import Block, block_from_rows
from allos.log.columns import STORED_NAMES
from allos.log.log import Log
from allos.log.store.protocol import Batch, Rating, RawJson, RunRecord, Vote, Where
from allos.messages import Message, MessageRole
from allos.request import Request
from allos.response import ProviderResponse

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def a_response(number: int = 0, **changes: Any) -> ProviderResponse:
    """A finished response as the engine delivers it; each number gives a different one."""
    metadata: dict[str, Any] = {
        "provider": "groq",
        "base_url": "https://api.groq.com/openai/v1",
        "api": "chat",
        "model": "llama-3.1-8b-instant",
        "response_model": "llama-3.1-8b-instant",
        "temperature": 0.2,
        "max_tokens": 64,
        "stream": True,
        "params": {"temperature": 0.2, "max_tokens": 64},
        "status": "ok",
        "finish_reason": "stop",
        "finish_reason_raw": "stop",
        "input_tokens": 10 + number,
        "output_tokens": 5,
        "total_tokens": 15 + number,
        "usage_source": "provider",
        "usage": {"prompt_tokens": 10 + number},
        "latency_s": 0.25,
        "attempts": 1,
        "http_status": 200,
    }
    metadata.update(changes.pop("metadata", {}))
    prompt = changes.pop("prompt", f"Question {number}")
    values: dict[str, Any] = {
        "content": f"Answer {number}",
        "id": f"01HF{number:022d}",
        "created_at": START + timedelta(seconds=number),
        "completed_at": START + timedelta(seconds=number, microseconds=250_001),
        "request": Request(
            provider="groq",
            api="chat",
            base_url="https://api.groq.com/openai/v1",
            model="llama-3.1-8b-instant",
            messages=(
                Message(MessageRole.SYSTEM, "Be terse."),
                Message(MessageRole.USER, prompt),
            ),
            request_hash=f"{number:064x}",
        ),
        "context": RunContext(),
        "body": {"model": "llama-3.1-8b-instant"},
        "reply": {"id": f"chatcmpl-{number}", "choices": []},
    }
    values.update(changes)
    return ProviderResponse(metadata=metadata, **values)


def record(*responses: ProviderResponse, log: Log | None = None) -> None:
    """Pass responses through a log's interceptor, as finished calls do."""
    log = log or _process.current_session().log
    for response in responses:
        after = log.before(SimpleNamespace(request=response.request))  # type: ignore[arg-type]
        assert after(response) is response


class Locked(Exception):
    """Another process is writing to the store."""


class BadValue(Exception):
    """The store cannot store a value."""


class MemoryStore:
    """A `Store` that keeps batches in a list and has exceptions of its own.

    Attributes
    ----------
    failure : Exception or None
        What `append` raises, as long as it is set.
    failures : list of Exception
        What the next calls of `append` raise, one each.
    bad_ids : set of str
        Ids of rows that the store cannot store.
    beside : MemoryStore or None
        What `sibling` returns.
    """

    location = "memory"
    address = Path("memory")
    journal_mode = None
    notes = ()
    damage = None

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.raw_json: dict[str, RawJson] = {}
        self.all_ratings: list[Rating] = []
        self.all_leases: dict[str, dict[str, float]] = {}
        self.all_notes: dict[str, dict[str, bytes]] = {}
        self.all_runs: dict[str, RunRecord] = {}
        self.all_votes: list[Vote] = []
        self.failure: Exception | None = None
        self.failures: list[Exception] = []
        self.bad_ids: set[str] = set()
        self.commits = 0
        self.is_closed = False
        self.beside: MemoryStore | None = None

    def append(self, batch: Batch) -> None:
        if self.failure is not None:
            raise self.failure
        if self.failures:
            raise self.failures.pop(0)
        if any(row[0] in self.bad_ids for row in batch.rows):
            raise BadValue("not a value of mine")
        self.is_closed = False
        self.commits += 1
        for row in batch.rows:
            self.rows.setdefault(row[0], row)
        for raw in batch.raw:
            self.raw_json.setdefault(raw.id, raw)
        self.all_ratings += batch.ratings
        self.all_runs.update((run.id, run) for run in batch.runs)
        self.all_votes += batch.votes

    def maintain(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        self.is_closed = True

    def reset_after_fork(self) -> None:
        self.is_closed = True

    def is_locked(self, error: Exception) -> bool:
        return isinstance(error, Locked)

    def is_bad_value(self, error: Exception) -> bool:
        return isinstance(error, BadValue)

    @contextmanager
    def snapshot(self) -> Iterator[MemoryStore]:
        yield self

    salvage = snapshot

    def reopened(self) -> MemoryStore:
        return self

    def sibling(self) -> MemoryStore | None:
        return self.beside

    def scan(
        self, where: Where, columns: Sequence[str], limit: int | None = None
    ) -> Iterator[Block]:
        assert where == Where(), "conditions are the database's business"
        rows = list(self.rows.values())
        picked = [tuple(row[STORED_NAMES.index(name)] for name in columns) for row in rows]
        yield block_from_rows(columns, picked if limit is None else picked[len(picked) - limit :])

    def ratings(self) -> Iterator[Rating]:
        yield from self.all_ratings

    def lease(self, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
        mine = self.all_leases.setdefault(run_id, {})
        granted = usd if usd < 0 else max(0.0, min(usd, limit_usd - sum(mine.values())))
        mine[holder] = max(0.0, mine.get(holder, 0.0) + granted)
        return granted

    def leases(self, run_id: str) -> dict[str, float]:
        return self.all_leases.get(run_id, {})

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        notes = self.all_notes.setdefault(run_id, {})
        if value is None:
            notes.pop(name, None)
        else:
            notes[name] = value

    def run_notes(self, run_id: str) -> dict[str, bytes]:
        return self.all_notes.get(run_id, {})

    def runs(self, run_id: str | None = None) -> Iterator[RunRecord]:
        yield from (run for run in self.all_runs.values() if run_id in (None, run.id))

    def search(self, *_: object) -> Block:
        raise NotImplementedError("searching is the database's business")

    def votes(self) -> Iterator[Vote]:
        yield from self.all_votes

    def raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        yield from (self.raw_json[each] for each in ids if each in self.raw_json)

    @property
    def contents(self) -> list[str]:
        """Content of each response, in order."""
        return [row[STORED_NAMES.index("content")] for row in self.rows.values()]
