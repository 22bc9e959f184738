"""The value that an answer stands for, where the request named a schema."""

from __future__ import annotations

from dataclasses import replace

from allos.errors import SchemaError
from allos.request import SchemaSpec
from allos.response import ProviderResponse


async def parsed(response: ProviderResponse) -> ProviderResponse:
    """Response with its value, or with the reason why it has none. Loop thread.

    The call stays what it was, ``ok``: the service did its part, and the text is kept. An answer
    that asks for tools or that did not arrive whole is left as it is.
    """
    schema = response.request.schema if response.request is not None else None
    if schema is None or schema.parse is None or not response.ok or response.tool_calls:
        return response
    import asyncio

    # A type's own validators are the user's code: never on the loop thread.
    value, why = await asyncio.to_thread(_read, schema, response.content)
    if why is None:
        return replace(response, parsed=value)
    error = SchemaError(_sentence(response, schema, why))
    response = response.with_metadata(
        {"error_type": type(error).__name__, "error_message": str(error)}
    )
    return replace(response, error=error)


def _read(schema: SchemaSpec, text: str) -> tuple[object, str | None]:
    assert schema.parse is not None
    try:
        return schema.parse(text), None
    except ValueError as exc:
        return None, str(exc)
    except Exception as exc:  # noqa: BLE001 - a validator of the user's type
        return None, f"{type(exc).__name__}: {exc}"


def _sentence(response: ProviderResponse, schema: SchemaSpec, why: str) -> str:
    who = f"{response.provider}/{response.model}"
    kept = "The text is kept in .response of this error."
    if response.finish_reason == "length":
        return (
            f"{who}: the answer was cut off at max_tokens before {schema.name} was complete. "
            f"Raise max_tokens. {kept}"
        )
    if response.refusal or response.finish_reason in ("refusal", "content_filter"):
        return f"{who}: the model declined to answer, so there is no {schema.name}. {kept}"
    return f"{who}: the answer does not match {schema.name}: {why}. {kept}"
