"""A model's Markdown as safe HTML.

Four defences, each enough for most attacks: the input is cleaned and its size checked before anything
is parsed; the parser has raw HTML off and asks `links` about every URL; the render rules below write
only our own classes; and an allow-list sanitiser reads the result once more.
"""

from __future__ import annotations

import html
import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from allos.render.highlight import TOKEN_CLASSES, code_html
from allos.render.links import claimed_host, host_of, is_safe_link
from allos.render.plain import clean_text, reveal

if TYPE_CHECKING:
    import nh3
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_CHARS = 100_000
"""About 15,000 words; the longest answer that is formatted."""
MAX_BRACKETS = 5_000
MAX_LINKS = 1_000
MAX_TABLE_CELLS = 10_000
MAX_BLOCK_LEVELS = 20
MAX_INLINE_LEVELS = 60
MAX_FORMULA_CHARS = 2_000
MAX_HIGHLIGHT_S = 0.25
"""Seconds that syntax highlighting of one answer may take; later code stays plain."""

# JupyterLab typesets maths in any output; a TeX macro can make a request, and "$5 and $6" is not
# a formula. Its typesetter skips these two classes.
_OPEN = '<div class="allos-md mathjax_ignore tex2jax_ignore">'

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "div", "em", "hr", "li", "ol", "p", "pre"}
).union(_HEADINGS, {"s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"})
_ALIGNED = frozenset({"allos-right", "allos-mid"})
_CLASSES = {
    "div": frozenset({"allos-wide"}),
    "span": TOKEN_CLASSES | {"allos-where"},
    "td": _ALIGNED,
    "th": _ALIGNED,
    # Else a model's headings would join the notebook's table of contents.
    **dict.fromkeys(_HEADINGS, frozenset({"jp-toc-ignore"})),
}


# One line without a character that means anything to Markdown or HTML, as many short answers are:
# parser and sanitiser, which take 50 ms to load, would return it unchanged.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 .,;:?!'\"()-]{0,999}")


class _LimitExceededError(Exception):
    """The text is beyond a limit; the message says which."""


def markdown_html(text: str) -> str:
    """Safe HTML of a model's Markdown: CommonMark, tables, strikethrough, highlighted code.

    Nothing in it runs, loads or styles: raw HTML is shown as text, an image becomes its alt text
    and a link to its URL, maths stays as typed, links are http, https and mailto only and open in a
    new tab. Text beyond the limits of this module is shown whole, as plain text.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        One ``<div>``. Attributes: ``href target rel`` of links, ``start`` of numbered lists (a
        number; models interrupt a list with code and go on counting) and our fixed classes.

    Examples
    --------
    >>> html = markdown_html("**Hi** <script>alert(1)</script>")
    >>> "<strong>Hi</strong> &lt;script&gt;" in html
    True
    """
    text = clean_text(text)
    if _PLAIN.fullmatch(text):
        return f"{_OPEN}\n<p>{text.rstrip()}</p>\n</div>\n"
    try:
        _check_limits(text)
        raw = _parser().render(text)
    except _LimitExceededError as limit:
        return f"{_OPEN}{_plain_text(text, str(limit))}</div>\n"
    # A bug in the parser must not lose the answer.
    except Exception:  # noqa: BLE001
        return f"{_OPEN}{_plain_text(text, 'it could not be formatted')}</div>\n"
    return f"{_OPEN}\n{reveal(_cleaner().clean(raw))}</div>\n"


def code_block(code: str, language: str) -> str:
    """Safe HTML of a code block, highlighted as in an answer.

    Parameters
    ----------
    code : str
        Untrusted text.
    language : str
        See `allos.render.highlight.LANGUAGES`.

    Examples
    --------
    >>> "<pre><code>a &lt; b</code></pre>" in code_block("a < b", "text")
    True
    """
    shown = code_html(clean_text(code), language, until=perf_counter() + MAX_HIGHLIGHT_S)
    return f"{_OPEN}<pre><code>{shown}</code></pre></div>"


def _plain_text(text: str, reason: str) -> str:
    body = html.escape(text.strip("\n"), quote=False)
    note = f'<p class="allos-note">Shown as plain text: {reason}.</p>'
    return f'{note}\n<pre class="allos-whole">{body}</pre>\n'


def _check_limits(text: str) -> None:
    """Refuse text that would take long to parse, before any parsing."""
    if len(text) > MAX_CHARS:
        raise _LimitExceededError(f"longer than {MAX_CHARS:,} characters")
    if text.count("[") > MAX_BRACKETS:
        raise _LimitExceededError(f"more than {MAX_BRACKETS:,} brackets")
    if max(text.count("](") + text.count("]["), text.count("://")) > MAX_LINKS:
        raise _LimitExceededError(f"more than {MAX_LINKS:,} links")
    if "|" in text and _table_cells(text) > MAX_TABLE_CELLS:
        raise _LimitExceededError(f"tables of more than {MAX_TABLE_CELLS:,} cells")


