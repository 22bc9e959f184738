"""The log's columns: the one list that defines the table, the rows, the frame and the docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

SqlType = Literal["TEXT", "INTEGER", "REAL"]
Dtype = Literal["str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the log and of the frame."""

    name: str
    sql_type: SqlType
    """Type in SQLite; times are microseconds since 1970-01-01 UTC."""
    dtype: Dtype
    """Its dtype in the frame, also when the frame is empty."""
    description: str
    """One line for the docs, with the unit."""
    otel: str | None = None
    """Name in OpenTelemetry's GenAI conventions; None when there is none."""
    since: int = 1
    """Version of the schema that added it; see `allos.log.store.migrations`."""
    joined: bool = False
    """Whether the frame joins it from the table `ratings`: it is not in the table `responses`."""


def _text(
    name: str,
    description: str,
    otel: str | None = None,
    *,
    since: int = 1,
    joined: bool = False,
) -> Column:
    return Column(
        name=name,
        sql_type="TEXT",
        dtype="str",
        description=description,
        otel=otel,
        since=since,
        joined=joined,
    )


def _int(name: str, description: str, otel: str | None = None, *, joined: bool = False) -> Column:
    return Column(
        name=name,
        sql_type="INTEGER",
        dtype="Int64",
        description=description,
        otel=otel,
        joined=joined,
    )


def _real(name: str, description: str, otel: str | None = None) -> Column:
    return Column(name=name, sql_type="REAL", dtype="Float64", description=description, otel=otel)


def _bool(name: str, description: str, otel: str | None = None) -> Column:
    return Column(
        name=name, sql_type="INTEGER", dtype="boolean", description=description, otel=otel
    )


def _time(name: str, description: str, *, since: int = 1, joined: bool = False) -> Column:
    return Column(
        name=name,
        sql_type="INTEGER",
        dtype="datetime64[us, UTC]",
        description=description,
        since=since,
        joined=joined,
    )


