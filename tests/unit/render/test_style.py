"""The style sheet."""

from __future__ import annotations

import re

import pytest

from allos.errors import IncompleteStreamError
from allos.messages import ToolCall
from allos.render.answer import answer_html
from allos.render.board_style import BOARD_CSS
from allos.render.highlight import TOKEN_CLASSES
from allos.render.style import CSS, LIVE_STYLE, STYLE, sheet_of
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE

_EVERYTHING = """
# Title

Some `code`, a [link](https://example.com), ![chart](https://example.com/a.png)

- one
- two

> a quote

| a | b |
|--:|:-:|
| 1 | 2 |

---

```python
x = 1
```
"""


def test_every_rule_is_scoped_to_our_classes() -> None:
    """No rule reaches beyond our own output."""
    selectors, depth = [], 0
    rules, _, frames = CSS.partition("@keyframes allos-")
    for text, brace in re.findall(r"([^{};]*)([{}])", rules):
        if brace == "{":
            selectors.extend((depth, part.strip()) for part in re.split(r",(?![^()]*\))", text))
        depth += 1 if brace == "{" else -1

    assert depth == 0
    assert {name for level, name in selectors if level == 0} == {
        ".allos-out.allos-out.allos-out",
        ".allos-md.allos-md.allos-md",
    }
    assert all(name[:2] in {"& ", "&>"} for level, name in selectors if level == 1)
    assert {level for level, _ in selectors} == {0, 1}
    assert re.fullmatch(r"edge\{([0-9%,]+\{mask:[^{}]+\})+\}", frames)


def test_it_loads_nothing_and_is_small() -> None:
    """No address and no import; it stands in every answer of a notebook."""
    assert not re.search(r"url\(|@import|https?:|expression|<", CSS)
    assert len(STYLE) < 6_000
    assert len(LIVE_STYLE) < 600


def test_every_token_class_has_a_colour() -> None:
    """What `highlight` writes, the sheet knows."""
    assert all(f".{name}{{color:" in CSS for name in TOKEN_CLASSES)


def _rules(sheet: str) -> list[tuple[str, str]]:
    """Selectors of a sheet one by one, each with the block that it stands in."""
    found = []
    block = ""
    for text, brace in re.findall(r"([^{};]*)([{}])", sheet):
        if brace == "{" and not text.startswith("&"):
            block = text
        elif brace == "{":
            found.extend((block, part.strip()) for part in re.split(r",(?![^()]*\))", text))
    return found


@pytest.mark.parametrize(
    "text", [_EVERYTHING, "Hi.", *(pytest.param(text[:3_000], id=name) for name, text in HOSTILE)]
)
@pytest.mark.parametrize("full", [True, False])
def test_an_answer_brings_each_rule_that_it_needs(text: str, full: bool) -> None:
    """A rule may be missing only when no element has its class or its tag."""
    facts = {"provider": "groq", "model": "m", "latency_s": 1.0}
    response = ProviderResponse(text, metadata=facts)
    if full:
        response = ProviderResponse(
            text,
            reasoning=text,
            refusal=text,
            tool_calls=[ToolCall("1", "f", {"a": text}), ToolCall("2", "f", {}, text, text)],
            error=IncompleteStreamError(text),
            metadata=facts,
        )
    html = answer_html(response)
    style, _, body = html.partition("</style>")
    ends = r'(?=<details|<div class="allos-(?:tool|err|refusal)|<small|$)'
    markdown = "".join(re.findall(rf'<div class="allos-md.*?{ends}', body, re.DOTALL))
    classes = {name for names in re.findall(r'class="([^"]*)"', body) for name in names.split()}
    tags = {
        block: set(re.findall(r"<([a-z0-9]+)", markdown if "allos-md" in block else body))
        for block, _ in _rules(CSS)
    }

    brought = _rules(style.partition("<style>")[2])
    left = [rule for rule in _rules(CSS) if rule not in brought]
    needed = []
    for block, selector in left:
        names = {f"allos-{name}" for name in re.findall(r"\.allos-([\w-]+)", block + selector)}
        elements = set(re.findall(r"(?<![\w.:-])[a-z][a-z0-9]*(?![\w-])", selector)) - {"style"}
        if names <= classes and elements <= tags[block]:
            needed.append(selector)
    assert needed == []
    assert sheet_of(html) == style.partition("<style>")[2]


def test_a_short_answer_brings_little() -> None:
    """Most answers are prose: a third of the sheet is enough."""
    html = answer_html(ProviderResponse("Hello there.", metadata={"model": "m"}))
    assert len(html) < 2_000
    assert "allos-think" not in html


def test_rules_for_right_to_left_come_with_it() -> None:
    """An answer without Hebrew or Arabic does not carry them; the board, whose answers come later, does."""
    assert "[dir]" in sheet_of('<div class="allos-md"><p dir="rtl">')
    assert "[dir]" not in sheet_of('<div class="allos-md"><p>') + CSS
    assert "[dir]" in BOARD_CSS
