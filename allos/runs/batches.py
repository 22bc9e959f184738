"""`allos.batches` and `allos.resume`: the batches of the log, and going on with one."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, LogError, did_you_mean
from allos.log.stored_messages import messages_of
from allos.runs.batch import start_batch
from allos.runs.batching.batch_record import is_decided, plan_of
from allos.runs.batching.finished_calls import read_finished, unpacked
from allos.runs.batching.live_batch import Batch
from allos.runs.batching.submitted_files import SubmittedFiles
from allos.runs.keywords import checked_keywords
from allos.session import current_session

if TYPE_CHECKING:
    import pandas as pd

    from allos.log.store.protocol import RunRecord, Store

_DTYPES = {
    "batch_id": "str",
    "state": "str",
    "calls": "Int64",
    "answered": "Int64",
    "cost_usd": "Float64",
    "models": "str",
    "prompt": "str",
    "created_at": "datetime64[us, UTC]",
    "updated_at": "datetime64[us, UTC]",
}
_SUGGESTED = 3


def batches() -> pd.DataFrame:
    """All batches of the log, the newest last: what is done of each, and what it has cost.

    Returns
    -------
    pandas.DataFrame
        One row per batch: `batch_id`, `state` (``running`` or ``paused`` in this process, ``waiting`` for
        the batch API of a service, ``done``, ``decided`` (an evaluation that needs no more calls), or
        ``stopped``, which `allos.resume` goes on with), `calls`, `answered`, `cost_usd` as far as it is
        known, `models`, `prompt`, `created_at`, `updated_at`.

    Raises
    ------
    LogError
        The log is off or cannot be read.

    Examples
    --------
    >>> import allos
    >>> unfinished = allos.batches().query("state == 'stopped'")  # doctest: +SKIP
    """
    import pandas as pd

    store = _store()
    with store.snapshot() as snapshot:
        records = list(snapshot.runs())
    rows = [_facts(store, record) for record in records]
    frame = pd.DataFrame(rows, columns=list(_DTYPES))
    for name in ("created_at", "updated_at"):
        frame[name] = pd.to_datetime(frame[name], unit="us", utc=True)
    return frame.astype({k: text_dtype() if v == "str" else v for k, v in _DTYPES.items()})


@checked_keywords()
def resume(
    batch_id: str, *, executor: Any = None, store: str | os.PathLike[str] | None = None
) -> Batch:
    """Go on with a batch of the log: everything that is not answered yet.

    Parameters
    ----------
    batch_id : str
        As in `allos.batches`.
    executor, store
        As in `allos.batch`.

    Returns
    -------
    Batch
        Its frame has the columns of the data that the prompt uses.

    Raises
    ------
    ConfigurationError
        There is no such batch, or it needs what the log does not keep: tools, a provider object, images,
        the scorers of ``evaluate(until="decided")``.
    LogError
        The log is off or cannot be read.

    Examples
    --------
    ::

        allos.resume("bat_…").wait()
    """
    value: object = batch_id
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"resume() needs the id of a batch, got {value!r:.80}.")
    wanted = value.strip()
    for run in list(current_session().active_runs):
        if isinstance(run, Batch) and run.id == wanted:
            if executor is None and store is None and not run.is_stuck:
                return run.resume()
            options = replace(run.options, refresh=False)
            return start_batch(
                run.plan, options, batch_id=run.id, executor=executor, store=store, pace=run.pace
            )
    with _store().snapshot() as snapshot:
        record = next(iter(snapshot.runs(wanted)), None)
        known = [] if record is not None else [each.id for each in snapshot.runs()]
    if record is None:
        newest = f" Newest: {', '.join(reversed(known[-_SUGGESTED:]))}." if known else ""
        raise ConfigurationError(
            f"The log has no batch {wanted!r:.80}.{did_you_mean(wanted, known)}{newest}"
        )
    plan, options = plan_of(record)
    return start_batch(plan, options, batch_id=record.id, executor=executor, store=store)


def _store() -> Store:
    log = current_session().log
    store, _ = log.readable_store()
    if store is None:
        raise LogError(
            "the log is off (ALLOS_LOG=off): there are no batches to read. "
            "Unset ALLOS_LOG, or call allos.log.open(path)"
        )
    log.flush()
    return store


def _facts(store: Store, record: RunRecord) -> dict[str, Any]:
    request = unpacked(record.request)
    finished = read_finished(store, record.id)
    answered = min(len(finished.ok), record.calls)
    users = [m.text for m in messages_of(request["messages"]).messages if m.role == "user"]
    live = {run.id: run for run in current_session().active_runs if isinstance(run, Batch)}
    state = live[record.id].state if record.id in live else None
    if state is None and answered < record.calls and SubmittedFiles(store, record.id).load():
        state = "waiting"
    if state is None and answered < record.calls and is_decided(store, record):
        state = "decided"
    return {
        "batch_id": record.id,
        "state": state or ("done" if answered == record.calls else "stopped"),
        "calls": record.calls,
        "answered": answered,
        "cost_usd": finished.cost_usd,
        "models": ", ".join(dict.fromkeys(column["model"] for column in request["columns"])),
        "prompt": users[-1] if users else None,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
