"""Parses an answer as the type of the request's schema."""

from __future__ import annotations

from dataclasses import replace

from allos.errors import SchemaError
from allos.request import SchemaSpec
from allos.response import ProviderResponse


async def parsed(response: ProviderResponse) -> ProviderResponse:
    """Return the response with its parsed value, or with a `SchemaError`. Loop thread.

    The status stays ``ok``, since the request succeeded, and the text is kept. A response with tool
    calls or a partial one is returned unchanged.
    """
    schema = response.request.schema if response.request is not None else None
    if schema is None or schema.parse is None or not response.ok or response.tool_calls:
        return response
    import asyncio

    # Validators of a type are code of the user: never on the loop thread.
    value, why = await asyncio.to_thread(_parse_answer, schema, response.content)
    if why is None:
        return replace(response, parsed=value)
    error = SchemaError(_error_message(response, schema, why))
    response = response.with_metadata(
        {"error_type": type(error).__name__, "error_message": str(error)}
    )
    return replace(response, error=error)


def _parse_answer(schema: SchemaSpec, text: str) -> tuple[object, str | None]:
    assert schema.parse is not None
    try:
        return schema.parse(text), None
    except ValueError as exc:
        return None, str(exc)
    except Exception as exc:  # noqa: BLE001 - user-defined validators may raise anything
        return None, f"{type(exc).__name__}: {exc}"


def _error_message(response: ProviderResponse, schema: SchemaSpec, why: str) -> str:
    who = f"{response.provider}/{response.model}"
    kept = "The text is in .response of this error."
    if response.finish_reason == "length":
        return (
            f"{who}: the answer was cut off at max_tokens before {schema.name} was complete. "
            f"Raise max_tokens. {kept}"
        )
    if response.refusal or response.finish_reason in ("refusal", "content_filter"):
        return f"{who}: the model declined to answer, so there is no {schema.name}. {kept}"
    if response.reasoning and not response.content.strip():
        return f"{who}: the model wrote reasoning only, so there is no {schema.name}. {kept}"
    return f"{who}: the answer does not match {schema.name}: {why}. {kept}"