def _table_cells(text: str) -> int:
    """Upper bound of the cells of all tables: the parser pads short rows to full width."""
    cells = columns = 0
    for line in text.split("\n"):
        if "-" in line and "|" in line and not line.strip(" \t|:->"):
            columns = line.count("|") + 1
        elif not line.strip(" \t>"):
            columns = 0
        cells += columns
    return cells


# --- the parser and its render rules -------------------------------------------------------------


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_BLOCK_LEVELS})
    # Called for every URL, after decoding; an attribute of the instance overrides the method.
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "allos_maths", _maths)
    parser.core.ruler.push("allos", _prepare)
    for name, rule in (
        ("fence", _fence),
        ("code_block", _fence),
        ("image", _image),
        ("link_close", _link_close),
        ("table_open", _table_open),
        ("table_close", _table_close),
    ):
        parser.add_render_rule(name, rule)
    return parser


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=set(_TAGS),
        attributes={"a": {"href"}, "ol": {"start"}},
        allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
    )


_MATHS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}

# One dollar opens a formula when no space follows, and closes it when no space precedes and no digit
# follows: "$5 or $6" is not a formula (Pandoc's rule, https://pandoc.org/MANUAL.html#math).
_DOLLARS = re.compile(r"\$(?=[^\s$])[^$\n`]{0,300}?(?<=[^\s\\])\$(?!\d)")


def _maths(state: StateInline, silent: bool) -> bool:
    """Keep a formula as typed: Markdown would interpret its backslashes and underscores."""
    start = state.pos
    closing = _MATHS.get(state.src[start : start + 2])
    if closing is None:
        match = _DOLLARS.match(state.src, start, state.posMax)
        if match is None:
            return False
        state.pos = match.end()
    else:
        limit = min(start + 2 + MAX_FORMULA_CHARS, state.posMax)
        end = state.src.find(closing, start + 2, limit)
        if end < 0:
            return False
        state.pos = end + 2
    if not silent:
        state.push("text", "", 0).content = state.src[start : state.pos]
    return True


def _prepare(state: StateCore) -> None:
    """Set what the render rules need to know, and refuse what is nested too deep."""
    for token in state.tokens:
        # The parser silently drops what is nested deeper than its own limit.
        if token.level >= MAX_BLOCK_LEVELS - 1:
            raise _LimitExceededError("nested too deep")
        if token.type == "heading_open":
            token.attrSet("class", "jp-toc-ignore")
        elif token.type in ("th_open", "td_open"):
            align = str(token.attrs.pop("style", ""))
            if "right" in align:
                token.attrSet("class", "allos-right")
            elif "center" in align:
                token.attrSet("class", "allos-mid")
        if token.children:
            _prepare_inline(token.children)


def _prepare_inline(tokens: list[Token]) -> None:
    depth = 0
    link: Token | None = None
    words: list[str] = []
    for token in tokens:
        depth += token.nesting
        if depth > MAX_INLINE_LEVELS:
            raise _LimitExceededError("nested too deep")
        if token.type == "link_open":
            link, words = token, []
        elif token.type == "link_close" and link is not None:
            token.meta["other_host"] = _other_host("".join(words), str(link.attrs["href"]))
            link = None
        elif token.type == "image":
            token.meta["in_link"] = link is not None
        if link is not None and token.type in ("text", "code_inline"):
            words.append(token.content)
        token.attrs.pop("title", None)


def _other_host(text: str, url: str) -> str:
    """Host of a link whose text names a different one; empty when they agree."""
    claimed, actual = claimed_host(text), host_of(url)
    if not claimed or f".{actual}".endswith(f".{claimed}") or f".{claimed}".endswith(f".{actual}"):
        return ""
    return actual


Tokens = Sequence["Token"]
Env = MutableMapping[str, Any]


def _fence(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    words = tokens[at].info.split(maxsplit=1)
    until = env.setdefault("highlight_until", perf_counter() + MAX_HIGHLIGHT_S)
    code = code_html(tokens[at].content.removesuffix("\n"), words[0] if words else "", until=until)
    return f"<pre><code>{code}</code></pre>\n"


def _image(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    alt = html.escape(self.renderInlineAsText(tokens[at].children, options, env))
    url = html.escape(str(tokens[at].attrs["src"]))
    # A link cannot contain a link.
    shown = url if tokens[at].meta.get("in_link") else f'<a href="{url}">{url}</a>'
    return f'{alt} <span class="allos-where">[image: {shown}]</span>'.lstrip()


def _link_close(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    host = tokens[at].meta.get("other_host")
    note = f' <span class="allos-where">({html.escape(host)})</span>' if host else ""
    return f"</a>{note}"


def _table_open(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    return '<div class="allos-wide"><table>\n'


def _table_close(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    return "</table></div>\n"
