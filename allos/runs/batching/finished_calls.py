"""What of a batch is in the log already, and what a batch is made of, read back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.log.blocks import NULLS, Block
from allos.log.rows import pack, unpack
from allos.log.store.protocol import RunRecord, Where
from allos.runs.batching.submitted_files import SubmittedFiles

if TYPE_CHECKING:
    from allos.log.store.protocol import Store
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.session import Session


@dataclass(slots=True)
class Finished:
    """Calls of a batch that are in the log."""

    ok: set[str] = field(default_factory=set)
    """Task keys of those that are answered."""
    cost_by_session: dict[str, float] = field(default_factory=dict)
    """Cost of all its calls, repeated and failed ones included, by `session_id`."""

    @property
    def cost_usd(self) -> float | None:
        """Cost of all its calls; None where none is known."""
        return sum(self.cost_by_session.values()) if self.cost_by_session else None


def read_finished(store: Store, run_id: str) -> Finished:
    """Calls of a batch that are committed.

    Raises
    ------
    LogError
        The log cannot be read.
    """
    found = Finished()
    where = Where(any_of={"run_id": (run_id,)})
    with store.snapshot() as snapshot:
        for block in snapshot.scan(where, ["task_key", "status", "cost_usd", "session_id"]):
            keys, statuses = values_of(block, "task_key"), values_of(block, "status")
            found.ok.update(
                key
                for key, status in zip(keys, statuses, strict=True)
                if status == "ok" and key is not None
            )
            costs, sessions = values_of(block, "cost_usd"), values_of(block, "session_id")
            for cost, session in zip(costs, sessions, strict=True):
                if cost is not None:
                    by = found.cost_by_session
                    by[session or ""] = by.get(session or "", 0.0) + cost
    return found


def values_of(block: Block, name: str) -> list[Any]:
    """Values of a column, None where null."""
    chunk = block.columns.get(name, NULLS)
    if chunk.values is None:
        return [None] * block.row_count
    values = chunk.values if chunk.codes is None else chunk.values[chunk.codes]
    found: list[Any] = values.tolist()
    if chunk.mask is not None:
        return [None if is_null else v for v, is_null in zip(found, chunk.mask, strict=True)]
    return found


def readable_store(session: Session) -> Store | None:
    """Store of the session's log, with every response so far; None without one."""
    log = session.log
    if log.store is None:
        return None
    with suppress(LogError):  # what cannot be written is still asked again
        log.flush()
    return log.store


def earlier_run(store: Store, plan: BatchPlan) -> str | None:
    """Id of the newest batch that asks the same, of some of the same rows; None without one.

    So a batch whose data has grown or changed goes on with what it has.
    """
    with store.snapshot() as snapshot:
        runs = [run for run in snapshot.runs() if run.question == plan.question]
    for run in sorted(runs, key=lambda each: each.updated_at, reverse=True):
        if run.id == plan.id or plan.has_row_of(_keys_of(store, run.id)):
            return run.id
    return None


def _keys_of(store: Store, run_id: str) -> Iterator[str]:
    """Keys of the calls that are answered, or at their service."""
    yield from read_finished(store, run_id).ok
    for file in SubmittedFiles(store, run_id).load():
        yield from file.keys


def make_record(
    run_id: str, plan: BatchPlan, request: Mapping[str, Any], data: Mapping[str, Any]
) -> RunRecord:
    """Record of a batch that starts now."""
    now = time.time_ns() // 1000
    packed_request, packed_data = pack(dict(request)), pack(dict(data))
    assert packed_request is not None
    assert packed_data is not None
    return RunRecord(run_id, now, now, plan.question, len(plan), packed_request, packed_data)


def unpacked(value: bytearray) -> Any:
    """JSON value of a field of a record."""
    return json.loads(unpack(value) or "null")
