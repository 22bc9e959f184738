"""Run a tool, and convert its result or error to text for the model."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from allos.errors import ToolError
from allos.prompt_data import json_value
from allos.tools.tool import Tool

_ERROR_CHARS = 500


def run_in_thread(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    """Run a tool on its own thread: it may block, and Ctrl-C must not wait for it."""
    future: Future[Any] = Future()
    call_context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(call_context.run(_call_tool, tool, arguments))
        except BaseException as exc:  # noqa: BLE001 - raised by future.result
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
    """Text for the model of an error of a tool."""
    if isinstance(exc, ToolError):
        return f"Error: {exc}"
    message = str(exc)[:_ERROR_CHARS]
    return f"Error: {type(exc).__name__}: {message}" if message else f"Error: {type(exc).__name__}"


def result_text(value: Any) -> str:
    """Result of a tool as text for the model: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(data := json_value(value), str):  # a table, without the quotes of JSON
        return data
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(data, inf_nan_mode="strings", fallback=_json_or_text).decode()
    except (PydanticSerializationError, UnicodeDecodeError, ValueError):
        return str(value)


def _json_or_text(value: Any) -> Any:
    data = json_value(value)
    return str(value) if data is value else data
