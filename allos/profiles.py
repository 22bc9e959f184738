"""Profiles: how a service, or some of its models, deviate from their API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Api = str
"""Name of a wire API: ``"responses"``, ``"chat"``, ``"messages"``, or one that was registered with
`allos.wire.register`."""

SchemaSupport = Literal["json_schema", "json_object", "prompt"]
"""How a service enforces a JSON schema: by the schema itself, by JSON mode with the schema in the
instructions, or by the instructions alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """Deviations of some models of a service, selected by a pattern for the model's name."""

    match: str
    """Regular expression, searched in the model's name."""
    max_tokens_name: str | None = None
    """Body field for `max_tokens` on Chat Completions."""
    unsupported: tuple[str, ...] = ()
    """Parameters that these models do not accept."""
    sampling_efforts: tuple[str, ...] = ()
    """Values of `effort` with which the unsupported parameters are accepted nevertheless."""
    sampling_header: Mapping[str, str] = field(default_factory=dict)
    """Headers with which these models accept `temperature` and `top_p`."""
    reasoning: bool = False
    """Reasoning models: request encrypted reasoning on Responses, which the next turn needs."""
    thinking_display: str | None = None
    """Value of `thinking.display` on Messages, for models that leave their thinking out without it."""
    text_only: bool = False
    """These models accept no images and no documents."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """As in `ServiceProfile`, which it overrides."""
    effort: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As in `ServiceProfile`, which it overrides."""
    schema_support: SchemaSupport | None = None
    """As in `ServiceProfile`, which it overrides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProfile:
    """Deviations of a service from its API's documentation."""

    max_tokens_name: str = "max_tokens"
    """Body field for `max_tokens` on Chat Completions."""
    stream_options: bool = True
    """Send `stream_options.include_usage` on Chat Completions."""
    unsupported: tuple[str, ...] = ()
    """Parameters that are not sent; the caller is warned once."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Name of a parameter to the service's body field."""
    think_tags: bool = False
    """The service may write reasoning into the content, in tags or channels of the model; they are
    listed in `allos.wire.reasoning_marks`."""
    effort: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Body fields of Chat Completions for each value of `effort`, if its own field is not accepted;
    ``*`` is any other value, ``{effort}`` is replaced by the value. A value without an entry is not
    sent, and the caller is warned once."""
    store: bool = True
    """Send `store: false` on Responses, so that the service stores no copy."""
    text_only: bool = False
    """The service accepts no images and no documents; if that is unknown, they are sent."""
    takes_images_back: bool = False
    """On Chat Completions, `images` of an assistant turn may be sent back, to be changed further."""
    strict_tools: bool = True
    """The service accepts `strict` in the definition of a tool."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """Value of `tool_choice` (`auto`, `none`, `required`, or `named` for a tool's name) to the service's;
    an empty one is not sent, and the caller is warned once."""
    tool_id_length: int | None = None
    """Ids of tool calls must have exactly that many letters and digits; other ids are replaced."""
    schema_support: SchemaSupport = "json_schema"
    """How the service enforces a schema."""
    schema_apis: tuple[Api, ...] | None = None
    """APIs on which it does so, None for all; on others the schema is added to the instructions."""
    schema_as_chat: bool = False
    """Its Responses API accepts a schema as Chat Completions does, in `response_format`."""
    cost_header: str | None = None
    """Header with the cost of a complete response, in US dollars."""
    models: tuple[ModelProfile, ...] = ()
