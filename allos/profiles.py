"""How a service, or some of its models, differ from their API. Data of a row."""

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
    """What some models of a service do differently, chosen by a pattern on the model's name."""

    match: str
    """Regular expression, searched in the model's name."""
    max_tokens_name: str | None = None
    """Body field for `max_tokens` on Chat Completions."""
    unsupported: tuple[str, ...] = ()
    """Parameters that these models do not accept."""
    sampling_efforts: tuple[str, ...] = ()
    """Values of `effort` with which the unsupported parameters are accepted after all."""
    sampling_header: Mapping[str, str] = field(default_factory=dict)
    """Headers with which these models still accept `temperature` and `top_p`."""
    reasoning: bool = False
    """These models reason: ask Responses for the encrypted reasoning that the next turn needs."""
    text_only: bool = False
    """These models accept no images and no documents."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """As in `ServiceProfile`; goes before it."""
    effort: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As in `ServiceProfile`; goes before it."""
    schema_support: SchemaSupport | None = None
    """As in `ServiceProfile`; goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProfile:
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
    """Body fields of Chat Completions for each word of `effort`, where its own field is not accepted;
    ``*`` stands for every other word, ``{effort}`` in a value for the word itself. A word without a
    row is not sent, and the caller is warned once."""
    store: bool = True
    """Send `store: false` on Responses, so that the service keeps no copy."""
    text_only: bool = False
    """The service is known to accept no images and no documents; where that is unknown they are sent."""
    strict_tools: bool = True
    """The service accepts `strict` in the definition of a tool."""
    tool_choice: Mapping[str, str] = field(default_factory=dict)
    """Our word (`auto`, `none`, `required`, or `named` for a tool's name) to the service's; an empty
    one is not sent, and the caller is warned once."""
    tool_id_length: int | None = None
    """Ids of tool calls must have exactly that many letters and digits; other ids are replaced."""
    schema_support: SchemaSupport = "json_schema"
    """How the service enforces a schema."""
    schema_apis: tuple[Api, ...] | None = None
    """APIs on which it does so, None for all; on the others the schema is put into the instructions."""
    schema_as_chat: bool = False
    """Its Responses API accepts a schema as Chat Completions does, in `response_format`."""
    cost_header: str | None = None
    """Header with the cost of a complete response, in US dollars."""
    models: tuple[ModelProfile, ...] = ()
