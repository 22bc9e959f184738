"""Running a tool, and what the model is told of it."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from allos.errors import ToolError
from allos.tools.tool import Tool

_ERROR_CHARS = 500


def run_in_thread(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    """Run a tool in a thread of its own: it may block, and Ctrl-C must not hang on it."""
    future: Future[Any] = Future()
    call_context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(call_context.run(_call_tool, tool, arguments))
        except BaseException as exc:  # noqa: BLE001 - raised to the waiter
            future.set_exception(exc)

    threading.Thread(target=work, name=f"allos-tool-{tool.name}", daemon=True).start()
    return future.result()


def _call_tool(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    value = tool(**arguments)
    if not inspect.isawaitable(value):
        return value
    import asyncio

    async def awaited() -> Any:
        return await value

    return asyncio.run(awaited())  # this thread is new and has no loop yet


def error_text(exc: BaseException) -> str:
    """What the model is told of a tool that failed."""
    if isinstance(exc, ToolError):
        return f"Error: {exc}"
    message = str(exc)[:_ERROR_CHARS]
    return f"Error: {type(exc).__name__}: {message}" if message else f"Error: {type(exc).__name__}"


def result_text(value: Any) -> str:
    """Result of a tool as a model reads it: a text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    from pydantic_core import PydanticSerializationError, to_json

    unknown: list[Any] = []

    def as_string(part: Any) -> str:
        unknown.append(part)
        return str(part)

    try:
        text = to_json(value, inf_nan_mode="strings", fallback=as_string).decode()
        # A DataFrame stays the table it prints as, without quotes around it.
        return str(value) if unknown and unknown[0] is value else text
    except (PydanticSerializationError, UnicodeDecodeError, ValueError):
        return str(value)
