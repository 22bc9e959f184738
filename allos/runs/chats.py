"""`allos.chat`: a named conversation, with any models. Plain Python, no notebook needed.

Cells and calls without a conversation are independent. The turns of a conversation are linked rows of the
log (`conversation`, `conversation_id`, `parent_id`), from which a later process goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allos import context
from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.ids import new_id
from allos.messages import Message, MessageRole, Prompt, as_messages
from allos.response import ProviderResponse
from allos.runs import logged_chat
from allos.runs.ask import aask, ask
from allos.runs.turn import Turn
from allos.session import Session, current_session

if TYPE_CHECKING:
    import pandas as pd

_CHARS_PER_TOKEN = 4


class Chat:
    """A conversation; created by `chat`.

    Attributes
    ----------
    name : str
    id : str
        ``conv_`` and a ULID; the log's `conversation_id`.
    turns : list of Turn
    """

    def __init__(self, name: str, session: Session) -> None:
        self.name = name
        self._session = session
        self.id = f"conv_{new_id()}"
        self.turns: list[Turn] = []
        self._origin = ""

    def restore(self) -> None:
        """Go on with the newest run of this conversation in the log, if there is one; sends nothing."""
        found = logged_chat.find(self.name, self._session)
        if found is None:
            return
        self.id, self.turns = found.id, found.turns
        day = found.last_at.astimezone().strftime("%Y-%m-%d %H:%M")
        lost = f"; {found.lost} attachment{'s' * (found.lost > 1)} not in it" if found.lost else ""
        self._origin = f", continued from the log ({day}{lost})"

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages so far, without the system message."""
        return _messages_of(self.turns)

    @property
    def system(self) -> str | None:
        """System message of the last turn."""
        return _system(self.turns)

    @property
    def frame(self) -> pd.DataFrame:
        """The answers as a DataFrame: one row per turn, with the columns of the log."""
        from allos.log.frame import frame_of

        return frame_of([turn.response for turn in self.turns])

    def ask(self, prompt: Prompt, *, system: str | None = None, **more: Any) -> ProviderResponse:
        """Ask the next question; the conversation so far is sent with it.

        Parameters
        ----------
        prompt : str, Image, File or sequence of those
            The question.
        system : str or None
            System message from now on; None: that of the last turn.
        **more
            As in `allos.ask` (`model`, `tools`, `temperature` ...).

        Notes
        -----
        A turn that fails or is cancelled does not change the conversation.
        """
        messages, system = self.build_messages(prompt, system)
        with self.next_turn():
            response = ask(messages, system=system, **more)
            self.add(response, system)
        return response

    async def aask(
        self, prompt: Prompt, *, system: str | None = None, **more: Any
    ) -> ProviderResponse:
        """Ask the next question and await its answer; see `ask`."""
        messages, system = self.build_messages(prompt, system)
        with self.next_turn():
            response = await aask(messages, system=system, **more)
            self.add(response, system)
        return response

    def build_messages(
        self, prompt: Prompt, system: str | None
    ) -> tuple[tuple[Message, ...], str | None]:
        """All messages of the next turn, its question last, and its system message.

        A cell that is run again continues the conversation as it was before the cell's earlier run. Its
        old turn and later ones are removed once the new answer has arrived (not from the log).
        """
        turns = self._turns_before()
        return (*_messages_of(turns), *as_messages(prompt)), system or _system(turns)

    def _turns_before(self) -> list[Turn]:
        """Turns before that of the running cell."""
        running = context.current()
        for number, turn in enumerate(self.turns):
            is_same_cell = running.cell_id is not None and turn.cell_id == running.cell_id
            if is_same_cell and turn.execution_count != running.execution_count:
                return self.turns[:number]
        return list(self.turns)

    @contextmanager
    def next_turn(self) -> Iterator[None]:
        """Context of the next call: its row is linked to the turn before.

        A conversation whose first turn fails is not listed, until it has one.
        """
        turns = self._turns_before()
        parent = {"parent_id": turns[-1].response.id} if turns else {}
        is_new = not self.turns
        try:
            with context.using(conversation_id=self.id, conversation=self.name, **parent):
                yield
        finally:
            if is_new and not self.turns:
                self._session.chats.pop(self.name, None)

    def add(self, response: ProviderResponse, system: str | None) -> bool:
        """Append a turn; False if the answer is incomplete or has pending tool calls."""
        if not response.ok or response.tool_calls or response.request is None:
            return False
        sent = [m for m in response.request.messages if m.role is not MessageRole.SYSTEM]
        running = context.current()
        turns = self._turns_before()
        turn = Turn(
            messages=(*sent[len(_messages_of(turns)) :], response.to_message()),
            response=response,
            system=system,
            cell_id=running.cell_id,
            execution_count=running.execution_count,
        )
        self.turns = [*turns, turn]
        self._session.chats.setdefault(self.name, self)
        return True

    def note(self) -> str:
        """Describe what is sent with the next question: ``"+2 earlier turns, 180 tokens"``, or empty."""
        turns = self._turns_before()
        if not turns:
            return ""
        count = len(turns)
        usage = turns[-1].response.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            tokens = f"{usage.input_tokens + usage.output_tokens:,} tokens"
        else:
            chars = sum(len(message.text or "") for message in _messages_of(turns))
            tokens = f"about {max(1, chars // _CHARS_PER_TOKEN):,} tokens"
        origin, self._origin = self._origin, ""  # said once
        return f"{self.name}: +{count} earlier turn{'' if count == 1 else 's'}, {tokens}{origin}"

    def reset(self) -> None:
        """Remove all turns; the rows of the log stay, and new ones get a new id."""
        self.turns.clear()
        self.id = f"conv_{new_id()}"

    def branch(self, name: str) -> Chat:
        """Return a new conversation that starts with the turns of this one.

        Raises
        ------
        ConfigurationError
            A conversation with that name exists.
        """
        if name in current_session().chats:
            raise ConfigurationError(f"A conversation {name!r} already exists.")
        branch = open_chat(name, from_log=False)
        branch.turns = list(self.turns)
        return branch

    def __str__(self) -> str:
        return "\n\n".join(
            f"{message.role.value}: {message.text}" for message in self.messages if message.text
        )

    def __repr__(self) -> str:
        count = len(self.turns)
        return f"Chat({self.name!r}, {count} turn{'' if count == 1 else 's'})"


