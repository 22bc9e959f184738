"""Messages: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from allos import wire
from allos.messages import Message
from allos.parts import File, Image, Part, base64_of
from allos.request import Request
from allos.wire.anthropic_messages_decoder import MessagesDecoder
from allos.wire.base import Body, Wire
from allos.wire.content import flatten_content, unsupported_detail
from allos.wire.decoder import Decoder
from allos.wire.json_fields import count, records, text
from allos.wire.parameters import apply, model_profile, sampling_headers
from allos.wire.reasoning_tags import ReasoningTagDecoder
from allos.wire.stainless import StainlessSDK
from allos.wire.tool_fields import is_tool_name, tool_choice, with_schema_instructions

if TYPE_CHECKING:
    from allos.profiles import SchemaSupport
    from allos.wire.batch_api import BatchApi
    from allos.wire.clients import Client

ANTHROPIC = StainlessSDK(
    name="anthropic", client="Anthropic", custom_headers_env="ANTHROPIC_CUSTOM_HEADERS"
)

DEFAULT_MAX_TOKENS = 4096
"""The API requires a limit; this one is sent when neither the caller nor the model's facts set one."""

_NAMES = {"max_tokens": "max_tokens", "stop": "stop_sequences", "effort": "effort"}
_SAMPLING = {"temperature": "temperature", "top_p": "top_p"}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")

_THINKING = ("thinking", "redacted_thinking")
_SERVER_TOOLS = ("server_tool_use", "mcp_tool_use")
_COUNTED_FIELDS = (
    *("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"),
)
"""Fields of a body that `count_tokens` accepts."""


@wire.register
class MessagesWire(Wire):
    """Messages through the `anthropic` SDK."""

    api = "messages"
    sdk = ANTHROPIC
    path = "/v1/messages"
    models_path = "/v1/models"
    requires_max_tokens = True
    token_counters = frozenset({"count_tokens"})
    public_headers = frozenset({"anthropic-beta", "anthropic-version"})

    def base_url(self, url: str) -> str:
        return url.rstrip("/").removesuffix("/v1")  # the SDK appends it

    def schema_support(self, request: Request) -> SchemaSupport:
        # This API has no JSON mode, and refuses fields that are not named in the schema.
        enforced = super().schema_support(request) == "json_schema"
        return "json_schema" if enforced and request.schema and request.schema.strict else "prompt"

    def body(self, request: Request) -> Body:
        # Sampling goes out where the row does not refuse it: other servers speak this API too.
        fields, dropped = apply(request, {**_NAMES, **_SAMPLING})
        tools, dropped_choice = _tools(request)
        support = self.schema_support(request)
        system, turns = _turns(with_schema_instructions(request, support))
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": fields.pop(
                "max_tokens", request.model_max_output_tokens or DEFAULT_MAX_TOKENS
            ),
            "messages": turns,
        }
        if system:
            body["system"] = system
        if request.schema is not None and support == "json_schema":
            schema = enforceable(request.schema.schema)
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        effort = fields.pop("effort", None)
        if effort in _EFFORTS:
            body["output_config"] = {**body.get("output_config", {}), "effort": effort}
            body["thinking"] = {"type": "adaptive", **_thinking_display(request)}
        elif effort == "none":
            body["thinking"] = {"type": "disabled"}
        elif effort is not None:
            dropped += (f"effort={effort}",)
        stop = fields.pop("stop_sequences", None)
        if stop is not None:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        body.update(fields)
        body.update(tools)
        if request.stream:
            body["stream"] = True
        body.update(request.extra)
        dropped += dropped_choice + unsupported_detail(request)
        return Body(body, dropped, sampling_headers(request))

    def decoder(self, request: Request) -> Decoder:
        decoder = MessagesDecoder()
        return ReasoningTagDecoder(decoder) if request.profile.think_tags else decoder

    def batches(self) -> BatchApi:
        from allos.wire.anthropic_batches import AnthropicBatches

        return AnthropicBatches(self.path)

    async def count_tokens(self, client: Client, request: Request, body: Body) -> int | None:
        counted = {name: body.body[name] for name in _COUNTED_FIELDS if name in body.body}
        url = f"{request.base_url}{self.path}/count_tokens"
        return count((await self.fetch(client, url, counted)).get("input_tokens"))

    async def models(self, client: Client) -> list[Any]:
        rows: list[Any] = []
        # 20 to a page unless asked for more. A server that repeats itself is left.
        last, after = "", ""
        while True:
            page = await self.fetch(client, f"{self.models_path}?limit=1000{after}")
            rows += records(page)
            last, before = text(page.get("last_id")) or "", last
            if page.get("has_more") is not True or last in ("", before):
                return rows
            after = f"&after_id={quote(last, safe='')}"

    async def model(self, client: Client, name: str) -> dict[str, Any] | None:
        return await self.fetch(client, f"{self.models_path}/{quote(name, safe='')}")


