"""An answer brings only the style rules that it needs, and nobody can see a difference."""

from __future__ import annotations

import re

import pytest

from allos.errors import ServerError
from allos.messages import ToolCall
from allos.render.answer import answer_html, error_html
from allos.render.style import CSS
from allos.response import ProviderResponse
from tests.support.jupyter import Lab

FACTS = {"provider": "groq", "model": "m", "latency_s": 0.9, "output_tokens": 12}
TEXTS = {
    "plain": "Hello there.",
    "prose": "Some *words* and\n\n**more** of them, ~~fewer~~.",
    "list": "1. one\n2. two\n   - three\n\n     four",
    "quote": "> said\n>\n> twice\n\nafter",
    "headings": "# One\n\n## Two\n\n#### Four\n\ntext",
    "inline code": "Call `f(x)` now.",
    "block of code": "```python\ndef f(x):  # why\n    return x + 1\n```",
    "table": "| a | b |\n|--:|:-:|\n| 1 | `2` |",
    "link": "See [the docs](https://example.com), or ![chart](https://example.com/a.png).",
    "rule": "above\n\n---\n\nbelow",
    "too long for Markdown": "word " * 25_000,
}
ANSWERS = {
    **{name: ProviderResponse(text, metadata=FACTS) for name, text in TEXTS.items()},
    "reasoning": ProviderResponse("So.", reasoning="Hm.\n\nHm.", metadata=FACTS),
    "refusal": ProviderResponse("", refusal="No.", metadata=FACTS),
    "empty": ProviderResponse("", metadata={**FACTS, "status": "ok"}),
    "call": ProviderResponse("", tool_calls=[ToolCall("1", "f", {"x": 1})], metadata=FACTS),
    "long call": ProviderResponse(
        "Look:", tool_calls=[ToolCall("1", "f", {"x": "y " * 900})], metadata=FACTS
    ),
    "error": ProviderResponse("Half", error=ServerError("'m' is down."), metadata=FACTS),
}
OUTPUTS = {name: answer_html(answer) for name, answer in ANSWERS.items()}
OUTPUTS["error alone"] = error_html("Unknown provider 'grok'. Did you mean 'groq'?")


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_looks_as_with_all_rules(lab: Lab, name: str) -> None:
    """Pixel by pixel, folded parts opened, alone on its page."""
    html = OUTPUTS[name].replace("<details", "<details open")
    whole = re.sub(r"<style>.*?</style>", lambda _: f"<style>{CSS}</style>", html)
    page = lab.browser.new_page()
    try:
        page.set_viewport_size({"width": 700, "height": 500})
        pictures = []
        for shown in (html, whole, OUTPUTS["plain"]):
            page.set_content(f"<body style='font:14px sans-serif'>{shown}</body>")
            pictures.append(page.screenshot())
    finally:
        page.close()

    assert len(html) < len(whole)
    assert pictures[0] == pictures[1]
    assert (pictures[0] == pictures[2]) == (name == "plain")
