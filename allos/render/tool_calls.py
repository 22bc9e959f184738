"""Calls of tools: name and arguments, and what the tool gave; long ones folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from allos.messages import Message, ToolCall
from allos.render.format import tokens
from allos.render.markdown import code_block
from allos.render.plain import clean_text, escaped
from allos.response import ProviderResponse

MAX_ARGUMENT_CHARS = 4_000
MAX_RESULT_CHARS = 20_000
"""Longest result that a page holds; the log has all of it."""
MAX_RESULT_TEXT_CHARS = 1_000
"""Longest result in plain text, where nothing can be folded."""
_LINE_CHARS = 160
"""What is longer, or has several lines, is folded."""
_GLIMPSE_CHARS = 80


def results(
    response: ProviderResponse,
) -> Iterator[tuple[ProviderResponse, list[str | None]]]:
    """Each step of a run with what its calls gave, in order; None where nothing is known of it.

    A single response is a run of one step.
    """
    steps = response.steps or (response,)
    for at, step in enumerate(steps):
        following = steps[at + 1].request if at + 1 < len(steps) else None
        yield step, _given(step.tool_calls, following.messages if following else ())


def _given(calls: Sequence[ToolCall], messages: Sequence[Message]) -> list[str | None]:
    """Return what the calls gave: the tool turns at the end of the next call's messages."""
    turns: list[Message] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        turns.insert(0, message)
    # By place: some services give the same id twice.
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
        What went back to the model; None when the tool did not run, or nobody knows.

    Examples
    --------
    >>> html = call_html(ToolCall("1", "weather", {"city": "Köln"}), "21 °C")
    >>> "<b>weather</b>" in html, "21 °C" in html
    (True, True)
    """
    name = f"<b>{escaped(call.name)}</b>"
    arguments = _arguments(call)
    if _is_short(arguments):
        shown, line_end = f"{name} <code>{escaped(arguments)}</code>", "<br>"
    else:
        body = code_block(_pretty(call), "json")
        shown, line_end = _folded(f"{name} <code>{_glimpse(arguments)}</code>", body), ""
    error = f" <span>{escaped(call.error)}</span>" if call.error else ""
    given = "" if result is None else f"{line_end or ('<br>' if error else '')}{_result(result)}"
    return f'<div class="allos-tool">{shown}{error}{given}</div>'


def call_text(call: ToolCall, result: str | None = None) -> str:
    """Plain-text twin of `call_html`, not yet cleaned."""
    line = f"{call.name} {_arguments(call)}"
    return line if result is None else f"{line}\n→ {_cut(result, MAX_RESULT_TEXT_CHARS)}"


def _result(result: str) -> str:
    # The words of `allos.tools.tool_loop` for a tool that raised, and for one that may not run.
    failed = result.startswith("Error: ")
    kind = ' class="allos-fail"' if failed else ""
    if _is_short(result):
        return f"<span>→</span> <code{kind}>{escaped(result) or '(nothing)'}</code>"
    size = f"<small>{tokens(len(result))} characters</small>"
    title = f"<span>→</span> <code{kind}>{_glimpse(result)}</code> {size}"
    whole = escaped(_cut(result, MAX_RESULT_CHARS))
    return _folded(title, f'<pre class="allos-text">{whole}</pre>')


def _folded(title: str, body: str) -> str:
    return f'<details class="allos-more"><summary>{title}</summary>{body}</details>'


def _is_short(text: str) -> bool:
    return len(text) <= _LINE_CHARS and "\n" not in text


def _glimpse(text: str) -> str:
    return escaped(_cut(" ".join(clean_text(text[:1_000]).split()), _GLIMPSE_CHARS, tell=False))


def _cut(text: str, length: int, *, tell: bool = True) -> str:
    if len(text) <= length:
        return text
    more = f" ({tokens(len(text) - length)} more characters)" if tell else ""
    return f"{text[: length - 1]}…{more}"


def _arguments(call: ToolCall) -> str:
    if call.raw_arguments is not None:
        return _cut(call.raw_arguments, MAX_ARGUMENT_CHARS)
    return _cut(json.dumps(call.arguments, ensure_ascii=False, default=str), MAX_ARGUMENT_CHARS)


def _pretty(call: ToolCall) -> str:
    if call.raw_arguments is not None:
        return _arguments(call)
    pretty = json.dumps(call.arguments, ensure_ascii=False, default=str, indent=2)
    return _cut(pretty, MAX_ARGUMENT_CHARS)
