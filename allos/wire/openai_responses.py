"""Responses: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos import wire
from allos.messages import Message
from allos.parts import File, Part, data_uri
from allos.request import Request
from allos.wire.base import Body, Wire
from allos.wire.content import flatten_content
from allos.wire.decoder import Decoder
from allos.wire.openai_chat import OPENAI, response_format
from allos.wire.openai_responses_decoder import ResponsesDecoder
from allos.wire.parameters import apply, model_profile
from allos.wire.reasoning_tags import ReasoningTagDecoder
from allos.wire.tool_fields import (
    is_tool_name,
    named_schema,
    tool_choice,
    with_schema_instructions,
)

if TYPE_CHECKING:
    from allos.profiles import SchemaSupport
    from allos.wire.batch_api import BatchApi

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "top_logprobs": "top_logprobs",
    "effort": "effort",
}


@wire.register
class ResponsesWire(Wire):
    """Responses through the `openai` SDK; asks the service to keep no copy."""

    api = "responses"
    sdk = OPENAI
    path = "/responses"

    def body(self, request: Request) -> Body:
        fields, dropped = apply(request, _NAMES)
        body: dict[str, Any] = {"model": request.model}
        tools, dropped_choice = _tools(request)
        support = self.schema_support(request)
        instructions, items = _input(with_schema_instructions(request, support))
        if instructions:
            body["instructions"] = instructions
        body["input"] = items
        effort = fields.pop("effort", None)
        if effort is not None:
            body["reasoning"] = {"effort": effort}
        body.update(fields)
        body.update(tools)
        body.update(_text_format(request, support))
        if request.profile.store:
            body["store"] = False
            of_model = model_profile(request.profile, request.model)
            if of_model and of_model.reasoning:
                body["include"] = ["reasoning.encrypted_content"]
        if request.stream:
            body["stream"] = True
        body.update(request.extra)
        return Body(body, dropped + dropped_choice)

    def decoder(self, request: Request) -> Decoder:
        decoder = ResponsesDecoder()
        return ReasoningTagDecoder(decoder) if request.profile.think_tags else decoder

    def batches(self) -> BatchApi:
        from allos.wire.openai_batches import OpenAIBatches

        return OpenAIBatches(self.path)


_OWN_ITEMS = (
    *("reasoning", "web_search_call", "file_search_call", "code_interpreter_call"),
    *("image_generation_call", "mcp_call", "mcp_list_tools"),
)
"""Types of items that the next request takes back: reasoning, and tools that the service ran."""


def _input(messages: tuple[Message, ...]) -> tuple[str | None, list[dict[str, Any]]]:
    leading: list[str] = []
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system" and not items:
            if message.text:
                leading.append(message.text)
            continue
        items += _items(message)
    return "\n\n".join(leading) or None, items


def _items(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [
            {
                "type": "function_call_output",
                "call_id": message.tool_call_id,
                "output": message.text or "",
            }
        ]
    # Other parts are of another API. Reasoning is refused without the call that followed it.
    items: list[dict[str, Any]] = [part for part in message.raw if part.get("type") in _OWN_ITEMS]
    if message.content or message.role == "user":
        # llama.cpp tells an assistant's turn from other items by its type, which is optional.
        kind = {"type": "message"} if message.role == "assistant" else {}
        content = _content(message) or ""
        items.append({**kind, "role": message.role.value, "content": content})
    if message.tool_calls:
        from json import dumps

        for call in message.tool_calls:
            arguments = call.raw_arguments
            items.append(
                {
                    "type": "function_call",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": dumps(call.arguments, ensure_ascii=False)
                    if arguments is None
                    else arguments,
                }
            )
    return items


def _content(message: Message) -> str | list[dict[str, Any]] | None:
    content = flatten_content(message)
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if isinstance(part, File):
        return {"type": "input_file", "filename": part.name, "file_data": data_uri(part)}
    # The API's own description requires `detail`, and strict servers of others insist on it.
    return {"type": "input_image", "image_url": data_uri(part), "detail": part.detail or "auto"}


def _tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields for a request's tools, and the choice among them that had to be dropped."""
    if not request.tools:
        return {}, ()
    tools: list[dict[str, Any]] = []
    for tool in request.tools:
        function: dict[str, Any] = {"type": "function", "name": tool.name}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = dict(tool.parameters)
        if request.profile.strict_tools:
            function["strict"] = tool.strict  # left out, it would be true
        tools.append(function)
    fields: dict[str, Any] = {"tools": tools}
    choice, dropped = tool_choice(request)
    if choice is not None:
        fields["tool_choice"] = (
            {"type": "function", "name": choice} if is_tool_name(request, choice) else choice
        )
    return fields, dropped


def _text_format(request: Request, support: SchemaSupport) -> Mapping[str, Any]:
    """Body fields that hold the model to the request's schema."""
    schema = request.schema
    if schema is None or support == "prompt":
        return {}
    if request.profile.schema_as_chat:
        return response_format(schema, support)
    if support == "json_object":
        return {"text": {"format": {"type": "json_object"}}}
    return {"text": {"format": {"type": "json_schema", **named_schema(schema)}}}
