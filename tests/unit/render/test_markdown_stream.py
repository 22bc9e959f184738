"""What is rendered while an answer arrives is what stands there at the end."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.render import markdown
from allos.render.limits import MAX_CHARS
from allos.render.markdown import OPEN, fragment_html, markdown_html
from allos.render.markdown_stream import MarkdownStream
from allos.render.plain import clean_text
from allos.render.recent import Recent
from tests.support.hostile import HOSTILE, judge

_LINES = st.sampled_from(
    [
        *(
            "# a",
            "- a",
            "* a",
            "1. a",
            "2. a",
            "10. a",
            "3) a",
            "  - a",
            "-",
            "---",
            "===",
            "- - -",
        ),
        *("```", "```python", "   ```", "  ```", "~~~", "> a", "> - a", "> ```", "", "", "", "   "),
        *("| a | b |", "|---|---|", "| 1 | 2 |", "text", "*more* `x`", "    code", "\tcode", " a"),
        *(
            "$$",
            "$x$",
            r"\[",
            r"\]",
            r"\begin{align}",
            r"\end{align}",
            "x = 1",
            "<b>",
            "**a",
            "b**",
        ),
        *("[l](https://a.b)", "![i](https://a.b/c)", "1986. A year.", "a\\", "a\r", "\x1b[31ma"),
    ]
)
_TEXTS = st.lists(_LINES, max_size=20).map("\n".join)
_SIZES = st.integers(1, 30)

ANSWER = r"""# Title

Some **text** with $x^2$ and [a link](https://example.org).
Second line.

```python
def f():

    return 1
```
After code:

1. One

   more of it
2. Two
   - nested
3. Three

| a | b |
|---|--:|
| 1 | 2 |
| 3 | 4 |

$$
\frac{a}{b}
$$

> quote
lazy

- [x] done

The end.
"""


def streamed(text: str, size: int = 7) -> MarkdownStream:
    """A stream that got the text in pieces."""
    stream = MarkdownStream()
    for at in range(0, len(text), size):
        stream.add(text[at : at + size])
    return stream


def whole(text: str) -> str:
    """HTML of the finished answer, without the element around it."""
    return markdown_html(text).removeprefix(f"{OPEN}\n").removesuffix("</div>\n")


@given(text=_TEXTS, size=_SIZES)
@settings(max_examples=5 * settings.default.max_examples)
def test_blocks_are_those_of_the_finished_answer(text: str, size: int) -> None:
    """However the text is cut, the blocks and the rendered rest are the whole."""
    stream = streamed(text, size)
    lines = "".join(f"{line}\n" for line in stream._splitter.lines)
    rest = lines + clean_text("".join(stream._partial))

    assert ("".join(stream.blocks) + fragment_html(rest, {})).strip() == whole(text).strip()


@given(text=_TEXTS, size=_SIZES, every=st.integers(1, 12))
@settings(max_examples=3 * settings.default.max_examples)
def test_blocks_that_waited_are_the_same(text: str, size: int, every: int) -> None:
    """Rendered a few at a time they give the same answer; until then the page gets text alone."""
    stream = MarkdownStream()
    for number, at in enumerate(range(0, len(text), size)):
        shown = stream.version, stream.blocks[:], stream.open_html
        stream.add(text[at : at + size], render=False)
        assert (stream.version, stream.blocks, stream.open_html) == shown
        if number % every == 0:
            stream.render()
    stream.render()
    rest = "".join(f"{line}\n" for line in stream._splitter.lines)
    rest += clean_text("".join(stream._partial))

    assert not stream.waits
    assert ("".join(stream.blocks) + fragment_html(rest, {})).strip() == whole(text).strip()


def test_text_that_waits_stands_behind_what_is_rendered() -> None:
    """No line is lost or shown twice, also where the beginning of a list was rendered."""
    stream = streamed("- a\n- b\n")
    stream.add("- c\n\nSome *text*.\n\nAnd", render=False)
    before = stream.open_html, stream.tail
    stream.render()

    assert before == ("<ul>\n<li>a</li>\n</ul>\n", "- b\n- c\n\nSome *text*.\n\nAnd")
    assert stream.tail == "And"
    assert "".join(stream.blocks) == whole("- a\n- b\n- c\n\nSome *text*.\n")


def test_a_common_answer_is_rendered_as_it_comes() -> None:
    """Headings, code, lists, tables and formulas; the line that is being written is text."""
    stream, seen = MarkdownStream(), []
    for char in ANSWER:
        version = stream.version
        stream.add(char)
        if stream.version != version:
            seen.append((len(stream.blocks), "<li>" in stream.open_html, "<td" in stream.open_html))

    assert "".join(stream.blocks) == whole(ANSWER).removesuffix("<p>The end.</p>\n")
    assert stream.tail == "The end.\n"
    assert (5, True, False) in seen or (4, True, False) in seen
    assert any(rows for _, _, rows in seen)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_is_inert_at_every_cut(text: str) -> None:
    """What is rendered holds nothing that runs, links or loads; the rest is text."""
    text = text[:600]
    stream, version = MarkdownStream(), -1
    for char in f"{text}\n\nx\n\n- a\n- b\n":
        stream.add(char)
        if stream.version != version:
            version = stream.version
            assert judge("".join(stream.blocks) + stream.open_html)[0] == []


@pytest.mark.parametrize(
    "piece",
    [
        *("word ", "a\n", "a\n\n", "- a\n", "| a | b |\n", "$$a\n", "1. a\n\n"),
        f"- {'> ' * 30}deep\n",
    ],
)
def test_a_piece_costs_what_is_new(piece: str) -> None:
    """Twice the text takes about twice the time; no flush walks over all of it."""
    seconds = []
    for count in (2_000, 8_000):
        stream = MarkdownStream()
        began_s = time.process_time()
        for _ in range(count):
            stream.add(piece)
        seconds.append(time.process_time() - began_s)

    assert seconds[1] < 8 * seconds[0] + 0.2


def test_a_definition_holds_for_what_follows_it() -> None:
    """A link may get its address from an earlier block."""
    stream = streamed("[a]: https://example.org\n\nSee [a].\n\nx")

    assert 'href="https://example.org"' in "".join(stream.blocks)


def test_a_finished_answer_is_not_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put together from its blocks, unless a link got its address from further down."""
    later = "See [a].\n\nSo.\n\n[a]: https://example.org"
    expected = whole(ANSWER), whole(later)
    monkeypatch.setattr(markdown, "_recent", Recent(MAX_CHARS))
    for text in (ANSWER, later):
        streamed(text).finish(text)
    again = whole(later)
    monkeypatch.setattr(markdown, "fragment_html", None)

    assert (whole(ANSWER), again) == expected


def test_a_list_that_grows_beyond_a_limit_is_text_once() -> None:
    """Its beginning, which was rendered while it was short enough, does not stand there twice."""
    stream = streamed("- a\n- b\n")
    stream.add(f"- {'> ' * 30}deep\n- c\n\nEnd\n\n")

    assert (stream.open_html, stream.blocks) == ("", [])
    assert stream.tail.startswith("- a\n- b\n- > >")


def test_beyond_a_limit_the_rest_is_text() -> None:
    """What was rendered stays, and no word is lost."""
    deep, long = "> " * 30 + "deep", "x" * MAX_CHARS
    stream = streamed(f"a\n\n{deep}\n\nb\n\n")
    too_long = streamed(f"a\n\n{long}\n\nb\n\n", 1_000)

    assert stream.blocks == ["<p>a</p>\n"]
    assert stream.tail == f"{deep}\n\nb\n\n"
    assert too_long.tail == f"{long}\n\nb\n\n"
