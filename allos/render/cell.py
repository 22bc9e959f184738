"""What a cell shows of a response: the answer is the page's text, everything else is quiet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from allos.render.format import UNKNOWN, money, rate, seconds, tokens
from allos.render.markdown import markdown_html
from allos.render.plain import clean_text, escaped
from allos.render.style import STYLE
from allos.types import ProviderResponse, ToolCall

MAX_ERROR_CHARS = 2_000
MAX_ARGUMENT_CHARS = 4_000

# For pages that strip <style>; the style sheet hides it.
_DOT = '<span class="allos-sep"> · </span>'

# Endings that need no word: the usual one, and those that the rest of the output already tells.
_PLAIN_ENDINGS = frozenset({None, "stop", "tool_calls", "refusal", "cancelled", "error"})


def answer_html(
    response: ProviderResponse, *, notes: Sequence[str] = (), show_error: bool = True
) -> str:
    """One response as a cell shows it: reasoning folded, answer, tool calls, a quiet footer.

    Parameters
    ----------
    response : ProviderResponse
        Any response: complete, partial or failed.
    notes : sequence of str
        Further facts for the footer, such as ``"df: 5 of 48,210 rows sent"``.
    show_error : bool
        Whether a failed response shows its error; a caller that raises it says False.

    Examples
    --------
    >>> response = ProviderResponse("Hello!", metadata={"provider": "local", "model": "smollm2"})
    >>> "<b>local/smollm2</b>" in answer_html(response)
    True
    """
    return _out([STYLE, *_body(response, show_error), _footer_html(response, notes)])


def body_html(response: ProviderResponse, *, show_error: bool = True) -> str:
    """The answer of `answer_html` alone: no footer, and no style sheet; the page needs `style.CSS`.

    Parameters
    ----------
    response : ProviderResponse
        Any response: complete, partial or failed.
    show_error : bool
        Whether a failed response shows its error.

    Examples
    --------
    >>> response = ProviderResponse("**Hello!**", metadata={"model": "smollm2"})
    >>> html = body_html(response)
    >>> "<strong>Hello!</strong>" in html, "smollm2" in html
    (True, False)
    """
    return _out(_body(response, show_error))


def answer_text(
    response: ProviderResponse, *, notes: Sequence[str] = (), show_error: bool = True
) -> str:
    """Plain-text twin of `answer_html`, safe for a terminal; reasoning is left out.

    Examples
    --------
    >>> facts = {"provider": "groq", "model": "llama", "latency_s": 0.92}
    >>> print(answer_text(ProviderResponse("Hello!", metadata=facts)))
    Hello!
    groq/llama  0.92 s
    """
    parts = [response.content.strip("\n")] if response.content.strip() else []
    if response.refusal:
        parts.append(f"Refused. {response.refusal.strip()}")
    parts.extend(f"{call.name} {_arguments(call)}" for call in response.tool_calls)
    if show_error and response.error is not None:
        parts.append(str(response.error))
    if _is_empty(response):
        parts.append("The model wrote no text.")
    parts.append("  ".join(" ".join(fact.split()) for fact in _facts(response, notes)))
    return clean_text("\n".join(part for part in parts if part))


def error_html(message: str) -> str:
    """Red-barred box of one short error; what stands in backticks or quotes is shown as code.

    Examples
    --------
    >>> "Unknown provider <code>grok</code>." in error_html("Unknown provider 'grok'.")
    True
    """
    return _out([STYLE, _error_div(message)])


def error_text(message: str) -> str:
    """Plain-text twin of `error_html`."""
    return clean_text(_cut(message.strip(), MAX_ERROR_CHARS))


# --- pieces --------------------------------------------------------------------------------------


def _out(parts: Iterable[str]) -> str:
    return f'<div class="allos-out mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>'


def _body(response: ProviderResponse, show_error: bool) -> list[str]:
    parts = []
    if response.reasoning:
        parts.append(
            f'<details class="allos-think"><summary>{_reasoning_title(response)}</summary>'
            f'<pre class="allos-text">{escaped(response.reasoning.strip())}</pre></details>'
        )
    if response.content.strip():
        parts.append(markdown_html(response.content))
    if response.refusal:
        parts.append(
            f'<div class="allos-refusal"><b>Refused.</b> {escaped(response.refusal.strip())}</div>'
        )
    parts.extend(_tool_html(call) for call in response.tool_calls)
    if show_error and response.error is not None:
        parts.append(_error_div(str(response.error)))
    if _is_empty(response):
        parts.append('<p class="allos-note">The model wrote no text.</p>')
    return parts


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _is_empty(response: ProviderResponse) -> bool:
    said = response.content.strip() or response.refusal or response.tool_calls
    return response.ok and not said


def _reasoning_title(response: ProviderResponse) -> str:
    count = response.usage.reasoning_tokens
    return "Reasoning" if not count else f"Reasoning, {tokens(count)} tokens"


def _arguments(call: ToolCall) -> str:
    if call.raw_arguments is not None:
        return _cut(call.raw_arguments, MAX_ARGUMENT_CHARS)
    return _cut(json.dumps(call.arguments, ensure_ascii=False, default=str), MAX_ARGUMENT_CHARS)


def _tool_html(call: ToolCall) -> str:
    error = f" <span>{escaped(call.error)}</span>" if call.error else ""
    return (
        f'<div class="allos-tool"><b>{escaped(call.name)}</b> '
        f"<code>{escaped(_arguments(call))}</code>{error}</div>"
    )


def _name(response: ProviderResponse) -> str:
    return "/".join(part for part in (response.provider, response.model) if part)


def _facts(response: ProviderResponse, notes: Sequence[str]) -> list[str]:
    """Footer, fact by fact, the model's name first; unknown ones are left out."""
    known = response.metadata
    usage = response.usage
    estimated = usage.source == "estimated"
    facts = [_name(response)]
    if response.latency_s is not None:
        facts.append(seconds(response.latency_s))
    if known.get("time_to_first_token_s") is not None:
        facts.append(f"first {seconds(known['time_to_first_token_s'])}")
    if known.get("tokens_per_second") is not None:
        facts.append(rate(known["tokens_per_second"]))
    if usage.input_tokens is not None or usage.output_tokens is not None:
        about = "about " if estimated else ""
        facts.append(f"{about}{tokens(usage.input_tokens)} → {tokens(usage.output_tokens)} tok")
    if response.cost_usd is not None:
        facts.append(money(response.cost_usd, about=estimated))
    if (known.get("attempts") or 1) > 1:
        facts.append(f"{known['attempts']} attempts")
    if response.status == "cancelled":
        facts.append("cancelled")
    elif response.status == "error":
        facts.append("failed")
    if response.finish_reason not in _PLAIN_ENDINGS:
        facts.append(f"stopped: {response.finish_reason}")
    if response.replayed:
        facts.append("replayed")
    return [fact for fact in (*facts, *notes) if fact and fact != UNKNOWN]


def _footer_html(response: ProviderResponse, notes: Sequence[str]) -> str:
    facts = [escaped(fact) for fact in _facts(response, notes)]
    if not facts:
        return ""
    tag = "b" if _name(response) else "span"
    items = [f"<{tag}>{facts[0]}</{tag}>", *(f"<span>{fact}</span>" for fact in facts[1:])]
    return f'<small class="allos-foot">{_DOT.join(items)}</small>'


# A quote opens after a blank or a bracket and closes before a blank or a sign, so "doesn't" and
# "the server's" stay words.
_CODE = re.compile(
    r"`([^`\n]{1,200})`|(?<![\w'])'([^'\n]{1,80})'(?![\w'])|(?<![\w\"])\"([^\"\n]{1,80})\"(?![\w\"])"
)


def _error_div(message: str) -> str:
    text = error_text(message)
    pieces = []
    at = 0
    for match in _CODE.finditer(text):
        code = match[1] or match[2] or match[3]
        pieces.append(f"{escaped(text[at : match.start()])}<code>{escaped(code)}</code>")
        at = match.end()
    return f'<div class="allos-err">{"".join(pieces)}{escaped(text[at:])}</div>'
