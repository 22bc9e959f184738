"""What becomes of an answer outside of Jupyter: pages that strip styles, exported files."""

from __future__ import annotations

import re

import nh3
import pytest
from markdown_it import MarkdownIt

from allos.messages import ToolCall
from allos.render.answer import answer_html
from allos.render.live_answer import LiveAnswer
from allos.render.plain import unbroken
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, MARK
from tests.unit.render.test_tool_calls import WEATHER

ANSWER = ProviderResponse(
    """Rows were **not streamed**. It costs $5 or $6. See [docs](https://example.org).

# Next

```python
df = df.dropna()

# and ![x](https://evil.invalid/a.png)
```

| a | b |
|---|--:|
| 1 | 2 |
""",
    reasoning="First.\n\nThen *that*.",
    tool_calls=[ToolCall("1", "weather", {"city": "Köln"})],
    metadata={"provider": "groq", "model": "llama", "latency_s": 0.92, "input_tokens": 4},
)

# What GitHub's page of a notebook keeps: elements for text, no style, no class, no script
# (https://github.com/gjtorikian/html-pipeline, its sanitization filter).
_GITHUB = {
    *("a", "b", "blockquote", "br", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "li", "ol", "p", "pre", "s", "small", "span", "strong", "summary", "table"),
    *("tbody", "td", "th", "thead", "tr", "ul", "ruby", "rt", "rp"),
}


def stripped(html: str) -> str:
    return nh3.clean(
        html, tags=_GITHUB, attributes={"a": {"href"}}, clean_content_tags={"style", "script"}
    )


def test_without_styles_and_classes_it_reads_well() -> None:
    """The elements alone keep headings, code, table, folded reasoning and a footer of parted facts."""
    html = stripped(answer_html(ANSWER))
    text = re.sub(r"<[^>]+>", "", html)

    assert "color-mix" not in html
    assert "class=" not in html
    assert "<details><summary>Reasoning</summary>" in html
    assert "<strong>not streamed</strong>" in html
    assert re.search(r"<pre><code>df = df\.dropna\(\)", html)
    assert "<h1>Next</h1>" in html
    assert "<th>a</th>" in html
    assert "<b>weather</b> <code>" in html
    assert "$5 or $6" in text
    assert "groq/llama · 0.92 s · 4 in" in text
    assert html.index("<small>") > html.index("</table>")


def test_without_mathml_the_source_of_a_formula_is_read() -> None:
    """Its letters, which are left of the MathML, stand in an element that browsers hide."""
    answer = ProviderResponse("So $x^2$ is.\n\n\\[\n\\frac{a}{b}\n\\]", metadata={"model": "m"})
    html = stripped(answer_html(answer))
    seen = re.sub("<rp>.*?</rp>", "", html)

    assert "<math" not in html
    assert "<p>So <code>$x^2$</code><span></span> is.</p>" in seen
    assert "<code>\\[\n\\frac{a}{b}\n\\]</code>" in seen


def test_a_run_without_styles_reads_well() -> None:
    """Calls and results stand on lines of their own."""
    html = stripped(answer_html(WEATHER))

    assert re.search(r"<div><b>weather</b> <code>[^<]*</code><br><span>→</span> <code>21 °C", html)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_in_exported_markdown_it_stays_what_it_is(text: str) -> None:
    """An exported Markdown file holds our HTML; no part of it becomes Markdown there."""
    text = text[:3_000]
    page = f"# A notebook\n\n{answer_html(ProviderResponse(text, reasoning=text))}\n\nThe end."
    live = LiveAnswer()
    live.add_text(text)
    for html in (page, f"x\n\n{live.html()}\n\nThe end."):
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(html)
        kinds = [token.type for token in tokens if token.type != "html_block"]
        children = [child.type for token in tokens for child in token.children or []]

        assert kinds.count("paragraph_open") == html.count("The end.") + html.startswith("x")
        assert not {"image", "link_open", "html_inline"} & set(children)
        assert sum(token.type == "html_block" for token in tokens) == 1


def test_blank_lines_of_code_stay() -> None:
    """A browser shows the same lines as before."""
    assert unbroken("a\n\n  \n\tb\n") == "a\n&#10;  &#10;\tb\n"
    assert MARK in answer_html(ANSWER)
    assert "df = df.dropna()\n&#10;" in answer_html(ANSWER)
