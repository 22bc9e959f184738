"""A part of a batch as plain data, which goes to another process: no key, and nothing but what is asked."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import context
from allos.database_url import DatabaseURL
from allos.errors import AllosError, ConfigurationError, LogError
from allos.ids import new_id
from allos.messages import Message
from allos.response import ProviderResponse
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.batch_record import column_facts
from allos.runs.batching.calls import BatchOptions
from allos.runs.batching.data_rows import DataRows
from allos.runs.executors import stop_marks
from allos.runs.grid import Grid, build_column
from allos.session import Session, current_session

if TYPE_CHECKING:
    from allos.context import RunContext
    from allos.runs.executors.answer_files import AnswerFiles

_DEFAULTS = ("temperature", "max_tokens")
_NOT_SENT_ALONG = frozenset({"api_key", "headers"})
"""Keys: a worker finds its own."""
_LIMITS = ("max_in_flight", "requests_per_minute", "tokens_per_minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLog:
    """The log that all workers write to."""

    address: str | None
    """Path of a file, or the URL of a database without its password; None: nothing is logged."""
    host: str
    """Where the file is."""

    @property
    def is_file(self) -> bool:
        """Whether it is a file, which only processes of one computer can share."""
        return self.address is not None and not DatabaseURL.matches(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What all partitions of a batch have in common."""

    run_id: str
    log: SharedLog
    prompts: tuple[tuple[Message, ...], ...]
    """The prompt; none where each row is a conversation."""
    columns: tuple[Mapping[str, Any], ...]
    """Model and parameters of each column, without keys."""
    column_keys: tuple[str, ...]
    n: int
    options: BatchOptions
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    origin: Mapping[str, Any]
    """Notebook and cell that started the batch."""
    spent_by_session: Mapping[str, float]
    """Cost of earlier runs of the batch, for its budget."""
    number: int
    """Of this start among all starts of the batch; see `allos.runs.executors.stop_marks`."""
    since: int | None
    """With ``refresh=True``, answers from before this moment do not count, microseconds since 1970."""
    store: str | None = None
    """Where workers without a common log write their answers; see `allos.runs.executors.answer_files`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Some rows of a batch, with everything that a worker needs to ask about them."""

    request: Request
    key: str
    """Its own name, which the files of its answers begin with."""
    rows: tuple[int, ...]
    """Numbers of the rows in the whole batch."""
    row_keys: tuple[str, ...]
    data: Mapping[str, Sequence[str]]
    """Values of the columns that the prompt uses."""
    chats: tuple[tuple[Message, ...], ...]
    """Where each row is a conversation: those."""
    done: tuple[int, ...]
    """Positions, within the partition, of calls that are not to be made."""

    def __repr__(self) -> str:  # executors write it into their logs
        return f"Partition({len(self.rows)} rows of {self.request.run_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionResult:
    """What a worker has made of a partition."""

    responses: Sequence[tuple[int, ProviderResponse]]
    """By position within the partition."""
    not_sent: Sequence[int]
    """Positions of calls that would have failed."""
    left: Sequence[int]
    """Positions of calls that were not made, since the batch was paused or cancelled."""
    stop_errors: Mapping[int, AllosError]
    """By column, why."""
    notes: Sequence[str]
    rows: Sequence[tuple[Any, ...]] = ()
    """What the log is to have of it, where the worker does not share it."""


def shared_log(session: Session) -> SharedLog:
    """Log of this session, as workers open it.

    Raises
    ------
    ConfigurationError
        Texts are changed before they are logged, by a function that workers do not have.
    """
    host, store = socket.gethostname(), session.log.store
    if store is None or not session.log.is_logging:
        return SharedLog(address=None, host=host)
    if session.log.redaction is not None:
        raise ConfigurationError(
            "allos.log.redact() changes what this process logs, and the workers of executor= would log "
            "it unchanged: run the batch without executor=. Nothing was sent."
        )
    address = store.address
    if isinstance(address, DatabaseURL):
        return SharedLog(address=address.without_secrets(), host=host)
    return SharedLog(address=str(address), host=host)


