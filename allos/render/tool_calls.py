"""Tool calls: name, arguments and result; long ones are folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from allos.messages import Message, ToolCall
from allos.render.format import tokens
from allos.render.markdown import code_block
from allos.render.plain import clean_text, escaped, shorten
from allos.response import ProviderResponse

MAX_ARGUMENT_CHARS = 4_000
MAX_RESULT_CHARS = 20_000
"""Longest result in HTML; the log has all of it."""
MAX_RESULT_TEXT_CHARS = 1_000
"""Longest result in plain text, where nothing can be folded."""
_LINE_CHARS = 160
"""Longer text, and text of several lines, is folded."""
_PREVIEW_CHARS = 80


def results(
    response: ProviderResponse,
) -> Iterator[tuple[ProviderResponse, list[str | None]]]:
    """Each step of a run with the results of its tool calls, in order; None where one is unknown.

    A single response is a run of one step.
    """
    steps = response.steps or (response,)
    for at, step in enumerate(steps):
        following = steps[at + 1].request if at + 1 < len(steps) else None
        yield step, _results(step.tool_calls, following.messages if following else ())


def _results(calls: Sequence[ToolCall], messages: Sequence[Message]) -> list[str | None]:
    """Return the calls' results: the tool messages at the end of the next request."""
    turns: list[Message] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        turns.insert(0, message)
    # By position: some services give the same id twice.
    if [turn.tool_call_id for turn in turns] != [call.id for call in calls]:
        return [None] * len(calls)
    return [turn.text or "" for turn in turns]


def call_html(call: ToolCall, result: str | None = None) -> str:
    """One call: the tool's name, its arguments, its result.

    Parameters
    ----------
    call : ToolCall
        As the model wrote it.
    result : str or None
        What was sent back to the model; None when the tool did not run, or it is unknown.

    Examples
    --------
    >>> html = call_html(ToolCall("1", "weather", {"city": "Köln"}), "21 °C")
    >>> "<b>weather</b>" in html, "21 °C" in html
    (True, True)
    """
    name = f"<b>{escaped(call.name)}</b>"
    arguments = _arguments(call)
    if _is_short(arguments):
        line, line_end = f"{name} <code>{escaped(arguments)}</code>", "<br>"
    else:
        body = code_block(_pretty(call), "json")
        line, line_end = _folded(f"{name} <code>{_preview(arguments)}</code>", body), ""
    error = f" <span>{escaped(call.error)}</span>" if call.error else ""
    below = "" if result is None else f"{line_end or ('<br>' if error else '')}{_result(result)}"
    return f'<div class="allos-tool">{line}{error}{below}</div>'


def call_text(call: ToolCall, result: str | None = None) -> str:
    """Plain-text version of `call_html`, not yet cleaned."""
    line = f"{call.name} {_arguments(call)}"
    return line if result is None else f"{line}\n→ {_shorten(result, MAX_RESULT_TEXT_CHARS)}"


def _result(result: str) -> str:
    # How `allos.tools.tool_loop` begins the result of a tool that raised, or that was not allowed to run.
    failed = result.startswith("Error: ")
    kind = ' class="allos-fail"' if failed else ""
    if _is_short(result):
        return f"<span>→</span> <code{kind}>{escaped(result) or '(nothing)'}</code>"
    size = f"<small>{tokens(len(result))} characters</small>"
    title = f"<span>→</span> <code{kind}>{_preview(result)}</code> {size}"
    text = escaped(_shorten(result, MAX_RESULT_CHARS))
    return _folded(title, f'<pre class="allos-text">{text}</pre>')


def _folded(title: str, body: str) -> str:
    return f'<details class="allos-more"><summary>{title}</summary>{body}</details>'


def _is_short(text: str) -> bool:
    return len(text) <= _LINE_CHARS and "\n" not in text


def _preview(text: str) -> str:
    return escaped(shorten(" ".join(clean_text(text[:1_000]).split()), _PREVIEW_CHARS))


def _shorten(text: str, length: int) -> str:
    """Shorten a text and say by how much."""
    if len(text) <= length:
        return text
    return f"{shorten(text, length)} ({tokens(len(text) - length)} more characters)"


def _arguments(call: ToolCall) -> str:
    if call.raw_arguments is not None:
        return _shorten(call.raw_arguments, MAX_ARGUMENT_CHARS)
    return _shorten(json.dumps(call.arguments, ensure_ascii=False, default=str), MAX_ARGUMENT_CHARS)


def _pretty(call: ToolCall) -> str:
    if call.raw_arguments is not None:
        return _arguments(call)
    pretty = json.dumps(call.arguments, ensure_ascii=False, default=str, indent=2)
    return _shorten(pretty, MAX_ARGUMENT_CHARS)
