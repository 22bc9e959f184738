"""Messages of a conversation: roles, contents and tool calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from allos.errors import PromptError
from allos.parts import File, Image, Part, as_part


class MessageRole(StrEnum):
    """Role of a message; members are strings, so ``"user"`` works as well."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of the model."""

    id: str
    """The API's id of the call (`call_id` on Responses); a tool message refers to it."""
    name: str
    """Name of the tool."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Parsed arguments; empty when they could not be parsed."""
    raw_arguments: str | None = None
    """The arguments as text, if they are not valid JSON."""
    error: str | None = None
    """Why the arguments could not be parsed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Parameters
    ----------
    role : MessageRole or str
        ``"system"``, ``"user"``, ``"assistant"`` or ``"tool"``.
    content : str, sequence of str, Image and File, or None
        The text. With images or files, a tuple of the parts in order; PIL images and matplotlib
        figures are converted. A sequence of strings is joined. None for an assistant turn with only
        tool calls.
    tool_calls : sequence of ToolCall
        Tool calls of an assistant turn.
    tool_call_id : str or None
        For a tool turn: the id of its call.
    raw : tuple of dict
        Parts of an assistant turn that its API requires unchanged in the next request (reasoning
        items, signed thinking blocks). Opaque; set by `ProviderResponse.to_message`.

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

    if TYPE_CHECKING:  # for type checkers, which then also accept the role as a string

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
                raise ValueError(f"unknown role {self.role!r}; expected one of {known}") from None
            object.__setattr__(self, "role", role)
        if self.content is not None and not isinstance(self.content, str):
            content = _normalize_content(self.content)
            if not isinstance(content, str) and self.role != "user":
                raise ValueError(
                    f"images and files are only allowed in user messages, got role {self.role.value!r}"
                )
            object.__setattr__(self, "content", content)
        for call in self.tool_calls or ():
            if not isinstance(call, ToolCall):
                raise TypeError(
                    f"tool_calls must contain ToolCall objects, got {type(call).__name__}"
                )

    @property
    def text(self) -> str | None:
        """The text without images and files; None if there is none.

        Strings with an image or a file between them are joined with a newline, unless there is
        whitespace already.
        """
        if self.content is None or isinstance(self.content, str):
            return self.content
        return _join_texts([part for part in self.content if isinstance(part, str)])


def _normalize_content(content: Any) -> str | tuple[Part, ...]:
    single = as_part(content)
    if single is not None:
        content = (single,)
    elif isinstance(content, Mapping | bytes) or not isinstance(content, Iterable):
        raise _part_error(content)
    parts: list[Part] = []
    for value in content:
        part = as_part(value)
        if part is None:
            raise _part_error(value)
        if part != "":  # services reject empty strings next to images
            parts.append(part)
    texts = [part for part in parts if isinstance(part, str)]
    return tuple(parts) if len(texts) < len(parts) else _join_texts(texts) or ""


def _part_error(value: object) -> TypeError:
    return TypeError(
        f"content must be strings, Image(path=...) and File(path=...), got {type(value).__name__}; "
        "for a turn of a conversation use Message(role=MessageRole.USER, content=...)"
    )


def _join_texts(texts: Sequence[str]) -> str | None:
    if not texts:
        return None
    joined = texts[0]
    for text in texts[1:]:
        apart = joined[-1:].isspace() or text[:1].isspace()
        joined += text if apart else f"\n{text}"
    return joined


Prompt: TypeAlias = str | Image | File | Iterable[Message | Part]
"""A prompt: a string, strings with images and files, or a complete conversation."""


# Iterable, but their elements (keys, numbers, in any order) cannot be a prompt.
_NOT_A_PROMPT = (Mapping, bytes, bytearray, memoryview, set, frozenset)


def _check_prompt(value: object) -> None:
    if isinstance(value, Iterable) and not isinstance(value, _NOT_A_PROMPT):
        return
    raise PromptError(
        "a prompt must be a string, a list of strings, Image(path=...) and File(path=...), or a list of "
        "Message(role=MessageRole.USER, content=...) messages, got "
        f"{'None' if value is None else type(value).__name__}"
    )


def as_messages(messages: Prompt, system: str | None = None) -> tuple[Message, ...]:
    """Convert a prompt or messages to messages, with a system message first.

    Parameters
    ----------
    messages : str, Image, File, iterable of those, or iterable of Message
        A prompt, which becomes one user message, or the messages themselves.
    system : str or None
        Text of a system message to prepend.

    Raises
    ------
    PromptError
        No messages; messages and parts are mixed, or an element is neither.
    """
    try:
        return _turns(messages, system)
    except (TypeError, ValueError) as exc:  # of a message
        raise PromptError(str(exc)) from None


def _turns(messages: Prompt, system: str | None) -> tuple[Message, ...]:
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
                f"messages must only contain Message objects, got {type(turn).__name__}: "
                "use Message(role=MessageRole.USER, content=...)"
            )
    if system is not None and (system or not isinstance(system, Sequence)):
        turns = (Message(MessageRole.SYSTEM, system), *turns)
    return turns