# OpenTelemetry names: https://opentelemetry.io/docs/specs/semconv/gen-ai/, as of 2026-11.
COLUMNS: tuple[Column, ...] = (
    _text("id", "ULID of the response; sorts by time."),
    _text("comparison_id", "Shared by all responses of one comparison."),
    _text(
        "run_id",
        "Shared by all responses of one batch or sweep, or by the calls of one judge that is a scorer.",
    ),
    _int("sample_index", "Which repeat this is, from 0, when a call is made `n` times."),
    _text("conversation_id", "Shared by all turns of one conversation.", "gen_ai.conversation.id"),
    _text(
        "parent_id", "`id` of the response that this call follows: the previous turn or tool step."
    ),
    _text(
        "request_hash", "SHA-256 of the canonical request, hexadecimal; equal requests share it."
    ),
    _time("created_at", "When the call was made, UTC, to the microsecond."),
    _time("completed_at", "When the call ended, UTC, to the microsecond."),
    _text("provider", "Name of the service.", "gen_ai.provider.name"),
    _text("base_url", "URL of the service, without user and query.", "server.address"),
    _text("api", "Wire API: `responses`, `chat` or `messages`."),
    _text("model", "Model as requested.", "gen_ai.request.model"),
    _text(
        "response_model", "Model that responded, as the service names it.", "gen_ai.response.model"
    ),
    _real("temperature", "Sampling temperature that was sent.", "gen_ai.request.temperature"),
    _real("top_p", "Nucleus sampling bound that was sent, 0 to 1.", "gen_ai.request.top_p"),
    _int("max_tokens", "Limit of output tokens that was sent.", "gen_ai.request.max_tokens"),
    _int("seed", "Sampling seed that was sent.", "gen_ai.request.seed"),
    _bool("stream", "Whether the response was streamed.", "gen_ai.request.stream"),
    _text("params", "All parameters of the call, a JSON object."),
    _text(
        "system", "System prompt; several are joined by a blank line.", "gen_ai.system_instructions"
    ),
    _text("prompt", "Text of the last user message."),
    _text("messages", "All messages that were sent, a JSON array.", "gen_ai.input.messages"),
    _text("variables", "Values inserted into the template, by expression, a JSON object."),
    _text(
        "content",
        "Visible text of the response; null when there is none.",
        "gen_ai.output.messages",
    ),
    _text("reasoning", "Reasoning text, where the API returns it.", "gen_ai.output.messages"),
    _text("refusal", "Why the model refused, where the API returns it.", "gen_ai.output.messages"),
    _text(
        "tool_calls", "Tool calls requested by the model, a JSON array.", "gen_ai.output.messages"
    ),
    _text(
        "parts",
        "What else the answer holds (images, audio, tools that the service ran), a JSON array of "
        "`type`, `media_type`, `size_bytes` and `sha256`; never the bytes.",
        "gen_ai.output.messages",
        since=2,
    ),
    _text(
        "citations",
        "Sources and other annotations of the text, as the service sends them, a JSON array.",
        "gen_ai.output.messages",
        since=2,
    ),
    _text(
        "logprobs",
        "Log probabilities of the output tokens, where they were requested, a JSON array of "
        "`token`, `logprob` and `top_logprobs`.",
        since=2,
    ),
    _text(
        "response_extra",
        "Fields of the response that have no column, by the service's names, a JSON object of at "
        "most 64,000 characters; `_cut` names those beyond.",
        since=2,
    ),
    _text("status", "`ok`, `error` or `cancelled`."),
    _text(
        "finish_reason",
        "Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, "
        "`pause`, `context_exceeded`, `cancelled`, `error` or `other`.",
        "gen_ai.response.finish_reasons",
    ),
    _text("finish_reason_raw", "The finish reason as the service names it."),
    _int(
        "input_tokens", "Tokens of all input, cached input included.", "gen_ai.usage.input_tokens"
    ),
    _int(
        "cache_read_tokens",
        "Input tokens read from the service's cache.",
        "gen_ai.usage.cache_read.input_tokens",
    ),
    _int(
        "cache_write_tokens",
        "Input tokens written to the service's cache.",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
    _int(
        "output_tokens", "Tokens of all output, reasoning included.", "gen_ai.usage.output_tokens"
    ),
    _int(
        "reasoning_tokens",
        "Output tokens spent on reasoning.",
        "gen_ai.usage.reasoning.output_tokens",
    ),
    _int("total_tokens", "Input and output tokens together."),
    _text("usage_source", "Source of the token counts: `provider`, `estimated` or `missing`."),
    _real("cost_usd", "Cost of the call, US dollars; null when a price is unknown."),
    _real("input_cost_usd", "Cost of the input, US dollars."),
    _real("output_cost_usd", "Cost of the output, US dollars."),
    _text("price_version", "Version of the price list that was used."),
    _real(
        "latency_s",
        "Seconds of the last attempt, from send to end.",
        "gen_ai.client.operation.duration",
    ),
    _real("total_time_s", "Seconds of the whole call, queue and retries included."),
    _real("queue_s", "Seconds that the call waited in the queue for rate and concurrency limits."),
    _real(
        "time_to_first_token_s",
        "Seconds of the last attempt, from send to the first visible or reasoning text.",
        "gen_ai.response.time_to_first_chunk",
    ),
    _real(
        "tokens_per_second",
        "Output tokens per second after the first one, "
        "`(output_tokens - 1) / (latency_s - time_to_first_token_s)`; null if not streamed.",
    ),
    _text("error_type", "Class name of the error.", "error.type"),
    _text(
        "error_message", "Message of the error: what failed and what to do.", "exception.message"
    ),
    _int("http_status", "HTTP status of the last attempt.", "http.response.status_code"),
    _int("attempts", "Attempts in all, the first included."),
    _text("retry_log", "Failed attempts that were retried, a JSON array."),
    _text("response_id", "The service's id of the response.", "gen_ai.response.id"),
    _text("request_id", "The service's id of the request, for support tickets."),
    _int(
        "ratelimit_remaining_requests", "Requests left in the service's current rate-limit window."
    ),
    _int("ratelimit_remaining_tokens", "Tokens left in the service's current rate-limit window."),
    _real("ratelimit_reset_s", "Seconds until the service's rate-limit window resets."),
    _text("service_tier", "Tier that served the call.", "openai.response.service_tier"),
    _text(
        "system_fingerprint",
        "The service's identifier of its backend configuration.",
        "openai.response.system_fingerprint",
    ),
    _bool("replayed", "Whether the response came from a replay file instead of the service."),
    _text("session_id", "ULID of the kernel or script run.", "session.id"),
    _text("notebook", "File name of the notebook."),
    _text("cell_id", "The cell's id in the notebook file."),
    _int("execution_count", "The number in `In [n]` when the cell ran."),
    _text("user", "Login name.", "user.name"),
    _text("host", "Name of the computer.", "host.name"),
    _text(
        "git_commit",
        "Commit checked out in the working folder's repository, hexadecimal.",
        "vcs.ref.head.revision",
    ),
    _text("allos_version", "Version of allos that made the call."),
    _text("tags", "Tags given to the call, a JSON array."),
    _text("metadata", "Metadata given to the call, a JSON object."),
    _text("conversation", "Name of the conversation, see `conversation_id`.", since=3),
    _text(
        "task_key",
        "Which call of its comparison or batch this is: equal for the same row, model, parameters and sample.",
        since=5,
    ),
    _int("rating", "Newest rating that a person gave the response.", joined=True),
    _text("note", "Newest note on the response.", joined=True),
    _text("rating_tags", "Newest tags of a rating, a JSON array.", since=4, joined=True),
    _text("rater", "Who gave what was said of the response last.", since=4, joined=True),
    _time("rated_at", "When that was, UTC, to the microsecond.", since=4, joined=True),
)

STORED: tuple[Column, ...] = tuple(column for column in COLUMNS if not column.joined)
"""Columns of the table `responses`, in order."""

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
"""Names of all columns, in the order of the schema."""

STORED_NAMES: tuple[str, ...] = tuple(column.name for column in STORED)
"""Names of the columns of the table `responses`, in order."""

SUMMARY: tuple[str, ...] = (
    *("created_at", "provider", "model", "prompt", "content", "status"),
    *("input_tokens", "output_tokens", "cost_usd", "latency_s"),
)
"""Columns that people read first; a notebook shows these of a frame."""

_IDENTIFIERS = (
    *(
        "id",
        "comparison_id",
        "run_id",
        "task_key",
        "conversation_id",
        "parent_id",
        "session_id",
        "cell_id",
    ),
    *("response_id", "request_id", "request_hash", "system_fingerprint", "git_commit"),
)

FRAME_NAMES: tuple[str, ...] = (
    *SUMMARY,
    *(name for name in NAMES if name not in {*SUMMARY, *_IDENTIFIERS}),
    *_IDENTIFIERS,
)
"""Names of all columns of the frame, in order: what people read first, identifiers last."""

DTYPES: dict[str, Dtype] = {column.name: column.dtype for column in COLUMNS}
"""dtype of each column of the frame."""


def create_table(version: int = 1) -> str:
    """DDL of the table `responses` in `version` of the schema.

    `seq` is the order of commits: SQLite has one writer at a time, so gaps are never filled later.
    """
    lines = ["seq INTEGER PRIMARY KEY", *definitions(version)]
    return "CREATE TABLE responses (\n    " + ",\n    ".join(lines) + "\n)"


def definitions(version: int, types: Mapping[SqlType, str] | None = None) -> list[str]:
    """Definitions of the stored columns of `version` of the schema, for the DDL of a store.

    Parameters
    ----------
    version : int
    types : mapping, optional
        What a database calls the types, where that is not what SQLite calls them.
    """
    return [
        f'"{column.name}" {(types or {}).get(column.sql_type, column.sql_type)}'
        + (" NOT NULL UNIQUE" if column.name == "id" else "")
        for column in STORED
        if column.since <= version
    ]


def add_columns(
    version: int, table: str = "responses", types: Mapping[SqlType, str] | None = None
) -> list[str]:
    """DDL that adds the columns new in `version` of the schema to an older table."""
    return [
        f'ALTER TABLE {table} ADD COLUMN "{column.name}"'
        f" {(types or {}).get(column.sql_type, column.sql_type)}"
        for column in STORED
        if column.since == version
    ]


def insert_rows(positions: Sequence[int] = range(len(STORED))) -> str:
    """SQL statement that inserts the values of some columns; the others stay NULL.

    A row whose `id` is stored already is left as it is.

    Parameters
    ----------
    positions : sequence of int
        Positions in `STORED`.
    """
    names = ", ".join(f'"{STORED_NAMES[position]}"' for position in positions)
    marks = ", ".join("?" * len(positions))
    return f"INSERT OR IGNORE INTO responses ({names}) VALUES ({marks})"


def markdown_table() -> str:
    """Table of all columns for the docs: name, dtype, description with unit, OpenTelemetry name."""
    lines = ["| column | dtype | description | OpenTelemetry |", "| --- | --- | --- | --- |"]
    for column in COLUMNS:
        otel = f"`{column.otel}`" if column.otel else "–"
        lines.append(f"| `{column.name}` | `{column.dtype}` | {column.description} | {otel} |")
    return "\n".join(lines) + "\n"