def open_shared(log: SharedLog, session: Session) -> None:
    """Open the log of a batch in a worker.

    The password of a database is found where the worker's own is: its ``ALLOS_LOG``, ``PGPASSWORD`` or
    ``~/.pgpass``.

    Raises
    ------
    LogError
        The file is on another computer, or it cannot be opened.
    """
    if log.address is None:
        return
    if log.is_file:
        if log.host != socket.gethostname() or not Path(log.address).exists():
            raise LogError(
                f"the log {log.address!r} is a file of {log.host}, which this worker cannot share: open a "
                "team's log for the batch, allos.log.open('postgresql://…')"
            )
        session.log.open(log.address)
        return
    configured = session.settings.get("log")
    if isinstance(configured, DatabaseURL) and configured.without_secrets() == log.address:
        session.log.open(configured)
    else:
        session.log.open(DatabaseURL(log.address))


def request_of(
    run_id: str,
    plan: BatchPlan,
    options: BatchOptions,
    session: Session,
    *,
    spent_by_session: Mapping[str, float],
    since: int | None,
    processes: int,
    files: AnswerFiles | None = None,
) -> Request:
    """What all partitions of a batch have in common, for so many processes.

    Raises
    ------
    ConfigurationError
        It needs what cannot go to another process: a provider object, functions.
    """
    current = context.current()
    log = shared_log(session)
    marks = session.log.store if files is None else files
    return Request(
        run_id=run_id,
        log=log if files is None else replace(log, address=None),
        store=None if files is None else files.address,
        prompts=() if plan.is_chat else plan.grid.prompts,
        columns=tuple(_column(column_facts(column), processes) for column in plan.grid.columns),
        column_keys=tuple(plan.column_keys),
        n=plan.grid.n,
        options=options,
        tags=current.tags,
        metadata=dict(current.metadata),
        origin=_origin(current, session),
        spent_by_session=dict(spent_by_session),
        number=stop_marks.next_number(marks, run_id),
        since=since,
    )


def _column(facts: dict[str, Any], processes: int) -> Mapping[str, Any]:
    if facts["missing"]:
        raise ConfigurationError(
            f"executor= cannot send {', '.join(facts['missing'])} of {facts['model']} to other processes: "
            "name models as 'provider/model', and run batches with tools without executor=. Nothing was sent."
        )
    settings = current_session().settings
    defaults = {name: settings.get(name) for name in _DEFAULTS}
    params = {k: v for k, v in defaults.items() if v is not None} | facts["params"]
    for name in _LIMITS:
        if params.get(name):  # each process has its share of a limit
            params[name] = max(1, params[name] // processes)
    return {"model": facts["model"], "params": params}


def _origin(current: RunContext, session: Session) -> Mapping[str, Any]:
    facts = session.log.process_facts()
    names = ("notebook", "cell_id", "execution_count")
    found = {name: getattr(current, name) or facts.get(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def partition_of(request: Request, plan: BatchPlan, rows: Sequence[int]) -> Partition:
    """Rows of a batch as a partition; every call of theirs that waits is to be made."""
    return Partition(
        request=request,
        key=new_id(),
        rows=tuple(rows),
        row_keys=tuple(plan.row_keys[row] for row in rows),
        data={name: [texts[row] for row in rows] for name, texts in _texts(plan).items()},
        chats=tuple(plan.grid.prompts[row] for row in rows) if plan.is_chat else (),
        done=(),
    )


def _texts(plan: BatchPlan) -> dict[str, list[str]]:
    return {name: plan.rows.texts(name) for name in plan.names}


def without_done(partition: Partition, done: Sequence[int]) -> Partition:
    """Return the partition with calls that are not to be made."""
    return replace(partition, done=tuple(done))


def plan_of(partition: Partition) -> BatchPlan:
    """The partition as a plan, whose calls have the keys that they have in the whole batch."""
    import pandas as pd

    request = partition.request
    frame = pd.DataFrame(dict(partition.data), index=range(len(partition.rows)))
    rows = DataRows(frame)
    columns = [
        build_column(index, facts["model"], facts["params"])
        for index, facts in enumerate(request.columns)
    ]
    grid = Grid(
        partition.chats or request.prompts,
        columns,
        rows=None if partition.chats else rows,
        n=request.n,
    )
    plan = BatchPlan(grid, rows)
    plan.row_keys, plan.column_keys = list(partition.row_keys), list(request.column_keys)
    return plan


def plain_response(response: ProviderResponse) -> ProviderResponse:
    """Response without what only its own process needs, so that it can be pickled."""
    import copy

    error = copy.copy(response.error)
    if error is not None:
        error.response = None
        error.__cause__ = error.__context__ = None
    return replace(
        response, error=error, request=None, raw=(), body=None, reply=None, parsed=None, steps=()
    )
