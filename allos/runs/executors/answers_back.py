"""What workers have answered, as the process that started the batch gets it: into its log, and from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from allos.hashing import value_digest
from allos.log.rows import pack, unpack
from allos.log.store.protocol import Where
from allos.response import ProviderResponse
from allos.runs.batching import batch_frame
from allos.runs.executors.answer_files import AnswerFiles

if TYPE_CHECKING:
    from allos.log.store.protocol import Store
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.session import Session

FLUSH_S = 60.0
_STORE = "answer store "
"""Begins the name of the note of a run with the address of a store that workers wrote to."""
_DIGEST_CHARS = 12
_READ = "answer files"
"""Name of the note of a run with the files that the log has."""


def take_all_files(run_id: str, session: Session, files: AnswerFiles | None) -> int:
    """Add the answers of all stores that a batch was ever run with; see `take_files`.

    Parameters
    ----------
    run_id : str
        Of the batch.
    session : Session
    files : AnswerFiles or None
        The store of this start, which is noted.

    Raises
    ------
    LogError
        As `take_files`: what is paid is not asked again only because a store is away.
    """
    store = session.log.store
    assert store is not None
    noted = store.run_notes(run_id)
    known = {str(bytes(noted[name]), "utf-8") for name in noted if name.startswith(_STORE)}
    if files is not None and files.address not in known:
        name = f"{_STORE}{value_digest(files.address)[:_DIGEST_CHARS]}"
        store.set_run_note(run_id, name, files.address.encode())
        known.add(files.address)
    return sum(take_files(AnswerFiles(address, run_id), session) for address in sorted(known))


def take_files(files: AnswerFiles, session: Session) -> int:
    """Add the answers of all files that were not read before to the log; returns how many files these were.

    Raises
    ------
    LogError
        A file cannot be read, or the log not written: nothing is lost, they are read the next time.
    """
    store = session.log.store
    assert store is not None
    noted = store.run_notes(files.run_id).get(_READ)
    known = set(json.loads(unpack(bytearray(noted)) or "[]")) if noted else set()
    new = [name for name in files.names() if name not in known]
    for name in new:
        session.log.add_rows(files.read(name))
    if new:
        session.log.flush(FLUSH_S)
        packed = pack(sorted(known.union(new)))
        assert packed is not None
        store.set_run_note(files.run_id, _READ, bytes(packed))
    return len(new)


def answers_in_log(
    store: Store, run_id: str, plan: BatchPlan, positions: Iterable[int], since: int | None
) -> Mapping[int, ProviderResponse]:
    """Answers that the log has to some calls of a plan, newer than `since`."""
    from allos.log.columns import FRAME_NAMES
    from allos.log.query import read
    from allos.render.logged_rows import records, response_of

    keys = tuple(map(plan.key, positions))
    where = Where(any_of={"run_id": (run_id,), "task_key": keys, "status": ("ok",)}, since=since)
    logged = read(store, FRAME_NAMES, where)
    if not len(logged):
        return {}
    rows = records(logged)
    found = batch_frame.newest_rows(plan, logged)
    return {position: response_of(rows[at]) for position, at in found.items()}
