"""What runs in a worker: it asks about the rows of one partition, and logs each answer itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from allos import context
from allos.log.columns import FRAME_NAMES
from allos.log.store.protocol import Where
from allos.response import ProviderResponse
from allos.runs.batching import batch_frame
from allos.runs.batching.batch_calls import BatchCalls
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.call_states import CallState, CallStates
from allos.runs.batching.calls import Ended
from allos.runs.executors import stop_marks
from allos.runs.executors.partition import (
    Partition,
    PartitionResult,
    Request,
    SharedLog,
    open_shared,
    plain_response,
    plan_of,
)
from allos.session import Session, current_session

_FLUSH_S = 60.0
_POLL_S = 1.0
"""How often a worker looks whether the batch was stopped."""

# Process resource: a worker's sessions by the log that they write to. The limits of services are theirs,
# so that all partitions in one process share them.
_sessions: dict[str | None, Session] = {}
_lock = threading.Lock()  # guards `_sessions`


def run_partition(partition: Partition) -> PartitionResult:
    """Make the calls of a partition that no worker has made; returns when all are in the log.

    Raises
    ------
    LogError
        The log cannot be opened or written. What was logged until then is kept.
    """
    request = partition.request
    session = _session_for(request.log)
    plan = plan_of(partition)
    origin: dict[str, Any] = dict(request.origin)
    with (
        session.active(),
        context.using(
            tags=request.tags,
            metadata=request.metadata,
            logged=request.log.address is not None,
            **origin,
        ),
    ):
        before = _made_before(session, partition, plan)
        options = replace(request.options, on_error="row")
        calls = BatchCalls(
            request.run_id,
            plan,
            session,
            options,
            kept=[*partition.done, *before],
            spent_by_session=request.spent_by_session,
        )
        responses: dict[int, ProviderResponse] = dict(before)

        def keep(ended: Ended) -> None:
            if ended.response is not None:
                responses[ended.position] = ended.response

        calls.listen(keep)
        calls.start()
        _wait(calls, partial(_is_stopped, session, request))
        if calls.budget is not None:
            calls.budget.give_back()
        session.log.flush(_FLUSH_S)
    return PartitionResult(
        responses=[(position, plain_response(each)) for position, each in responses.items()],
        not_sent=_in_state(calls, CallState.NOT_SENT),
        left=_in_state(calls, CallState.CANCELLED),
        stop_errors={column: plain_error(error) for column, error in calls.stop_errors.items()},
        notes=tuple(calls.notes),
    )


def plain_error(error: Any) -> Any:
    """An error without the response that it came with."""
    found = plain_response(ProviderResponse(error=error)).error
    assert found is not None
    return found


def _in_state(calls: BatchCalls, state: CallState) -> list[int]:
    return [at for at in range(len(calls.plan)) if calls.states[at] == state]


def _wait(calls: BatchCalls, is_stopped: Callable[[], bool]) -> None:
    """Wait until all calls have ended; or those that are under way, where it was stopped."""
    states = calls.states
    while not _have_ended(states, _POLL_S):
        if not calls.is_paused and is_stopped():
            calls.pause()
        if calls.is_paused and not states.started:
            calls.cancel()  # those that were not made: none starts any more


def _have_ended(states: CallStates, timeout_s: float) -> bool:
    with states.changed:
        return states.changed.wait_for(lambda: not states.left and not states.started, timeout_s)


def _is_stopped(session: Session, request: Request) -> bool:
    """Whether the batch was paused, cancelled or started anew."""
    return stop_marks.is_stopped(session.log.store, request.run_id, request.number)


def _session_for(log: SharedLog) -> Session:
    """Session of this process that writes to a log: the one that is there, or one of its own."""
    current = current_session()
    store = current.log.store
    here = (
        None
        if store is None
        else str(getattr(store.address, "without_secrets", lambda: store.address)())
    )
    if log.address is None or here == log.address:
        return current
    with _lock:
        session = _sessions.get(log.address)
        if session is None:
            session = Session()
            open_shared(log, session)
            _sessions[log.address] = session
    return session


def _made_before(
    session: Session, partition: Partition, plan: BatchPlan
) -> dict[int, ProviderResponse]:
    """Answers that the log has of this partition: of a worker that died, or was thought dead."""
    from allos.log.query import read
    from allos.render.logged_rows import records, response_of

    store = session.log.store
    if store is None or partition.request.log.address is None:
        return {}
    keys = tuple(plan.key(position) for position in range(len(plan)))
    session.log.flush(_FLUSH_S)
    where = Where(
        any_of={"run_id": (partition.request.run_id,), "task_key": keys, "status": ("ok",)},
        since=partition.request.since,
    )
    logged = read(store, FRAME_NAMES, where)
    if not len(logged):
        return {}
    rows = records(logged)
    return {
        position: response_of(rows[at])
        for position, at in batch_frame.newest_rows(plan, logged).items()
        if position not in set(partition.done)
    }
