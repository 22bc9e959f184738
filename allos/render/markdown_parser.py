"""The Markdown parser with our render rules: which classes and addresses come out is decided here."""

from __future__ import annotations

import html
from collections.abc import MutableMapping, Sequence
from functools import cache
from time import thread_time
from typing import TYPE_CHECKING, Any

from allos.render.direction import is_right_to_left, may_be_right_to_left
from allos.render.highlight import code_html, load
from allos.render.limits import MAX_BLOCK_LEVELS, MAX_INLINE_LEVELS, LimitExceededError
from allos.render.links import claimed_host, host_of, is_safe_link
from allos.render.maths import add_maths

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

MAX_HIGHLIGHT_S = 0.25
"""CPU seconds that syntax highlighting of one answer may take; later code stays plain."""
LONG_CELL_CHARS = 24
"""A longer cell of a table may wrap; a shorter one stays on its line, so that no cell becomes a tower."""


@cache
def parser(*, maths: bool) -> MarkdownIt:
    """Parser of a model's Markdown: no raw HTML, checked links, our own render rules.

    Parameters
    ----------
    maths : bool
        Whether it finds formulas; costs the import of their packages.
    """
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_BLOCK_LEVELS})
    # Called for every URL, after decoding; an attribute of the instance overrides the method.
    made.validateLink = is_safe_link  # type: ignore[method-assign]
    made.enable(["table", "strikethrough"])
    if maths:
        add_maths(made)
    made.core.ruler.push("allos", _prepare)
    for name, rule in (
        ("fence", _fence),
        ("code_block", _fence),
        ("image", _image),
        ("link_close", _link_close),
        ("table_open", _table_open),
        ("table_close", _table_close),
    ):
        made.add_render_rule(name, rule)
    return made


def _prepare(state: StateCore) -> None:
    """Set what the render rules need to know, and refuse what is nested too deep."""
    if may_be_right_to_left(state.src):
        _set_direction(state.tokens)
    for at, token in enumerate(state.tokens):
        # The parser silently drops what is nested deeper than its own limit.
        if token.level >= MAX_BLOCK_LEVELS - 1:
            raise LimitExceededError("nested too deep")
        if token.type == "heading_open":
            token.attrSet("class", "jp-toc-ignore")
        elif token.type in ("th_open", "td_open"):
            names = _cell_classes(str(token.attrs.pop("style", "")), state.tokens[at + 1])
            if names:
                token.attrSet("class", names)
        if token.children:
            _prepare_inline(token.children)


def _set_direction(tokens: list[Token]) -> None:
    """Let each block run in the direction of its first letter; what is nested follows it."""
    at = 0
    while at < len(tokens):
        end = at + 1
        while end < len(tokens) and tokens[end].level > 0:
            end += 1
        words = (token.content for token in tokens[at:end] if token.type == "inline")
        if tokens[at].nesting == 1 and is_right_to_left(" ".join(words)):
            tokens[at].attrSet("dir", "rtl")
            for token in tokens[at:end]:
                if token.type in ("th_open", "td_open") and not token.attrs.get("style"):
                    token.attrSet("style", "text-align:right")
        at = end


def _cell_classes(align: str, content: Token) -> str:
    names = []
    # A formula cannot wrap, and its source is longer than what is seen.
    words = [part.content for part in content.children or () if part.type != "math_inline"]
    if sum(map(len, words)) > LONG_CELL_CHARS:
        names.append("allos-long")
    if "right" in align:
        names.append("allos-right")
    elif "center" in align:
        names.append("allos-mid")
    return " ".join(names)


def _prepare_inline(tokens: list[Token]) -> None:
    depth = 0
    link: Token | None = None
    words: list[str] = []
    for token in tokens:
        depth += token.nesting
        if depth > MAX_INLINE_LEVELS:
            raise LimitExceededError("nested too deep")
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
    language = words[0] if words else ""
    load(language)
    spent_s, began_s = env.get("highlight_s", 0.0), thread_time()
    code = code_html(
        tokens[at].content.removesuffix("\n"), language, limit_s=MAX_HIGHLIGHT_S - spent_s
    )
    env["highlight_s"] = spent_s + thread_time() - began_s
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
    direction = ' dir="rtl"' if tokens[at].attrs.get("dir") else ""
    return f'<div class="allos-wide"><table{direction}>\n'


def _table_close(self: Any, tokens: Tokens, at: int, options: Any, env: Env) -> str:
    return "</table></div>\n"
