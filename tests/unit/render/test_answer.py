"""What a cell shows of a response."""

from __future__ import annotations

import re
from typing import Any

import pytest

from allos.errors import IncompleteStreamError
from allos.messages import ToolCall
from allos.render.answer import ONLY_REASONING, answer_html, answer_text, error_html, error_text
from allos.render.plain import clean_text
from allos.render.style import sheet_of
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge

_FACTS: dict[str, Any] = {
    "provider": "groq",
    "model": "llama-3.1-8b-instant",
    "latency_s": 0.92,
    "time_to_first_token_s": 0.18,
    "tokens_per_second": 209.8,
    "input_tokens": 421,
    "output_tokens": 187,
    "cost_usd": 0.00003,
    "finish_reason": "stop",
}


def shown(html: str) -> str:
    """Text of a cell as a reader of a page without styles sees it; the HTML must be clean."""
    faults, text = judge(html, styles=frozenset({sheet_of(html)}))
    assert faults == []
    return text


def footer(response: ProviderResponse, **options: Any) -> list[str]:
    """Facts of the footer."""
    html = answer_html(response, **options)
    return re.sub(r"<[^>]+>", "", html[html.index("<small") :]).split(" · ")


def test_footer_tells_the_call_in_one_line() -> None:
    """Model, time, first token, speed, tokens, cost, then the notes."""
    response = ProviderResponse("Hi", metadata=_FACTS)

    assert footer(response, notes=["df: 5 of 48,210 rows sent"]) == [
        "groq/llama-3.1-8b-instant",
        "0.92 s",
        "first token 0.18 s",
        "210 tok/s",
        "421 in, 187 out",
        "$0.00003",
        "df: 5 of 48,210 rows sent",
    ]


def test_unknown_facts_are_left_out() -> None:
    """No cost, no time, no tokens: nothing is guessed and nothing says unknown."""
    response = ProviderResponse("Hi", metadata={"provider": "local", "model": "smollm2"})

    assert footer(response) == ["local/smollm2"]
    assert "<small" not in answer_html(ProviderResponse("Hi"))


@pytest.mark.parametrize(
    ("facts", "replayed", "fact"),
    [
        ({"finish_reason": "length"}, False, "cut at max_tokens"),
        ({"finish_reason": "content_filter"}, False, "cut by the content filter"),
        ({"finish_reason": "context_exceeded"}, False, "cut at the end of the context window"),
        ({"status": "cancelled", "finish_reason": "cancelled"}, False, "stopped"),
        ({"finish_reason": "pause"}, False, "paused by the service"),
        ({"finish_reason": "other"}, False, "finish reason: other"),
        ({"status": "error", "finish_reason": "error"}, False, "failed"),
        ({"attempts": 3}, False, "3 attempts"),
        ({}, True, "replayed"),
    ],
)
def test_unusual_endings_are_named_once(facts: dict[str, Any], replayed: bool, fact: str) -> None:
    """The footer says how a call ended when it did not end in the usual way."""
    response = ProviderResponse("Hi", metadata={"provider": "p", **facts}, replayed=replayed)

    assert footer(response) == ["p", fact]


def test_estimates_say_about() -> None:
    """Tokens that the provider did not count, and the cost that rests on them, are marked."""
    response = ProviderResponse(
        "Hi",
        metadata={"input_tokens": 4, "cost_usd": 0.0004, "usage_source": "estimated"},
    )

    assert footer(response) == ["about 4 in", "about $0.0004"]


def test_reasoning_is_folded() -> None:
    """Closed at first, with its size in the title when it is known; escaped inside."""
    known = answer_html(
        ProviderResponse("Hi", reasoning="<b>hm\n hm", metadata={"reasoning_tokens": 1212})
    )

    assert "<details" in known
    assert "<summary>Reasoning, 1,212 tokens</summary>" in known
    assert "&lt;b&gt;hm\n hm" in known
    assert "<summary>Reasoning</summary>" in answer_html(ProviderResponse("Hi", reasoning="x"))
    assert "<details" not in answer_html(ProviderResponse("Hi"))


