"""What runs in a worker: it asks about the rows of one partition, and logs each answer itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from allos import context
from allos.log.columns import STORED_NAMES
from allos.response import ProviderResponse
from allos.runs.batching.batch_calls import BatchCalls
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.call_states import CallState, CallStates
from allos.runs.batching.calls import Ended
from allos.runs.executors import stop_marks
from allos.runs.executors.answer_files import AnswerFiles, Row
from allos.runs.executors.answer_writer import AnswerWriter
from allos.runs.executors.answers_back import FLUSH_S, answers_in_log
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

_POLL_S = 1.0
"""How often a worker looks whether the batch was stopped."""
_STORE_POLLS = 5
"""In a store, every so many times."""
_TASK_KEY, _STATUS = STORED_NAMES.index("task_key"), STORED_NAMES.index("status")

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
        writer = None if request.store is None else _writer_for(partition)
        written = [] if writer is None else _positions_of(writer.earlier(), plan)
        options = replace(request.options, on_error="row")
        calls = BatchCalls(
            request.run_id,
            plan,
            session,
            options,
            kept=[*partition.done, *before, *written],
            spent_by_session=request.spent_by_session,
        )
        responses: dict[int, ProviderResponse] = dict(before)

        def keep(ended: Ended) -> None:
            if ended.response is not None:
                responses[ended.position] = ended.response
                if writer is not None:
                    writer.add(ended.response)

        calls.listen(keep)
        calls.start()
        _wait(calls, _ticks(session, request, writer))
        if calls.budget is not None:
            calls.budget.give_back()
        session.log.flush(FLUSH_S)
        if writer is not None:
            writer.write(session.log.process_facts())
            if writer.error is not None:
                calls.notes.append(
                    f"A worker could not write its answers, which came back all the same: {writer.error}"
                )
    return PartitionResult(
        responses=[(position, plain_response(each)) for position, each in responses.items()],
        not_sent=_in_state(calls, CallState.NOT_SENT),
        left=_in_state(calls, CallState.CANCELLED),
        stop_errors={column: plain_error(error) for column, error in calls.stop_errors.items()},
        notes=tuple(calls.notes),
        rows=() if writer is None else writer.rows,
    )


def _writer_for(partition: Partition) -> AnswerWriter:
    request = partition.request
    assert request.store is not None
    return AnswerWriter(AnswerFiles(request.store, request.run_id), partition.key)


def _positions_of(rows: Iterable[Row], plan: BatchPlan) -> list[int]:
    """Calls that a worker which died has made and written."""
    ok = [row[_TASK_KEY] for row in rows if row[_STATUS] == "ok"]
    found = [plan.find(key) for key in ok if isinstance(key, str)]
    return [position for position in found if position is not None]


def _ticks(session: Session, request: Request, writer: AnswerWriter | None) -> Callable[[], bool]:
    """What is done about once a second: write answers, and find out whether the batch was stopped."""
    if writer is None:
        return partial(_is_stopped, session.log.store, request)
    assert request.store is not None
    files = AnswerFiles(request.store, request.run_id)
    facts = session.log.process_facts
    looks = count()

    def tick() -> bool:
        writer.write_due(facts())
        # A store charges for each look.
        return next(looks) % _STORE_POLLS == _STORE_POLLS - 1 and _is_stopped(files, request)

    return tick


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


def _is_stopped(marks: stop_marks.Notes | None, request: Request) -> bool:
    """Whether the batch was paused, cancelled or started anew."""
    return stop_marks.is_stopped(marks, request.run_id, request.number)


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
    store = session.log.store
    if store is None or partition.request.log.address is None:
        return {}
    session.log.flush(FLUSH_S)
    request, every = partition.request, range(len(plan))
    found = answers_in_log(store, request.run_id, plan, every, request.since)
    return {at: response for at, response in found.items() if at not in set(partition.done)}
