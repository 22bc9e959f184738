"""What the APIs share in tools and in the schema of a response; each API's file has its own fields."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from allos.messages import Message, MessageRole, ToolCall
from allos.profiles import SchemaSupport
from allos.request import Request, SchemaSpec
from allos.wire.parameters import model_profile

CHOICES = ("auto", "none", "required")
"""Values of `tool_choice` that are not a tool's name."""

_ID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def tool_choice(request: Request) -> tuple[str | None, tuple[str, ...]]:
    """Return the service's word for `tool_choice`; None, and a name for `dropped`, where it has none."""
    choice = request.tool_choice
    if choice is None:
        return None, ()
    key = choice if choice in CHOICES else "named"
    of_model = model_profile(request.profile, request.model)
    for words in (of_model.tool_choice if of_model else {}, request.profile.tool_choice):
        if key in words:
            return (words[key], ()) if words[key] else (None, (f"tool_choice={choice}",))
    return choice, ()


def is_tool_name(request: Request, choice: str) -> bool:
    """Whether a choice is the name of a tool, and not a word of our vocabulary or the service's."""
    return choice == request.tool_choice and choice not in CHOICES


def fit_tool_call_ids(messages: tuple[Message, ...], length: int | None) -> tuple[Message, ...]:
    """Messages with tool call ids that a service accepts; ids that fit stay.

    Parameters
    ----------
    messages : tuple of Message
    length : int or None
        Letters and digits that an id must have; None accepts any id.
    """
    if length is None:
        return messages

    def fit(id_: str) -> str:
        if len(id_) == length and id_.isascii() and id_.isalnum():
            return id_
        # The same id everywhere, so that a result still answers its call.
        number = int.from_bytes(hashlib.sha256(id_.encode()).digest())
        digits = ""
        while len(digits) < length:
            number, at = divmod(number, len(_ID_DIGITS))
            digits += _ID_DIGITS[at]
        return digits

    def changed(message: Message) -> Message:
        if message.tool_call_id is not None:
            return replace(message, tool_call_id=fit(message.tool_call_id))
        if message.tool_calls:
            calls: tuple[ToolCall, ...] = tuple(
                replace(call, id=fit(call.id)) for call in message.tool_calls
            )
            return replace(message, tool_calls=calls)
        return message

    return tuple(changed(message) for message in messages)


def with_schema_instructions(request: Request, support: SchemaSupport) -> tuple[Message, ...]:
    """The request's messages; a schema that is not enforced is put into the instructions."""
    schema = request.schema
    if schema is None or support == "json_schema":
        return request.messages
    from json import dumps

    instructions = Message(
        MessageRole.SYSTEM,
        "Answer with one JSON object and nothing else, no code fences. "
        f"It must match this JSON schema:\n{dumps(dict(schema.schema), ensure_ascii=False)}",
    )
    messages = request.messages
    leading = next((k for k, m in enumerate(messages) if m.role != "system"), len(messages))
    return (*messages[:leading], instructions, *messages[leading:])


def named_schema(schema: SchemaSpec) -> dict[str, Any]:
    """Return a schema with its name, as both APIs of OpenAI have it."""
    named: dict[str, Any] = {"name": schema.name, "schema": dict(schema.schema)}
    if schema.description:
        named["description"] = schema.description
    named["strict"] = schema.strict
    return named