def test_refusal_tool_calls_and_error_are_shown() -> None:
    """Each as itself, escaped; the partial answer stays."""
    response = ProviderResponse(
        "Half an ans",
        refusal="I will not <i>.",
        tool_calls=[
            ToolCall("1", "get_weather", {"city": "Köln", "n": 1}),
            ToolCall("2", "odd", raw_arguments='{"a": <b>', error="not valid JSON"),
        ],
        error=IncompleteStreamError("The stream ended early. Pass 'max_attempts'."),
        metadata={"status": "error"},
    )
    text = shown(answer_html(response))

    assert "Half an ans" in text
    assert "Refused. I will not <i>." in text
    assert 'get_weather {"city": "Köln", "n": 1}' in text
    assert 'odd {"a": <b> not valid JSON' in text
    assert "The stream ended early. Pass max_attempts." in text
    assert "ended early" not in shown(answer_html(response, show_error=False))


def test_empty_answer_says_so() -> None:
    """A blank cell would look like a fault; an answer of tool calls alone is not empty."""
    calls = ProviderResponse("", tool_calls=[ToolCall("1", "f")])

    assert "The model returned no text." in shown(answer_html(ProviderResponse(" \n")))
    assert "The model returned no text." not in shown(answer_html(calls))
    assert answer_text(ProviderResponse("")) == "The model returned no text."


def test_an_answer_that_ended_within_its_reasoning() -> None:
    """A token limit that the reasoning used up is named."""
    cut = ProviderResponse(reasoning="hm", metadata={"finish_reason": "length"})

    assert ONLY_REASONING in answer_html(cut)
    assert answer_text(cut).startswith(ONLY_REASONING)


def test_text_twin_has_content_and_one_line() -> None:
    """For terminals and text/plain: the words as written, then the footer."""
    response = ProviderResponse("**Hi**\x1b[31m\n", metadata=_FACTS, reasoning="hm")

    assert answer_text(response, notes=["a\nb"]) == (
        "**Hi**\n"
        "groq/llama-3.1-8b-instant  0.92 s  first token 0.18 s  210 tok/s  421 in, 187 out  $0.00003  a b"
    )


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_in_every_field_is_inert(text: str) -> None:
    """Whatever field a model or a server writes to, the page holds only what it may."""
    text = text[:3_000]
    response = ProviderResponse(
        text,
        reasoning=text,
        refusal=text,
        tool_calls=[ToolCall("1", text, {text: text}), ToolCall("2", "f", {}, text, text)],
        error=IncompleteStreamError(text),
        metadata={"provider": text, "model": text, "finish_reason": text, "latency_s": 1.0},
    )
    html = answer_html(response, notes=[text])
    plain = answer_text(response, notes=[text])
    error = error_html(text)

    assert judge(html, styles=frozenset({sheet_of(html)}), images=True)[0] == []
    assert judge(error, styles=frozenset({sheet_of(error)}))[0] == []
    assert clean_text(plain) == plain


@pytest.mark.parametrize(
    ("message", "html"),
    [
        ("Unknown provider 'grok'.", "Unknown provider <code>grok</code>."),
        ("Run `%allos key groq`.", "Run <code>%allos key groq</code>."),
        ('Set "A_KEY" (or "B").', "Set <code>A_KEY</code> (or <code>B</code>)."),
        ("The server's name isn't 'x'", "The server&#x27;s name isn&#x27;t <code>x</code>"),
        ("'<b>' & `<i>`", "<code>&lt;b&gt;</code> &amp; <code>&lt;i&gt;</code>"),
        ("a\x1b[31m", "a"),
        ("no 'end", "no &#x27;end"),
    ],
)
def test_error_shows_names_as_code(message: str, html: str) -> None:
    """What stands in backticks or quotes is code; apostrophes stay apostrophes."""
    assert f'<div class="allos-err">{html}</div>' in error_html(message)


def test_error_is_cut_at_a_page() -> None:
    """A server's HTML page does not fill the notebook."""
    assert len(error_text("x" * 10_000)) == 2_000
    assert error_text("x" * 10_000).endswith("…")
