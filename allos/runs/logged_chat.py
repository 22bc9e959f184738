"""The turns of a conversation from the log, so that it goes on after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allos import context
from allos.call_params import params_of
from allos.context import RunContext
from allos.errors import LogError
from allos.log import query
from allos.log.stored_messages import messages_of
from allos.messages import Message, MessageRole
from allos.render.logged_rows import records, response_of
from allos.request import Request
from allos.runs.turn import Turn
from allos.session import Session

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedChat:
    """A conversation as the log knows it."""

    id: str
    """Its `conversation_id`, which the next turns share."""
    turns: list[Turn]
    last_at: datetime
    lost: int
    """Images and files of its prompts that are not in the log."""


def find(name: str, session: Session) -> LoggedChat | None:
    """Newest run of a conversation, in this notebook; None where the log has none. Sends nothing.

    A notebook whose answers are replayed always begins anew: it must send the same requests every time.
    """
    session.open_configured_replay()
    if session.replay is not None or not session.log.has_file:
        return None
    try:
        rows = query.select({"conversation": name})
        return _newest(rows)
    except (LogError, ValueError, TypeError, KeyError):
        return (
            None  # a damaged log is said where it is read and written; the conversation begins anew
        )


def _newest(rows: pd.DataFrame) -> LoggedChat | None:
    notebook = context.current().notebook
    here = rows["notebook"].isna() if notebook is None else rows["notebook"] == notebook
    by_id = {row["id"]: row for row in records(rows[here])}
    last = next((row for row in reversed(by_id.values()) if _is_turn(row)), None)
    if last is None:
        return None
    chain = [last]
    while (row := _parent(chain[-1], by_id)) is not None:
        chain.append(row)
    turns: list[Turn] = []
    lost = 0
    for row in reversed(chain):
        if not _is_turn(row):
            continue  # a step of a tool run: its messages stand in the row of the answer
        sent, lost = messages_of(row["messages"])
        turns.append(_turn(row, sent, turns))
    return LoggedChat(
        id=last["conversation_id"], turns=turns, last_at=last["created_at"], lost=lost
    )


def _is_turn(row: Mapping[str, Any]) -> bool:
    """Whether a row is the answer of a turn."""
    return row["status"] == "ok" and row["tool_calls"] is None and row["messages"] is not None


def _parent(
    row: Mapping[str, Any], by_id: dict[Any, Mapping[Any, Any]]
) -> Mapping[Any, Any] | None:
    """Row that a row follows; of a branch the first ones belong to another conversation."""
    parent = row["parent_id"]
    if parent is None:
        return None
    if parent not in by_id:
        by_id.update((found["id"], found) for found in records(query.rows_by_id([parent])))
    return by_id.get(parent)


def _turn(row: Mapping[str, Any], sent: tuple[Message, ...], before: list[Turn]) -> Turn:
    turns = [message for message in sent if message.role is not MessageRole.SYSTEM]
    earlier = sum(len(turn.messages) for turn in before)
    request = Request(
        provider=row["provider"] or "",
        api=row["api"] or "chat",
        base_url=row["base_url"] or "",
        model=row["model"] or "",
        messages=sent,
        params=params_of(row),
        request_hash=row["request_hash"],
    )
    origin = RunContext(
        notebook=row["notebook"],
        cell_id=row["cell_id"],
        session_id=row["session_id"],
        conversation_id=row["conversation_id"],
        conversation=row["conversation"],
        parent_id=row["parent_id"],
    )
    response = replace(response_of(row), request=request, context=origin)
    return Turn(
        messages=(*turns[earlier:], response.to_message()),
        response=response,
        system=row["system"],
        cell_id=row["cell_id"],
        execution_count=None,
    )
