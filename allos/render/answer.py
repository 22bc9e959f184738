"""A response as a cell shows it: the answer is the page's text, everything else is quiet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from allos.render.format import (
    UNKNOWN,
    ending,
    first_token,
    money,
    seconds,
    speed,
    token_counts,
    tokens,
)
from allos.render.markdown import markdown_html
from allos.render.media import media_html, media_texts, split_images
from allos.render.plain import clean_text, escaped, shorten, unbroken
from allos.render.static_styles import with_inline_styles
from allos.render.structured import structured_html, structured_text
from allos.render.style import STYLE, sheet_of
from allos.render.tool_calls import call_html, call_text, results
from allos.render.unsafe import UNSAFE_NOTICE, unsafe_markdown_html
from allos.response import ProviderResponse

MAX_ERROR_CHARS = 2_000
NO_TEXT = "The model returned no text."
ONLY_REASONING = (
    "The answer ended within the model's reasoning; a higher max_tokens leaves room for more."
)

# For pages that strip <style>; the style sheet hides it.
_DOT = '<span class="allos-sep"> · </span>'


def answer_html(
    response: ProviderResponse,
    *,
    notes: Sequence[str] = (),
    show_error: bool = True,
    unsafe_html: bool = False,
) -> str:
    """One response as a cell shows it: reasoning folded, answer, tool calls, a quiet footer.

    A run with tools is shown step by step: the model's text, the tools it called, their results. The
    footer is about the whole run.

    Parameters
    ----------
    response : ProviderResponse
        Any response: complete, partial or failed.
    notes : sequence of str
        Further facts for the footer, such as ``"df: 5 of 48,210 rows sent"``.
    show_error : bool
        Whether a failed response shows its error; False where the caller raises it.
    unsafe_html : bool
        Insert the answer's own HTML unchanged, below a warning: it can run code and make requests.
        Only for a person who asked for it in this very call.

    Examples
    --------
    >>> response = ProviderResponse("Hello!", metadata={"provider": "local", "model": "smollm2"})
    >>> "<b>local/smollm2</b>" in answer_html(response)
    True
    """
    body = "".join(_body(response, show_error, unsafe_html=unsafe_html))
    # The model's own HTML may need any rule.
    style = STYLE if unsafe_html else f"<style>{sheet_of(body)}</style>"
    # Not to the model's own HTML, which is inserted unchanged.
    shown = body if unsafe_html else with_inline_styles(body)
    return _out([style, shown, _footer_html(response, notes)])


def body_html(response: ProviderResponse, *, show_error: bool = True) -> str:
    """The answer of `answer_html` alone: without footer and style sheet; the page needs `style.CSS`.

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
    response: ProviderResponse,
    *,
    notes: Sequence[str] = (),
    show_error: bool = True,
    unsafe_html: bool = False,
) -> str:
    """Plain-text version of `answer_html`, safe for a terminal; reasoning is left out.

    Examples
    --------
    >>> facts = {"provider": "groq", "model": "llama", "latency_s": 0.92}
    >>> print(answer_text(ProviderResponse("Hello!", metadata=facts)))
    Hello!
    groq/llama  0.92 s
    """
    parts = [UNSAFE_NOTICE] if unsafe_html else []
    parts += body_text_parts(response)
    if show_error and response.error is not None:
        parts.append(str(response.error))
    if _is_empty(response):
        parts.append(_no_text(response))
    parts.append("  ".join(" ".join(fact.split()) for fact in _facts(response, notes)))
    return clean_text("\n".join(part for part in parts if part))


def body_text_parts(response: ProviderResponse) -> list[str]:
    """Answers, refusals and tool calls with their results, part by part, not yet cleaned."""
    parts = []
    for step, outputs in results(response):
        text = structured_text(response.parsed) if _is_parsed(response, step) else ""
        content, images = split_images(step.content)
        parts.append(text or (content.strip("\n") if content.strip() else ""))
        parts += media_texts(step, images)
        if step.refusal:
            parts.append(f"Refused. {step.refusal.strip()}")
        parts.extend(map(call_text, step.tool_calls, outputs))
    return [part for part in parts if part]


def error_html(message: str) -> str:
    """One short error in a box with a red bar; text in backticks or quotes is shown as code.

    Examples
    --------
    >>> "Unknown provider <code>grok</code>." in error_html("Unknown provider 'grok'.")
    True
    """
    error = _error_div(message)
    return _out([f"<style>{sheet_of(error)}</style>", error])


def error_text(message: str) -> str:
    """Plain-text version of `error_html`."""
    return clean_text(shorten(message.strip(), MAX_ERROR_CHARS))


# --- pieces --------------------------------------------------------------------------------------


def _out(parts: Iterable[str]) -> str:
    return unbroken(f'<div class="allos-out mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>')


