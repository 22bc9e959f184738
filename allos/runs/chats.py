"""`allos.chat`: a named conversation that any model may join. Plain Python, no notebook needed.

A conversation is off unless it is asked for: a question without a name knows of no other. It lives in
this process; its turns are linked rows of the log (`conversation_id`, `parent_id`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allos import context
from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.ids import new_id
from allos.messages import Message, MessageRole, Prompt, as_messages
from allos.response import ProviderResponse
from allos.runs.ask import aask, ask
from allos.session import current_session

if TYPE_CHECKING:
    import pandas as pd

_CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and its answer, with the calls of tools in between."""

    messages: tuple[Message, ...]
    response: ProviderResponse
    system: str | None
    """Instructions that held for this turn."""
    cell_id: str | None
    execution_count: int | None


class Chat:
    """A conversation; made by `chat`.

    Attributes
    ----------
    name : str
    id : str
        ``conv_`` and a ULID; the log's `conversation_id`.
    turns : list of Turn
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.id = f"conv_{new_id()}"
        self.turns: list[Turn] = []

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything said so far, the instructions left out."""
        return _said(self.turns)

    @property
    def system(self) -> str | None:
        """Instructions that hold now: those of the last turn."""
        return _system(self.turns)

    @property
    def frame(self) -> pd.DataFrame:
        """The answers as a DataFrame: one row for each turn, the log's columns."""
        from allos.log.frame import frame_of

        return frame_of([turn.response for turn in self.turns])

    def ask(self, prompt: Prompt, *, system: str | None = None, **more: Any) -> ProviderResponse:
        """Ask the next question; everything said so far goes along.

        Parameters
        ----------
        prompt : str, Image, File or sequence of those
            The question.
        system : str or None
            Instructions from now on; None keeps those of the last turn.
        **more
            What `allos.ask` takes (`model`, `tools`, `temperature` ...).

        Notes
        -----
        A turn that fails or is stopped leaves the conversation as it was.
        """
        messages, system = self.opened(prompt, system)
        with self.here():
            response = ask(messages, system=system, **more)
        self.add(response, system)
        return response

    async def aask(
        self, prompt: Prompt, *, system: str | None = None, **more: Any
    ) -> ProviderResponse:
        """Ask the next question and await its answer; see `ask`."""
        messages, system = self.opened(prompt, system)
        with self.here():
            response = await aask(messages, system=system, **more)
        self.add(response, system)
        return response

    def opened(self, prompt: Prompt, system: str | None) -> tuple[tuple[Message, ...], str | None]:
        """All messages of the next turn, its question last, and its instructions.

        A cell that is run again goes back to where it stood when it ran before. Its old turn, and
        what came after, are forgotten once its new answer is there (not in the log).
        """
        turns = self._standing()
        return (*_said(turns), *as_messages(prompt)), system or _system(turns)

    def _standing(self) -> list[Turn]:
        """Turns that the running cell goes on from."""
        here = context.current()
        for number, turn in enumerate(self.turns):
            again = here.cell_id is not None and turn.cell_id == here.cell_id
            if again and turn.execution_count != here.execution_count:
                return self.turns[:number]
        return list(self.turns)

    def here(self) -> Any:
        """Context of the next call: its row is linked to the turn before."""
        turns = self._standing()
        parent = {"parent_id": turns[-1].response.id} if turns else {}
        return context.using(conversation_id=self.id, **parent)

    def add(self, response: ProviderResponse, system: str | None) -> bool:
        """Take in an answer, where it is one: complete, and not a call of a tool that nobody ran."""
        if not response.ok or response.tool_calls or response.request is None:
            return False
        said = [m for m in response.request.messages if m.role is not MessageRole.SYSTEM]
        here = context.current()
        turns = self._standing()
        turn = Turn(
            messages=(*said[len(_said(turns)) :], response.to_message()),
            response=response,
            system=system,
            cell_id=here.cell_id,
            execution_count=here.execution_count,
        )
        self.turns = [*turns, turn]
        return True

    def note(self) -> str:
        """What goes along with the next question: ``"+2 earlier turns, 180 tokens"``; or nothing."""
        turns = self._standing()
        if not turns:
            return ""
        count = len(turns)
        usage = turns[-1].response.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            tokens = f"{usage.input_tokens + usage.output_tokens:,} tokens"
        else:
            chars = sum(len(message.text or "") for message in _said(turns))
            tokens = f"about {max(1, chars // _CHARS_PER_TOKEN):,} tokens"
        return f"{self.name}: +{count} earlier turn{'' if count == 1 else 's'}, {tokens}"

    def reset(self) -> None:
        """Forget everything said; the rows of the log stay, and new ones get a new id."""
        self.turns.clear()
        self.id = f"conv_{new_id()}"

    def branch(self, name: str) -> Chat:
        """Return a new conversation that starts with what was said here.

        Raises
        ------
        ConfigurationError
            There is one of that name.
        """
        if name in current_session().chats:
            raise ConfigurationError(f"There is a conversation {name!r} already.")
        made = chat(name)
        made.turns = list(self.turns)
        return made

    def __str__(self) -> str:
        return "\n\n".join(
            f"{message.role.value}: {message.text}" for message in self.messages if message.text
        )

    def __repr__(self) -> str:
        count = len(self.turns)
        return f"Chat({self.name!r}, {count} turn{'' if count == 1 else 's'})"


def _said(turns: Sequence[Turn]) -> tuple[Message, ...]:
    return tuple(message for turn in turns for message in turn.messages)


def _system(turns: Sequence[Turn]) -> str | None:
    return turns[-1].system if turns else None


def chat(name: str) -> Chat:
    """Conversation of that name; a new one when there is none.

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
    given: object = name
    if not isinstance(given, str) or not given.strip():
        raise ConfigurationError("A conversation needs a name, a text: allos.chat('trip').")
    known: dict[str, Chat] = current_session().chats
    if name not in known:
        known[name] = Chat(name)
    return known[name]


def find(name: str) -> Chat:
    """Conversation of that name, which must exist.

    Raises
    ------
    ConfigurationError
        There is none; the message offers the closest name.
    """
    known: dict[str, Chat] = current_session().chats
    if name not in known:
        there = f" There are: {', '.join(known)}." if known else " There are none."
        raise ConfigurationError(
            f"There is no conversation {name!r}.{did_you_mean(name, known)}{there}"
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
        One row each, by name: `turns`, `models`, `tokens` (of the last call, what the next one will
        send; null when unknown), `last_at`, `conversation_id`.
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
