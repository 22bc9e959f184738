"""Chat Completions: https://platform.openai.com/docs/api-reference/chat and what others made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos import wire
from allos.errors import BadRequestError, ProviderError
from allos.messages import Message
from allos.parts import File, Part, data_uri
from allos.request import Request, SchemaSpec, ToolSpec
from allos.wire.base import Amended, Body, Wire
from allos.wire.content import flatten_content
from allos.wire.decoder import Decoder
from allos.wire.openai_chat_decoder import CALL_EXTRA, ChatDecoder
from allos.wire.parameters import apply, model_profile
from allos.wire.stainless import StainlessSDK
from allos.wire.tool_fields import (
    fit_tool_call_ids,
    is_tool_name,
    named_schema,
    tool_choice,
    with_schema_instructions,
)

if TYPE_CHECKING:
    from allos.profiles import SchemaSupport
    from allos.wire.batch_api import BatchApi
    from allos.wire.clients import Client

OPENAI = StainlessSDK(
    name="openai",
    client="OpenAI",
    custom_headers_env="OPENAI_CUSTOM_HEADERS",
    account_headers=("OpenAI-Organization", "OpenAI-Project"),
)

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "stop": "stop",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
    "logit_bias": "logit_bias",
    "effort": "reasoning_effort",
}

_LIMIT_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Each name of the token limit to the other one."""
_NOT_ACCEPTED = re.compile(
    r"unsupported|not supported|unknown|unrecognized|unexpected|extra|not (permitted|allowed)", re.I
)


@wire.register
class ChatWire(Wire):
    """Chat Completions through the `openai` SDK."""

    api = "chat"
    sdk = OPENAI
    path = "/chat/completions"
    token_counters = frozenset({"llamacpp"})

    def body(self, request: Request) -> Body:
        profile = request.profile
        of_model = model_profile(profile, request.model)
        names = dict(_NAMES)
        names["max_tokens"] = (
            of_model.max_tokens_name if of_model and of_model.max_tokens_name else None
        ) or profile.max_tokens_name
        efforts = (of_model.effort if of_model else None) or profile.effort
        fields, dropped = apply(request, names, effort_fields=efforts)
        tools, dropped_choice = _tools(request)
        support = self.schema_support(request)
        messages = fit_tool_call_ids(
            with_schema_instructions(request, support), profile.tool_id_length
        )
        body: dict[str, Any] = {
            "model": request.model,
            "messages": _messages(messages, takes_images=profile.takes_images_back),
            **fields,
            **tools,
            **response_format(request.schema, support),
        }
        if request.stream:
            body["stream"] = True
            if profile.stream_options:
                body["stream_options"] = {"include_usage": True}
        body.update(request.extra)
        return Body(body, dropped + dropped_choice)

    def decoder(self, request: Request) -> Decoder:
        return ChatDecoder(
            think_tags=request.profile.think_tags, tool_names=[tool.name for tool in request.tools]
        )

    def batches(self) -> BatchApi:
        from allos.wire.openai_batches import OpenAIBatches

        return OpenAIBatches(self.path)

    def amend(self, body: Body, error: ProviderError) -> Amended | None:
        if type(error) is not BadRequestError or error.status_code not in (400, 422):
            return None
        message = f"{error.code or ''} {error.message} {error.detail or ''}"
        fields = body.body
        if "stream_options" in fields and "stream_options" in message:
            rest = {name: value for name, value in fields.items() if name != "stream_options"}
            return Amended(body._replace(body=rest), {"stream_options": False})
        for name, other in _LIMIT_NAMES.items():
            # A deployment's name does not tell its model, and models differ in this.
            if name in fields and other not in fields and _refuses(message, name):
                renamed = {other if key == name else key: fields[key] for key in fields}
                return Amended(body._replace(body=renamed), {"max_tokens_name": other})
        return None

    async def count_tokens(self, client: Client, request: Request, body: Body) -> int | None:
        """As llama.cpp's server counts: by the model's template, then its tokenizer."""
        root = request.base_url.removesuffix("/v1")
        chat: dict[str, Any] = {
            name: body.body[name] for name in ("messages", "tools") if name in body.body
        }
        prompt = (await self.fetch(client, f"{root}/apply-template", chat)).get("prompt")
        if not isinstance(prompt, str):
            return None
        text = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = (await self.fetch(client, f"{root}/tokenize", text)).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None


def _refuses(message: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", message) and _NOT_ACCEPTED.search(message))


def _messages(messages: tuple[Message, ...], *, takes_images: bool) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    leading: list[str] = []
    for message in messages:
        if message.role == "system" and not turns:
            # Some servers take one system message, and only as the first.
            if message.text:
                leading.append(message.text)
            continue
        turns.append(_turn(message, takes_images=takes_images))
    if leading:
        turns.insert(0, {"role": "system", "content": "\n\n".join(leading)})
    return turns


def _turn(message: Message, *, takes_images: bool) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role.value}
    if message.content is not None:
        turn["content"] = _content(message)
    elif message.role != "assistant" or not message.tool_calls:
        turn["content"] = ""
    for part in message.raw:
        if "type" not in part:  # typed parts belong to another API
            turn.update(part)
    images = [part for part in message.raw if part.get("type") == "image_url"]
    if images and takes_images:
        turn["images"] = images
    if message.tool_calls:
        from json import dumps

        extra = {p["id"]: p["extra_content"] for p in message.raw if p.get("type") == CALL_EXTRA}
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": call.raw_arguments
                    if call.raw_arguments is not None
                    else dumps(call.arguments, ensure_ascii=False),
                },
                **({"extra_content": extra[call.id]} if call.id in extra else {}),
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _content(message: Message) -> str | list[dict[str, Any]] | None:
    content = flatten_content(message)
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, File):
        file = {"filename": part.name, "file_data": data_uri(part)}
        return {"type": "file", "file": file}
    image = {"url": data_uri(part)}
    if part.detail is not None:
        image["detail"] = part.detail
    return {"type": "image_url", "image_url": image}


def _tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields for a request's tools, and the choice among them that had to be dropped."""
    if not request.tools:
        return {}, ()
    strict_is_known = request.profile.strict_tools
    fields: dict[str, Any] = {
        "tools": [
            {"type": "function", "function": _tool(tool, strict=tool.strict and strict_is_known)}
            for tool in request.tools
        ]
    }
    choice, dropped = tool_choice(request)
    if choice is not None:
        fields["tool_choice"] = (
            {"type": "function", "function": {"name": choice}}
            if is_tool_name(request, choice)
            else choice
        )
    return fields, dropped


def _tool(tool: ToolSpec, *, strict: bool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters)
    if strict:
        function["strict"] = True
    return function


def response_format(schema: SchemaSpec | None, support: SchemaSupport) -> Mapping[str, Any]:
    """Body fields that hold the model to a schema; Responses of some servers takes them as well."""
    if schema is None or support == "prompt":
        return {}
    if support == "json_object":
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": named_schema(schema)}}
