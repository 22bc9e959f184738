"""Messages of a conversation: who says what, with which parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from allos.parts import File, Image, Part, as_part


class MessageRole(StrEnum):
    """Who speaks; each member equals its lower-case name, so ``"user"`` works wherever it does."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that the model asks for."""

    id: str
    """The API's id of the call (`call_id` on Responses); a tool message answers it."""
    name: str
    """Name of the tool."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Parsed arguments; empty when they could not be parsed."""
    raw_arguments: str | None = None
    """The arguments as the model wrote them, when they are not valid JSON."""
    error: str | None = None
    """Why the arguments could not be parsed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Parameters
    ----------
    role : MessageRole or str
        Who speaks: ``"system"``, ``"user"``, ``"assistant"`` or ``"tool"``.
    content : str, sequence of str, Image and File, or None
        The text. With images or files, the parts in their order: a tuple, whatever sequence was
        given; PIL images and matplotlib figures become images. Texts alone are one text. None for
        an assistant turn that holds only tool calls.
    tool_calls : sequence of ToolCall
        Calls that the assistant asked for.
    tool_call_id : str or None
        For a tool turn: the call it answers.
    raw : tuple of dict
        Parts of an assistant turn that its API wants back unchanged (reasoning items, signed
        thinking blocks). Opaque; filled by `ProviderResponse.to_message`.

    Examples
    --------
    >>> Message(role=MessageRole.USER, content="Hi").role
    <MessageRole.USER: 'user'>
    >>> Message("user", ["What is on it?", Image(url="https://example.org/cat.jpg")]).text
    'What is on it?'
    """

    role: MessageRole
    content: str | Sequence[Part] | None = None
    tool_calls: Sequence[ToolCall] = ()
    tool_call_id: str | None = None
    raw: tuple[dict[str, Any], ...] = ()

    if TYPE_CHECKING:  # a type checker takes the role's name, too

        def __init__(
            self,
            role: MessageRole | Literal["system", "user", "assistant", "tool"],
            content: str | Sequence[Part] | None = None,
            tool_calls: Sequence[ToolCall] = (),
            tool_call_id: str | None = None,
            raw: tuple[dict[str, Any], ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.role, MessageRole):
            try:
                role = MessageRole(self.role)
            except ValueError:
                known = ", ".join(repr(str(member)) for member in MessageRole)
                raise ValueError(f"unknown role {self.role!r}; the roles are {known}") from None
            object.__setattr__(self, "role", role)
        if self.content is not None and not isinstance(self.content, str):
            content = _parts(self.content)
            if not isinstance(content, str) and self.role != "user":
                raise ValueError(f"images and files go into user messages, not {self.role.value}")
            object.__setattr__(self, "content", content)
        for call in self.tool_calls or ():
            if not isinstance(call, ToolCall):
                raise TypeError(f"tool_calls holds ToolCall objects, not {type(call).__name__}")

    @property
    def text(self) -> str | None:
        """The text without images and files; None when there is none.

        Texts with an image or a file between them are parted by a line's end, unless there is
        white space already.
        """
        if self.content is None or isinstance(self.content, str):
            return self.content
        return _joined([part for part in self.content if isinstance(part, str)])


def _parts(content: Any) -> str | tuple[Part, ...]:
    single = as_part(content)
    if single is not None:
        content = (single,)
    elif isinstance(content, Mapping | bytes) or not isinstance(content, Iterable):
        raise _no_part(content)
    parts: list[Part] = []
    for value in content:
        part = as_part(value)
        if part is None:
            raise _no_part(value)
        if part != "":  # services refuse empty texts beside images
            parts.append(part)
    texts = [part for part in parts if isinstance(part, str)]
    return tuple(parts) if len(texts) < len(parts) else _joined(texts) or ""


def _no_part(value: object) -> TypeError:
    return TypeError(
        f"a message holds texts, Image(path=...) and File(path=...), not {type(value).__name__}; "
        "a turn of a conversation is Message(role=MessageRole.USER, content=...)"
    )


def _joined(texts: Sequence[str]) -> str | None:
    if not texts:
        return None
    joined = texts[0]
    for text in texts[1:]:
        apart = joined[-1:].isspace() or text[:1].isspace()
        joined += text if apart else f"\n{text}"
    return joined


Prompt: TypeAlias = str | Image | File | Iterable[Message | Part]
"""What can be asked: a text, texts with images and files, or a whole conversation."""


# They can be iterated over, but what comes out (keys, numbers, any order) is not what was meant.
_NO_PROMPT = (Mapping, bytes, bytearray, memoryview, set, frozenset)


def _check_prompt(value: object) -> None:
    if isinstance(value, Iterable) and not isinstance(value, _NO_PROMPT):
        return
    raise TypeError(
        "a prompt is a text, a list of texts, Image(path=...) and File(path=...), or a list of "
        "Message(role=MessageRole.USER, content=...) messages, not "
        f"{'None' if value is None else type(value).__name__}"
    )


def as_messages(messages: Prompt, system: str | None = None) -> tuple[Message, ...]:
    """Messages from a prompt or from messages, a system text first.

    Parameters
    ----------
    messages : str, Image, File, iterable of those, or iterable of Message
        A prompt, which is one user message, or the turns themselves.
    system : str or None
        Text of a system message to put first.

    Raises
    ------
    ValueError
        No message at all.
    TypeError
        Messages and parts are mixed, or something is neither.
    """
    given: tuple[Any, ...]
    if isinstance(messages, str | Message):
        given = (messages,)
    else:
        part = as_part(messages)
        if part is None:
            _check_prompt(messages)
        given = tuple(messages) if part is None else (part,)  # type: ignore[arg-type]  # no part: iterable
    if not given:
        raise ValueError("messages is empty: pass at least one Message")
    if any(isinstance(value, Message) for value in given):
        turns = given
    else:
        turns = (Message(MessageRole.USER, given),)
    for turn in turns:
        if not isinstance(turn, Message):
            raise TypeError(
                f"messages must hold Message objects alone, not also {type(turn).__name__}: "
                "Message(role=MessageRole.USER, content=...)"
            )
    if system:
        turns = (Message(MessageRole.SYSTEM, system), *turns)
    return turns
