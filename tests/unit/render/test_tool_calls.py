"""Calls of tools and the steps of a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allos.messages import Message, MessageRole, ToolCall
from allos.render.answer import answer_html, answer_text
from allos.render.plain import clean_text
from allos.render.style import sheet_of
from allos.render.tool_calls import call_html, call_text
from allos.request import Request
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge

_START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def run(*steps: tuple[str, Sequence[ToolCall], Sequence[str]], **facts: Any) -> ProviderResponse:
    """A run of steps: what the model said, what it called, what the calls gave."""
    messages: tuple[Message, ...] = (Message(MessageRole.USER, "Go"),)
    made = []
    for at, (text, calls, given) in enumerate(steps):
        known = {"provider": "groq", "model": "m", "input_tokens": 10, "output_tokens": 2, **facts}
        response = ProviderResponse(
            text,
            tool_calls=list(calls),
            metadata=known,
            id=f"id{at}",
            created_at=_START + timedelta(seconds=at),
            completed_at=_START + timedelta(seconds=at + 1),
            request=Request(provider="groq", api="chat", base_url="", model="m", messages=messages),
        )
        made.append(response)
        turns = [
            Message("tool", result, tool_call_id=call.id)
            for call, result in zip(calls, given, strict=False)
        ]
        messages = (*messages, response.to_message(), *turns)
    return replace(made[-1], steps=tuple(made))


WEATHER = run(
    ("Let me look.", [ToolCall("1", "weather", {"city": "Rome"})], ["21 °C"]),
    ("", [ToolCall("2", "weather", {"city": "?"})], ["Error: no such city"]),
    ("It is **21 °C**.", [], []),
    cost_usd=0.5,
)


def text_of(html: str) -> str:
    """Text of a page without styles; the HTML must be clean."""
    faults, text = judge(html, styles=frozenset({sheet_of(html)}))
    assert faults == []
    return text


def test_each_step_stands_in_its_turn() -> None:
    """What was said, called and given, in order, the answer last, then the facts of the whole run."""
    html = answer_html(WEATHER)
    text = text_of(html)
    parts = ["Let me look.", 'weather {"city": "Rome"}', "→ 21 °C", '{"city": "?"}', "no such city"]

    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert "<strong>21 °C</strong>" in html
    assert '<code class="allos-fail">Error: no such city</code>' in html
    assert text.endswith("groq/m · 3.0 s · 3 calls · 30 in, 6 out · $1.50")


def test_text_twin_has_the_steps_too() -> None:
    """A terminal shows the same in the same order."""
    assert answer_text(WEATHER).splitlines() == [
        "Let me look.",
        'weather {"city": "Rome"}',
        "→ 21 °C",
        'weather {"city": "?"}',
        "→ Error: no such city",
        "It is **21 °C**.",
        "groq/m  3.0 s  3 calls  30 in, 6 out  $1.50",
    ]


def test_totals_over_unknowns_say_so() -> None:
    """A cost that one step does not know is not left out in silence; unknown tokens are a dash."""
    first, *rest = WEATHER.steps
    blind = {k: v for k, v in first.metadata.items() if k not in ("cost_usd", "input_tokens")}
    response = replace(WEATHER, steps=(replace(first, metadata=blind), *rest))

    assert answer_text(response).endswith("6 out  $1.00 + 1 unknown")


def test_a_call_that_did_not_run_has_no_result() -> None:
    """The run ended before the tool gave anything: the call alone is shown."""
    stopped = run(("", [ToolCall("1", "weather", {})], []))

    assert "→" not in text_of(answer_html(stopped)).partition("groq/m")[0]
    assert "weather {}" in answer_text(stopped)


def test_equal_ids_keep_their_own_results() -> None:
    """Some services give every call the same id: the place tells which result is whose."""
    calls = [ToolCall("x", "f", {"n": 1}), ToolCall("x", "f", {"n": 2})]
    text = answer_text(run(("", calls, ["one", "two"]), ("done", [], [])))

    assert text.splitlines()[:4] == ['f {"n": 1}', "→ one", 'f {"n": 2}', "→ two"]


def test_long_ones_are_folded() -> None:
    """Long arguments and results are closed at first; arguments are indented and coloured inside."""
    html = call_html(
        ToolCall("1", "run_python", {"code": "print(1)\n" * 60}), "\n".join(map(str, range(500)))
    )

    assert html.count("<details") == 2
    assert " open" not in html
    assert '<span class="allos-t">&quot;code&quot;</span>' in html or "&quot;code&quot;" in html
    assert "1,889 characters" in html
    assert "<details" not in call_html(ToolCall("1", "f", {"a": 1}), "short")
    assert "(nothing)" in call_html(ToolCall("1", "f", {}), "")


def test_a_huge_result_is_cut_and_says_so() -> None:
    """The page stays small; the log has the rest."""
    html = call_html(ToolCall("1", "f"), "x" * 50_000)

    assert len(html) < 25_000
    assert "(30,000 more characters)" in html
    assert call_text(ToolCall("1", "f"), "x" * 3_000).endswith("… (2,000 more characters)")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_arguments_and_results_are_inert(text: str) -> None:
    """Names, arguments and results come from a model and from the world: they are text."""
    text = text[:3_000]
    calls = [ToolCall("1", text, {text: text}), ToolCall("2", "f", {}, text, text)]
    response = run((text, calls, [text, f"Error: {text}"]), (text, [], []))

    html = answer_html(response)

    assert judge(html, styles=frozenset({sheet_of(html)}), images=True)[0] == []
    assert clean_text(answer_text(response)) == answer_text(response)
    assert not re.search(r"\n[ \t]*\n", html)
