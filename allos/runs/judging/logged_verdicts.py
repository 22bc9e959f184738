"""What a judge has said before: its calls are rows of the log, so nobody pays for them twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.hashing import messages_digest, value_digest
from allos.log.store.protocol import Store, Where
from allos.messages import Message
from allos.options import OVERRIDABLE_OPTIONS
from allos.providers import Provider
from allos.render.logged_rows import ANSWER_COLUMNS, records, response_of
from allos.response import ProviderResponse
from allos.runs.batching.finished_calls import readable_store
from allos.runs.judging.verdicts import is_verdict
from allos.session import Session, current_session
from allos.tools.schemas import as_schema

if TYPE_CHECKING:
    from allos.runs.grid import Column

PREFIX = "jdg_"
"""Begins the `run_id` of a judge's calls, which is equal for the same judge with the same rubric."""
_VERSION_CHARS = 10
_KEY_CHARS = 24
_WAYS_TO_CALL = {*OVERRIDABLE_OPTIONS} - {"base_url", "api", "headers", "context_window"}
_COLUMNS = ("task_key", "id", "created_at", "completed_at", *ANSWER_COLUMNS)


def judge_identity(rubric: str, model: str | Provider, params: Mapping[str, Any]) -> list[Any]:
    """What tells a judge from others: not its key, its limits, and how long it is waited for."""
    if isinstance(model, Provider):
        names = [f"{model.name}/{model.model}", model.base_url, model.api, dict(model.params)]
    else:
        names = [model]
    counting = {
        name: str(value)
        for name, value in params.items()
        if name not in _WAYS_TO_CALL and value is not None
    }
    return [rubric, *names, counting]


def version_of(identity: Sequence[Any]) -> str:
    """Version of a judge, which ends the `run_id` of its calls."""
    return value_digest(identity)[:_VERSION_CHARS]


def key_of(*asked: Any) -> str:
    """`task_key` of a judge's call: equal for the same thing that is asked."""
    return value_digest([*asked])[:_KEY_CHARS]


def logged_store(session: Session) -> Store | None:
    """Store of the log, if answers may be taken from it: with a replay file open, that one has them."""
    session.open_log()
    is_replaying = session.replay is not None and session.replay.mode != "off"
    return None if is_replaying else session.log.store


def logged_answers(store: Store, run_id: str, names: Sequence[str]) -> list[Mapping[Any, Any]]:
    """Rows of the answered calls of a judge, oldest first; none where the log cannot be read."""
    from allos.log.query import read

    where = Where(any_of={"run_id": (run_id,), "status": ("ok",)})
    with suppress(LogError):  # then it is asked
        readable_store(current_session())
        return records(read(store, list(names), where))
    return []


class LoggedVerdicts:
    """Verdicts of one judge with one rubric that the log has, by what it was asked.

    Of equal questions each has a verdict of its own, and so has each repeat. What failed, was refused or
    cannot be read as a verdict is not here.

    Parameters
    ----------
    rubric : str
    model : str or Provider
        The judge.
    column : Column
        Its parameters, the schema of a verdict among them.
    refresh : bool
        Whether it is asked again; then there are none.
    """

    def __init__(
        self, rubric: str, model: str | Provider, column: Column, *, refresh: bool
    ) -> None:
        params = dict(column.params)
        schema = as_schema(params.pop("schema"))
        assert schema is not None
        assert schema.parse is not None
        self._parse = schema.parse
        self._identity = [*judge_identity(rubric, model, params), dict(schema.schema)]
        self._refresh = refresh
        self.run_id = PREFIX + version_of(self._identity)

    def keys(self, prompts: Sequence[tuple[Message, ...]], n: int) -> list[list[str]]:
        """`task_key` of each repeat of each prompt."""
        seen: Counter[str] = Counter()
        found = []
        for messages in prompts:
            digest = messages_digest(messages)
            found.append([key_of(self._identity, digest, seen[digest], each) for each in range(n)])
            seen[digest] += 1
        return found

    def read(self, keys: Sequence[Sequence[str]]) -> dict[str, ProviderResponse]:
        """The newest verdict with each of these keys, as an answer that costs nothing now."""
        store = None if self._refresh else logged_store(current_session())
        if store is None:
            return {}
        wanted = {key for each in keys for key in each}
        found = {}
        for row in logged_answers(store, self.run_id, _COLUMNS):
            if row["task_key"] in wanted and (verdict := self._verdict(row)) is not None:
                found[row["task_key"]] = verdict
        return found

    def _verdict(self, row: Mapping[str, Any]) -> ProviderResponse | None:
        try:
            said = response_of(row)
            said = replace(said, parsed=self._parse(said.content), replayed=True)
        except (ValueError, KeyError, TypeError):  # of no verdict, or of a redacted row
            return None
        return said.with_metadata({"cost_usd": 0.0}) if is_verdict(said) else None
