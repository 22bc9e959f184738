"""A model's Markdown as safe HTML.

Four defences, each enough for most attacks: the input is cleaned and its size checked before anything
is parsed; the parser has raw HTML off and asks `links` about every URL; its render rules write only our
own classes; and an allow-list sanitiser reads the result once more.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from allos.render import mathml
from allos.render.highlight import TOKEN_CLASSES, code_html
from allos.render.limits import LimitExceededError, Size
from allos.render.markdown_parser import MAX_HIGHLIGHT_S, parser
from allos.render.maths import may_hold_maths
from allos.render.plain import clean_text, reveal
from allos.render.recent import Recent

if TYPE_CHECKING:
    import nh3

# JupyterLab typesets maths in any output, and a TeX macro can make a request. Its typesetter skips these
# two classes.
OPEN = '<div class="allos-md mathjax_ignore tex2jax_ignore">'

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "div", "em", "hr", "li", "ol", "p", "pre"}
).union(_HEADINGS, {"s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"})
_TURNED = frozenset({"p", "blockquote", "ol", "table", "ul"}).union(_HEADINGS)
"""Blocks that may run from right to left."""
_CELLS = frozenset({"allos-right", "allos-mid", "allos-long"})
_CLASSES = {
    "div": frozenset({"allos-wide"}),
    "code": frozenset({"allos-tex"}),
    "span": TOKEN_CLASSES | {"allos-where", "allos-math"},
    "td": _CELLS,
    "th": _CELLS,
    # Else a model's headings would join the notebook's table of contents.
    **dict.fromkeys(_HEADINGS, frozenset({"jp-toc-ignore"})),
}


# One line without a character that means anything to Markdown or HTML, as many short answers are:
# parser and sanitiser, which take 50 ms to load, would return it unchanged.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 .,;:?!'\"()-]{0,999}")


_recent = Recent(4_000_000)
"""What was rendered, by its cleaned text: a cache."""


def remember(text: str, body: str) -> None:
    """Let `markdown_html` give this for a text, since it was rendered before. Any thread.

    Parameters
    ----------
    text : str
    body : str
        What `fragment_html` gave for its blocks.
    """
    _recent.put(clean_text(text), body)


def markdown_html(text: str) -> str:
    """Safe HTML of a model's Markdown: CommonMark, tables, strikethrough, highlighted code.

    Nothing in it runs, loads or styles: raw HTML is shown as text, an image becomes its alt text
    and a link to its URL, formulas become MathML, links are http, https and mailto only and open in a
    new tab. Text beyond the limits of `allos.render.limits` is shown whole, as plain text.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        One ``<div>``. Attributes: ``href target rel`` of links, ``start`` of numbered lists (a
        number; models interrupt a list with code and go on counting), ``dir="rtl"`` of a block whose
        first letter is Hebrew or Arabic, sizes in formulas, and our fixed classes.

    Examples
    --------
    >>> html = markdown_html("**Hi** <script>alert(1)</script>")
    >>> "<strong>Hi</strong> &lt;script&gt;" in html
    True
    """
    text = clean_text(text)
    if _PLAIN.fullmatch(text):
        return f"{OPEN}\n<p>{text.rstrip()}</p>\n</div>\n"
    known = _recent.get(text)
    if known is not None:
        return f"{OPEN}\n{known}</div>\n"
    try:
        Size().add(text)
        body = fragment_html(text, {})
    except LimitExceededError as limit:
        return f"{OPEN}{_plain_text(text, str(limit))}</div>\n"
    # A bug in the parser must not lose the answer.
    except Exception:  # noqa: BLE001
        return f"{OPEN}{_plain_text(text, 'it could not be formatted')}</div>\n"
    _recent.put(text, body)
    return f"{OPEN}\n{body}</div>\n"


def fragment_html(text: str, env: dict[str, Any]) -> str:
    """Safe HTML of some blocks, without the element around them.

    Parameters
    ----------
    text : str
        Cleaned text.
    env : dict
        What the blocks of one answer share: definitions of links, and the budgets of slow parts.

    Raises
    ------
    LimitExceededError
        It is nested too deep.
    """
    raw = parser(maths=may_hold_maths(text)).render(text, env)
    return reveal(_cleaner().clean(raw))


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
    shown = code_html(clean_text(code), language, limit_s=MAX_HIGHLIGHT_S)
    return f"{OPEN}<pre><code>{shown}</code></pre></div>"


def _plain_text(text: str, reason: str) -> str:
    body = html.escape(text.strip("\n"), quote=False)
    note = f'<p class="allos-note">Shown as plain text: {reason}.</p>'
    return f'{note}\n<pre class="allos-whole">{body}</pre>\n'


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=set(_TAGS | mathml.TAGS | {"rp"}),
        attributes={
            "a": {"href"},
            "ol": {"start"},
            "span": {"hidden"},
            **{tag: set(names) for tag, names in mathml.ATTRIBUTES.items()},
        },
        allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
        tag_attribute_values={tag: {"dir": {"rtl"}} for tag in _TURNED},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
    )