def _messages_of(turns: Sequence[Turn]) -> tuple[Message, ...]:
    return tuple(message for turn in turns for message in turn.messages)


def _system(turns: Sequence[Turn]) -> str | None:
    return turns[-1].system if turns else None


def chat(name: str) -> Chat:
    """Return the conversation with a name; create it if needed.

    A name that this process has not used yet goes on with the newest run of that conversation in the
    log, of the same notebook. Nothing is sent by that.

    Parameters
    ----------
    name : str
        Any name; ``%%allos --chat NAME`` is the same conversation.

    Examples
    --------
    ::

        trip = allos.chat("trip")
        trip.ask("Name three cities of Italy.", model="groq/llama-3.1-8b-instant")
        trip.ask("Which of them has canals?", model="anthropic/claude-haiku-4-5")

    >>> chat("example")
    Chat('example', 0 turns)
    """
    return open_chat(name)


def open_chat(name: str, *, from_log: bool = True) -> Chat:
    """Return a conversation as `chat` does; `from_log` says whether an earlier run goes on."""
    known = peek(name, from_log=from_log)
    session = current_session()
    session.known_chats[name] = session.chats[name] = known
    return known


def peek(name: str, *, from_log: bool = True) -> Chat:
    """Return a conversation as `open_chat` does, without listing a new one."""
    value: object = name
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(
            f"The name of a conversation must be a non-empty string, got {value!r:.80}"
        )
    session = current_session()
    known: Chat | None = session.known_chats.get(name)
    if known is None:
        known = Chat(name, session)
        if from_log:
            known.restore()
    return known


def find(name: str) -> Chat:
    """Return the existing conversation with a name.

    Raises
    ------
    ConfigurationError
        It does not exist; the message suggests the closest name.
    """
    known: dict[str, Chat] = current_session().chats
    if name not in known:
        existing = ", ".join(known) if known else "none"
        raise ConfigurationError(
            f"Unknown conversation {name!r}.{did_you_mean(name, known)} Existing: {existing}."
        )
    return known[name]


def names() -> list[str]:
    """Names of the conversations of this process."""
    return list(current_session().chats)


def chats() -> pd.DataFrame:
    """Conversations of this process as a DataFrame.

    Returns
    -------
    pandas.DataFrame
        One row per conversation, by name: `turns`, `models`, `tokens` (of the last call, which the next
        one sends again; null when unknown), `last_at`, `conversation_id`.
    """
    import pandas as pd

    rows = [_row(known) for known in current_session().chats.values()]
    columns = ["name", "turns", "models", "tokens", "last_at", "conversation_id"]
    text = text_dtype()
    frame = pd.DataFrame(rows, columns=columns).astype(
        {"name": text, "turns": "Int64", "models": text, "tokens": "Int64"}
        | {"last_at": "datetime64[us, UTC]", "conversation_id": text}
    )
    return frame.set_index("name")


def _row(known: Chat) -> dict[str, Any]:
    answers: Sequence[ProviderResponse] = [turn.response for turn in known.turns]
    usage = answers[-1].usage if answers else None
    total = None
    if usage is not None and usage.input_tokens is not None and usage.output_tokens is not None:
        total = usage.input_tokens + usage.output_tokens
    last_at: datetime | None = answers[-1].completed_at if answers else None
    return {
        "name": known.name,
        "turns": len(answers),
        "models": ", ".join(dict.fromkeys(f"{each.provider}/{each.model}" for each in answers)),
        "tokens": total,
        "last_at": last_at,
        "conversation_id": known.id,
    }