def _thinking_display(request: Request) -> dict[str, str]:
    of_model = model_profile(request.profile, request.model)
    return {"display": of_model.thinking_display} if of_model and of_model.thinking_display else {}


def _turns(messages: tuple[Message, ...]) -> tuple[str | None, list[dict[str, Any]]]:
    leading: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            if not message.text:
                continue
            if not turns:
                leading.append(message.text)
                continue
            # Later instructions go into the user's turn, plainly marked: never dropped.
            blocks = [{"type": "text", "text": f"<system>\n{message.text}\n</system>"}]
            role = "user"
        else:
            role = "assistant" if message.role == "assistant" else "user"
            blocks = _blocks(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        if turn["role"] == "user":
            turn["content"].sort(key=lambda block: block["type"] != "tool_result")
        if len(turn["content"]) == 1 and turn["content"][0]["type"] == "text":
            turn["content"] = turn["content"][0]["text"]
    return "\n\n".join(leading) or None, turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        if message.text:
            block["content"] = message.text
        return [block]
    blocks = _raw_blocks(message)
    blocks += _content_blocks(message)
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in message.tool_calls
    ]
    return blocks


def _raw_blocks(message: Message) -> list[dict[str, Any]]:
    """Thinking, and the tools that the service ran with their results; other parts are of another API."""
    answered = [part["tool_use_id"] for part in message.raw if part.get("tool_use_id")]
    calls = [part for part in message.raw if part.get("type") in _SERVER_TOOLS]
    answered_ids = [part["id"] for part in calls if part.get("id") in answered]
    return [
        part
        for part in message.raw
        if part.get("type") in _THINKING
        or (part in calls and part.get("id") in answered_ids)
        or part.get("tool_use_id") in answered_ids
    ]


def _content_blocks(message: Message) -> list[dict[str, Any]]:
    content = flatten_content(message)
    if not content:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    # The API answers 400 to a block of white space.
    return [_block(part) for part in content if not isinstance(part, str) or part.strip()]


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image) and part.url is not None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    source = {"type": "base64", "media_type": part.media_type, "data": base64_of(part)}
    if isinstance(part, File):
        return {"type": "document", "source": source, "title": part.name}
    return {"type": "image", "source": source}


def _tools(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields for a request's tools, and the choice among them that had to be dropped."""
    if not request.tools:
        return {}, ()
    tools: list[dict[str, Any]] = []
    for tool in request.tools:
        fields: dict[str, Any] = {"name": tool.name}
        if tool.description:
            fields["description"] = tool.description
        fields["input_schema"] = dict(tool.parameters)
        if tool.strict and request.profile.strict_tools:
            fields["input_schema"] = enforceable(tool.parameters)
            fields["strict"] = True
        tools.append(fields)
    body: dict[str, Any] = {"tools": tools}
    choice, dropped = tool_choice(request)
    if choice is not None:
        kind = {"required": "any"}.get(choice, choice)
        body["tool_choice"] = (
            {"type": "tool", "name": choice} if is_tool_name(request, choice) else {"type": kind}
        )
    return body, dropped


def enforceable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with only what Messages can enforce; the rest moves into descriptions."""
    from copy import deepcopy

    from anthropic import transform_schema

    plain = deepcopy(dict(schema))
    try:
        return transform_schema(plain)
    except (ValueError, AssertionError, AttributeError, TypeError):  # a form that it does not know
        return deepcopy(dict(schema))
