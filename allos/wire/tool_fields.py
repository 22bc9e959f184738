"""Tools and the schema of an answer, in the words of each API."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from allos.messages import Message, MessageRole, ToolCall
from allos.profiles import SchemaSupport
from allos.request import Request, SchemaSpec, ToolSpec
from allos.wire.parameters import model_quirks

CHOICES = ("auto", "none", "required")
"""Words of `tool_choice` that are no tool's name."""

_ID_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# ---- tools ---------------------------------------------------------------------------------------


def chat_tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields of Chat Completions for a request's tools, and what could not be said."""
    if not request.tools:
        return {}, ()
    fields: dict[str, Any] = {
        "tools": [{"type": "function", "function": _chat_tool(t, request)} for t in request.tools]
    }
    choice, dropped = _choice(request)
    if choice is not None:
        named = choice == request.tool_choice and choice not in CHOICES
        fields["tool_choice"] = (
            {"type": "function", "function": {"name": choice}} if named else choice
        )
    return fields, dropped


def responses_tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields of Responses for a request's tools, and what could not be said."""
    if not request.tools:
        return {}, ()
    tools: list[dict[str, Any]] = []
    for tool in request.tools:
        told: dict[str, Any] = {"type": "function", "name": tool.name}
        if tool.description:
            told["description"] = tool.description
        told["parameters"] = dict(tool.parameters)
        if request.profile.strict_tools:
            told["strict"] = tool.strict  # left out, it would be true
        tools.append(told)
    fields: dict[str, Any] = {"tools": tools}
    choice, dropped = _choice(request)
    if choice is not None:
        named = choice == request.tool_choice and choice not in CHOICES
        fields["tool_choice"] = {"type": "function", "name": choice} if named else choice
    return fields, dropped


def messages_tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields of Messages for a request's tools, and what could not be said."""
    if not request.tools:
        return {}, ()
    tools: list[dict[str, Any]] = []
    for tool in request.tools:
        told: dict[str, Any] = {"name": tool.name}
        if tool.description:
            told["description"] = tool.description
        told["input_schema"] = dict(tool.parameters)
        if tool.strict and request.profile.strict_tools:
            told["input_schema"] = enforceable(tool.parameters)
            told["strict"] = True
        tools.append(told)
    fields: dict[str, Any] = {"tools": tools}
    choice, dropped = _choice(request)
    if choice is not None:
        word = {"required": "any"}.get(choice, choice)
        named = choice == request.tool_choice and choice not in CHOICES
        fields["tool_choice"] = {"type": "tool", "name": choice} if named else {"type": word}
    return fields, dropped


def _chat_tool(tool: ToolSpec, request: Request) -> dict[str, Any]:
    told: dict[str, Any] = {"name": tool.name}
    if tool.description:
        told["description"] = tool.description
    told["parameters"] = dict(tool.parameters)
    if tool.strict and request.profile.strict_tools:
        told["strict"] = True
    return told


def _choice(request: Request) -> tuple[str | None, tuple[str, ...]]:
    """The service's word for `tool_choice`; None and a name in the list where it has none."""
    choice = request.tool_choice
    if choice is None:
        return None, ()
    kind = choice if choice in CHOICES else "named"
    of_model = model_quirks(request.profile, request.model)
    for words in (of_model.tool_choice if of_model else {}, request.profile.tool_choice):
        if kind in words:
            return (words[kind], ()) if words[kind] else (None, (f"tool_choice={choice}",))
    return choice, ()


def fitting_ids(messages: tuple[Message, ...], length: int | None) -> tuple[Message, ...]:
    """Messages whose ids of tool calls a service takes; ids that fit stay.

    Parameters
    ----------
    messages : tuple of Message
    length : int or None
        Letters and digits that an id must have; None takes any id.
    """
    if length is None:
        return messages

    def fit(id_: str) -> str:
        if len(id_) == length and id_.isascii() and id_.isalnum():
            return id_
        # The same id everywhere, so that a result still answers its call.
        number = int.from_bytes(hashlib.sha256(id_.encode()).digest())
        signs = ""
        while len(signs) < length:
            number, at = divmod(number, len(_ID_SIGNS))
            signs += _ID_SIGNS[at]
        return signs

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


# ---- the schema of the answer --------------------------------------------------------------------


def chat_schema(request: Request) -> dict[str, Any]:
    """Body fields of Chat Completions that hold the model to the request's schema."""
    schema, how = request.schema, schema_support(request)
    if schema is None or how == "prompt":
        return {}
    if how == "json_object":
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": _named(schema)}}


def responses_schema(request: Request) -> dict[str, Any]:
    """Body fields of Responses that hold the model to the request's schema."""
    schema, how = request.schema, schema_support(request)
    if schema is None or how == "prompt":
        return {}
    if request.profile.schema_as_chat:
        return chat_schema(request)
    if how == "json_object":
        return {"text": {"format": {"type": "json_object"}}}
    return {"text": {"format": {"type": "json_schema", **_named(schema)}}}


def messages_schema(request: Request) -> dict[str, Any]:
    """Body fields of Messages that hold the model to the request's schema."""
    schema = request.schema
    if schema is None or schema_support(request) != "json_schema":
        return {}
    return {
        "output_config": {"format": {"type": "json_schema", "schema": enforceable(schema.schema)}}
    }


def schema_support(request: Request) -> SchemaSupport:
    """How the service holds this model to this schema on this API."""
    of_model = model_quirks(request.profile, request.model)
    how = (of_model.schema_support if of_model else None) or request.profile.schema_support
    if request.api not in request.profile.schema_apis:
        return "prompt"
    if request.api == "messages" and request.schema is not None:
        # This API has no JSON mode, and refuses fields that are not named in the schema.
        return "json_schema" if how == "json_schema" and request.schema.strict else "prompt"
    return how


def instructed(request: Request) -> tuple[Message, ...]:
    """The request's messages; where the schema is not enforced, it stands in the instructions."""
    schema = request.schema
    if schema is None or schema_support(request) == "json_schema":
        return request.messages
    from json import dumps

    told = Message(
        MessageRole.SYSTEM,
        "Answer with one JSON object and nothing else, no code fences. "
        f"It must match this JSON schema:\n{dumps(dict(schema.schema), ensure_ascii=False)}",
    )
    messages = request.messages
    leading = next((k for k, m in enumerate(messages) if m.role != "system"), len(messages))
    return (*messages[:leading], told, *messages[leading:])


def enforceable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with only what Messages can enforce; the rest moves into descriptions."""
    from copy import deepcopy

    from anthropic import transform_schema

    plain = deepcopy(dict(schema))
    try:
        return transform_schema(plain)
    except (ValueError, AssertionError, AttributeError, TypeError):  # a form that it does not know
        return deepcopy(dict(schema))


def _named(schema: SchemaSpec) -> dict[str, Any]:
    told: dict[str, Any] = {"name": schema.name, "schema": dict(schema.schema)}
    if schema.description:
        told["description"] = schema.description
    told["strict"] = schema.strict
    return told
