"""The nouns of allos: messages, requests, events, usage, responses.

Values only: no I/O, no clocks, standard library alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from allos.context import RunContext
from allos.errors import AllosError
from allos.parts import File, Image, Part, as_part

Api = Literal["responses", "chat", "messages"]
Status = Literal["ok", "error", "cancelled"]
FinishReason = Literal[
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "refusal",
    "pause",
    "context_exceeded",
    "cancelled",
    "error",
    "other",
]
UsageSource = Literal["provider", "estimated", "missing"]
SchemaSupport = Literal["json_schema", "json_object", "prompt"]
"""How a service holds a model to a JSON schema: by the schema itself, by JSON mode with the schema in
the instructions, or by the instructions alone."""


class MessageRole(StrEnum):
    """Who speaks; each member equals its lower-case name, so ``"user"`` works wherever it does."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


def _no_parameters() -> Mapping[str, Any]:
    return {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model is told of it. Data alone: nothing here can be run."""

    name: str
    """Letters, digits, ``_`` and ``-``, 64 at most."""
    description: str = ""
    """What it does and when to use it."""
    parameters: Mapping[str, Any] = field(default_factory=_no_parameters)
    """JSON schema of the arguments, an object."""
    strict: bool = False
    """Ask the service to hold the model to the schema, where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSpec:
    """The JSON schema that an answer must match."""

    name: str
    """Letters, digits, ``_`` and ``-``, 64 at most."""
    schema: Mapping[str, Any]
    """JSON schema, an object at its root."""
    description: str | None = None
    """What the answer is."""
    strict: bool = True
    """Whether a service can hold a model to it: every field required, none further allowed."""
    read: Callable[[str], Any] | None = field(default=None, repr=False, compare=False)
    """Text of an answer into the value that it stands for; a ValueError says what does not match."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. None where the provider did not say."""

    input_tokens: int | None = None
    """All input, cached input included."""
    cache_read_tokens: int | None = None
    """Input read from the provider's cache."""
    cache_write_tokens: int | None = None
    """Input written to the provider's cache."""
    output_tokens: int | None = None
    """All output, reasoning included."""
    reasoning_tokens: int | None = None
    """Output spent on reasoning."""
    total_tokens: int | None = None
    """Input and output together."""
    source: UsageSource = "missing"
    """Who counted."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own usage object, vendor extras included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuirks:
    """What some models of a service do differently, chosen by a pattern on the model's name."""

    match: str
    """Regular expression, searched in the model's name."""
    max_tokens_name: str | None = None
    """Body field for `max_tokens` on Chat Completions."""
    unsupported: tuple[str, ...] = ()
    """Parameters that these models do not take."""
    sampling_efforts: tuple[str, ...] = ()
    """Values of `effort` with which the unsupported parameters are taken after all."""
    sampling_header: Mapping[str, str] = field(default_factory=dict)
    """Headers under which these models still take `temperature` and `top_p`."""
    reasoning: bool = False
    """These models reason: ask Responses for the encrypted reasoning that the next turn needs."""
    text_only: bool = False
    """These models take no images and no documents."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """As in `Quirks`; goes before it."""
    effort: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As in `Quirks`; goes before it."""
    schema_support: SchemaSupport | None = None
    """As in `Quirks`; goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What a service does differently from its API's own documentation. Data of its row."""

    max_tokens_name: str = "max_tokens"
    """Body field for `max_tokens` on Chat Completions."""
    stream_options: bool = True
    """Send `stream_options.include_usage` on Chat Completions."""
    unsupported: tuple[str, ...] = ()
    """Parameters of our vocabulary that are not sent; the caller is warned once."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Our parameter name to the service's body field."""
    think_tags: bool = False
    """The service writes reasoning inside ``<think>`` tags of the content."""
    effort: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Body fields of Chat Completions for each word of `effort`, where its own field is not taken;
    ``*`` stands for every other word, ``{effort}`` in a value for the word itself. What is not named
    is not sent, and the caller is warned once."""
    store: bool = True
    """Send `store: false` on Responses, so that the service keeps no copy."""
    text_only: bool = False
    """The service is known to take no images and no documents; where that is unknown they are sent."""
    strict_tools: bool = True
    """The service knows `strict` in the description of a tool."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """Our word (`auto`, `none`, `required`, or `named` for a tool's name) to the service's; an empty
    one is not sent, and the caller is warned once."""
    tool_id_length: int | None = None
    """Ids of tool calls must be just that many letters and digits; ids from elsewhere are replaced."""
    schema_support: SchemaSupport = "json_schema"
    """How the service holds a model to a schema."""
    schema_apis: tuple[Api, ...] = ("responses", "chat", "messages")
    """APIs on which it does so; on the others the schema stands in the instructions."""
    schema_as_chat: bool = False
    """Its Responses API takes a schema as Chat Completions does, in `response_format`."""
    cost_header: str | None = None
    """Header in which the service tells what a whole answer cost, in US dollars."""
    models: tuple[ModelQuirks, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to a model, in our own words; a wire translates it.

    `params` holds the vocabulary of parameters (`temperature`, `max_tokens` ...) without the unset
    ones; `extra` goes into the body as it is.
    """

    provider: str
    api: Api
    base_url: str
    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[ToolSpec, ...] = ()
    """Tools that the model may ask for."""
    tool_choice: str | None = None
    """``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service."""
    schema: SchemaSpec | None = None
    """What the answer must match."""
    stream: bool = False
    model_output: int | None = None
    """Most tokens that the model can write, where that is known: what an API gets that demands a
    limit when `max_tokens` is not set."""
    quirks: Quirks = field(default_factory=Quirks)
    timeout_s: float = 120.0
    """Seconds without a byte from the server before the attempt ends."""
    deadline_s: float | None = None
    """Seconds for the whole call, waits and retries included."""
    max_attempts: int = 5
    """Attempts in all, the first included."""
    endpoint: str = ""
    """What a request is recorded under: the service's name, or the address of a generic one."""
    sample: int = 0
    """Which repeat of equal requests this is, where the caller repeats on purpose."""
    fresh: bool = False
    """Ask the service even where an answer is recorded; the new answer replaces it."""
    request_hash: str | None = None
    """See `allos.hashing.request_hash`."""

    @property
    def system(self) -> str | None:
        """All system texts, joined by a blank line; None without one."""
        texts = [m.text for m in self.messages if m.role == "system" and m.text]
        return "\n\n".join(texts) if texts else None

    @property
    def prompt(self) -> str | None:
        """Text of the last user message."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return None


EventKind = Literal[
    "text",  # visible text: `text`
    "reasoning",  # reasoning text: `text`
    "refusal",  # refusal text: `text`
    "tool",  # piece of a tool call: `slot`, `data` with any of id, name, arguments
    "raw",  # part that the API wants back in the next turn: `data`
    "usage",  # running totals, each replaces the last: `usage`
    "meta",  # facts of the reply by column name: `data`
    "finish",  # the API's own end signal: `text` is the raw reason, `data["finish_reason"]` ours
    "attempt",  # a failed attempt that will be repeated: `data`, an entry of the retry log
    "queue",  # the call waits for its turn (`data["waits"]` is true), or has it: it is sent now
]


class Event(NamedTuple):
    """One thing that a wire understood from a reply. Which fields count depends on `kind`."""

    kind: EventKind
    text: str = ""
    slot: int | str | None = None
    data: dict[str, Any] | None = None
    usage: Usage | None = None


_SHORT = 60


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """One answer of a model, with everything known about the call.

    Attributes
    ----------
    content : str
        The visible text; empty when the model wrote none.
    tool_calls : list of ToolCall
        Tools that the model wants called.
    metadata : dict
        Facts of the call by the names of the log's columns (`provider`, `model`, `input_tokens`,
        `latency_s`, `finish_reason` ...; see the log schema in the docs), known ones only, and
        `usage`, the provider's own usage object. Texts are attributes, not metadata.
    reasoning, refusal : str or None
        What the model thought, and why it declined, where the API tells.
    error : AllosError or None
        The failure, when `status` is ``"error"``: a `ProviderError`, or in a comparison what kept
        the call from being sent. A `SchemaError` when the call went well and its answer does not
        match the schema: `status` is ``"ok"`` then.
    parsed : object
        The answer as a value, where a schema was given and the answer matches it.
    steps : tuple of ProviderResponse
        All responses of a run with tools, in order, this one last; empty for a single call.

    Examples
    --------
    >>> response = ProviderResponse("Hello!", metadata={"provider": "local", "model": "smollm2"})
    >>> print(response)
    Hello!
    >>> response.metadata["provider"]
    'local'
    """

    content: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    reasoning: str | None = None
    refusal: str | None = None
    error: AllosError | None = None
    id: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    replayed: bool = False
    request: Request | None = field(default=None, repr=False, compare=False)
    context: RunContext = field(default_factory=RunContext, repr=False, compare=False)
    raw: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """The request body as it was sent; never holds a key."""
    reply: Any = field(default=None, repr=False, compare=False)
    """The reply as it arrived, when it came whole."""
    parsed: Any = field(default=None, repr=False, compare=False)
    """The answer as the type that `schema=` asked for."""
    steps: tuple[ProviderResponse, ...] = field(default=(), repr=False, compare=False)
    """All responses of a run with tools."""

    @property
    def status(self) -> Status:
        """``"ok"``, ``"error"`` or ``"cancelled"``."""
        status: Status = self.metadata.get("status", "ok")
        return status

    @property
    def ok(self) -> bool:
        """Whether the answer is complete."""
        return self.status == "ok"

    @property
    def provider(self) -> str | None:
        """Name of the service."""
        return self.metadata.get("provider")

    @property
    def model(self) -> str | None:
        """Model as it was requested."""
        return self.metadata.get("model")

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the model stopped."""
        return self.metadata.get("finish_reason")

    @property
    def usage(self) -> Usage:
        """Tokens of the call; None where the provider did not say."""
        known = self.metadata
        return Usage(
            input_tokens=known.get("input_tokens"),
            cache_read_tokens=known.get("cache_read_tokens"),
            cache_write_tokens=known.get("cache_write_tokens"),
            output_tokens=known.get("output_tokens"),
            reasoning_tokens=known.get("reasoning_tokens"),
            total_tokens=known.get("total_tokens"),
            source=known.get("usage_source", "missing"),
            raw=known.get("usage") or {},
        )

    @property
    def latency_s(self) -> float | None:
        """Seconds of the last attempt, from send to end."""
        return self.metadata.get("latency_s")

    @property
    def cost_usd(self) -> float | None:
        """Cost of the call in US dollars; None when unknown."""
        return self.metadata.get("cost_usd")

    def to_message(self) -> Message:
        """Assistant turn to append to the conversation.

        Keeps tool calls and the parts that the API wants back unchanged.
        """
        return Message(
            role=MessageRole.ASSISTANT,
            content=self.content or None,
            tool_calls=tuple(self.tool_calls),
            raw=self.raw,
        )

    def with_metadata(self, facts: Mapping[str, Any]) -> ProviderResponse:
        """Return the same response with further facts; None values are left out."""
        known = {name: value for name, value in facts.items() if value is not None}
        return replace(self, metadata={**self.metadata, **known})

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        text = self.content if len(self.content) <= _SHORT else self.content[: _SHORT - 1] + "…"
        facts = [repr(text)]
        if self.tool_calls:
            facts.append(f"tool_calls={[call.name for call in self.tool_calls]}")
        if self.provider:
            facts.append(f"model={f'{self.provider}/{self.model}'!r}")
        if self.status != "ok":
            facts.append(f"status={self.status!r}")
        elif self.finish_reason:
            facts.append(f"finish_reason={self.finish_reason!r}")
        return f"ProviderResponse({', '.join(facts)})"


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