def _body(response: ProviderResponse, show_error: bool, *, unsafe_html: bool = False) -> list[str]:
    parts = [_error_div(UNSAFE_NOTICE)] if unsafe_html else []
    for step, outputs in results(response):
        if step.reasoning:
            parts.append(
                f'<details class="allos-think"><summary>{_reasoning_title(step)}</summary>'
                f'<pre class="allos-text">{escaped(step.reasoning.strip())}</pre></details>'
            )
        text = structured_html(response.parsed) if _is_parsed(response, step) else ""
        content, images = split_images(step.content)
        if not text and content.strip():
            to_html = unsafe_markdown_html if unsafe_html else markdown_html
            text = to_html(content)
        parts += [text, media_html(step, images)]
        if step.refusal:
            parts.append(
                f'<div class="allos-refusal"><b>Refused.</b> {escaped(step.refusal.strip())}</div>'
            )
        parts.extend(map(call_html, step.tool_calls, outputs))
    if show_error and response.error is not None:
        parts.append(_error_div(str(response.error)))
    if _is_empty(response):
        parts.append(f'<p class="allos-note">{_no_text(response)}</p>')
    return parts


def _no_text(response: ProviderResponse) -> str:
    cut = response.reasoning and response.finish_reason == "length"
    return ONLY_REASONING if cut else NO_TEXT


def _is_parsed(response: ProviderResponse, step: ProviderResponse) -> bool:
    """Whether `parsed` was made of this step's text: only of the last one's."""
    return response.parsed is not None and step.id == response.id


def _is_empty(response: ProviderResponse) -> bool:
    parts = response.metadata.get("parts")
    output = response.content.strip() or response.refusal or response.tool_calls or parts
    return response.ok and not output and response.parsed is None


def _reasoning_title(response: ProviderResponse) -> str:
    count = response.usage.reasoning_tokens
    return "Reasoning" if not count else f"Reasoning, {tokens(count)} tokens"


def _name(response: ProviderResponse) -> str:
    return "/".join(part for part in (response.provider, response.model) if part)


def _facts(response: ProviderResponse, notes: Sequence[str]) -> list[str]:
    """Facts of the footer, the model's name first; unknown ones are left out."""
    known = response.metadata
    facts = _run_facts(response) if len(response.steps) > 1 else _call_facts(response)
    if (known.get("attempts") or 1) > 1:
        facts.append(f"{known['attempts']} attempts")
    if response.status == "error":
        facts.append("failed")
    facts.append(ending("cancelled" if response.status == "cancelled" else response.finish_reason))
    if response.replayed:
        facts.append("replayed")
    return [fact for fact in (*facts, *notes) if fact and fact != UNKNOWN]


def _call_facts(response: ProviderResponse) -> list[str]:
    known = response.metadata
    usage = response.usage
    facts = [_name(response)]
    if response.latency_s is not None:
        facts.append(seconds(response.latency_s))
    first_s = known.get("time_to_first_token_s")
    if first_s is not None:
        facts.append(first_token(first_s))
    facts.append(speed(known.get("tokens_per_second"), response.latency_s, first_s))
    estimated = usage.source == "estimated"
    facts.append(token_counts(usage.input_tokens, usage.output_tokens, about=estimated))
    if response.cost_usd is not None:
        facts.append(money(response.cost_usd, about=estimated))
    return facts


def _run_facts(response: ProviderResponse) -> list[str]:
    """Facts of a run's calls together: tokens and costs are sums, the time is wall-clock time without questions."""
    steps = response.steps
    facts = [_name(response)]
    start, end = steps[0].created_at, steps[-1].completed_at
    if start is not None and end is not None:
        facts.append(seconds(max(0.0, (end - start).total_seconds() - response.approval_s)))
    facts.append(f"{len(steps)} calls")
    usages = [step.usage for step in steps]
    estimated = any(usage.source == "estimated" for usage in usages)
    facts.append(
        token_counts(
            _total([usage.input_tokens for usage in usages]),
            _total([usage.output_tokens for usage in usages]),
            about=estimated,
        )
    )
    costs = [step.cost_usd for step in steps if step.cost_usd is not None]
    if costs:
        unknown = len(steps) - len(costs)
        spent = money(sum(costs), about=estimated)
        facts.append(f"{spent} + {unknown} unknown" if unknown else spent)
    return facts


def _total(counts: Sequence[int | None]) -> int | None:
    """Sum of the counts; None when one of them is unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _footer_html(response: ProviderResponse, notes: Sequence[str]) -> str:
    facts = [escaped(fact) for fact in _facts(response, notes)]
    if not facts:
        return ""
    tag = "b" if _name(response) else "span"
    items = [f"<{tag}>{facts[0]}</{tag}>", *(f"<span>{fact}</span>" for fact in facts[1:])]
    return f'<small class="allos-foot">{_DOT.join(items)}</small>'


# A quote opens after a space or a bracket and closes before a space or punctuation, so "doesn't" and
# "the server's" stay words.
_CODE = re.compile(
    r"`([^`\n]{1,200})`|(?<![\w'])'([^'\n]{1,80})'(?![\w'])|(?<![\w\"])\"([^\"\n]{1,80})\"(?![\w\"])"
)


def _error_div(message: str) -> str:
    text = error_text(message)
    pieces = []
    end = 0
    for match in _CODE.finditer(text):
        code = match[1] or match[2] or match[3]
        pieces.append(f"{escaped(text[end : match.start()])}<code>{escaped(code)}</code>")
        end = match.end()
    return f'<div class="allos-err">{"".join(pieces)}{escaped(text[end:])}</div>'
