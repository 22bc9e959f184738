r"""Formulas in Markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and the environments of amsmath.

The plugins of markdown-it find them. Here is what they leave open: a bound on how far a search may go,
which dollars are prices, and what a formula becomes. `mathml` converts it; its source stands beside it
for pages that drop MathML, and alone where it cannot be converted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from time import thread_time
from typing import TYPE_CHECKING, Any

from allos.render.limits import MAX_FORMULAS, LimitExceededError
from allos.render.mathml import MAX_FORMULA_CHARS, mathml

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_FORMULA_CHARS_IN_ALL = 20_000
MAX_CONVERSION_S = 0.5
"""What of one answer is converted, at most, and in how much CPU time; later formulas show their source."""
_MAX_DOLLAR_CHARS = 300

_OPENING = re.compile(r"\$|\\[(\[]|\\begin\s*\{")
# A formula never reaches over the end of a paragraph, nor over code.
_OUTSIDE = re.compile(r"\n[ \t]*\n|`|~~~")
_NAME = re.compile(r"\{([A-Za-z]+\*?)\}")
_WORD = re.compile(r"[A-Za-z]{3}| (?:or|to|vs) ")
_CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}

InlineRule = Callable[["StateInline", bool], bool]
BlockRule = Callable[["StateBlock", int, int, bool], bool]


def may_hold_maths(text: str) -> bool:
    """Whether a text needs the rules of `add_maths`, whose packages take a while to load."""
    return _OPENING.search(text) is not None


def add_maths(parser: MarkdownIt) -> None:
    """Add the rules for formulas to a parser."""
    import latex2mathml.converter  # noqa: F401 - here, since loading it is no part of a conversion
    from mdit_py_plugins.amsmath import amsmath_block
    from mdit_py_plugins.dollarmath.index import math_block_dollar, math_inline_dollar
    from mdit_py_plugins.texmath.index import make_block_func, make_inline_func, rules

    brackets = rules["brackets"]
    in_line: Any = {
        **brackets["inline"][0],
        "name": "math_inline_double",
        "rex": re.compile(r"\\\[(.+?)\\\]", re.DOTALL),
        "tag": r"\[",
    }
    dollars = {"allow_space": False, "allow_digits": False}
    for name, opening, rule in (
        ("math_dollar", "$", math_inline_dollar(**dollars)),
        ("math_double_dollar", "$$", math_inline_dollar(**dollars | {"allow_double": True})),
        ("math_round", r"\(", make_inline_func(brackets["inline"][0])),
        ("math_square", r"\[", make_inline_func(in_line)),
    ):
        parser.inline.ruler.before("escape", name, _inline(rule, opening))
    dollar_block = math_block_dollar(allow_labels=False, allow_blank_lines=False)
    for name, opening, block in (
        ("math_dollar_block", "$$", dollar_block),
        ("math_square_block", r"\[", make_block_func(brackets["block"][1])),
        ("math_environment", r"\begin", amsmath_block),
    ):
        alternatives: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
        parser.block.ruler.before("fence", name, _block(block, opening), alternatives)
    for name in ("math_inline", "math_inline_double", "math_block", "amsmath"):
        parser.add_render_rule(name, _formula)


def _inline(rule: InlineRule, opening: str) -> InlineRule:
    """Let a rule look only where a formula can be, and refuse what is none."""
    closing, length = _CLOSING[opening], len(opening)

    def bounded(state: StateInline, silent: bool) -> bool:
        start, src = state.pos, state.src
        if not src.startswith(opening, start):
            return False
        if src.find(closing, start + length, start + length + MAX_FORMULA_CHARS) < 0:
            return False
        if not rule(state, True):
            return False
        end, state.pos = state.pos, start
        text = src[start + length : end - length]
        around = src[start - 1 : start], src[end : end + 1]
        is_formula = end <= state.posMax and _is_formula(text, opening, *around)
        return is_formula and (rule(state, False) if not silent else _advance(state, end))

    return bounded


def _advance(state: StateInline, end: int) -> bool:
    state.pos = end
    return True


def _is_formula(text: str, opening: str, before: str, following: str) -> bool:
    if len(text) > MAX_FORMULA_CHARS or not text.strip() or _OUTSIDE.search(text):
        return False
    if opening != "$":
        return True
    # "$HOME/$USER", "from $5 for tea, up to 9$" and "A$6, 5$": a formula has few words without a backslash.
    is_price = text[0].isdigit() and "\\" not in text and (before.isalpha() or _WORD.search(text))
    return not (following.isalnum() or is_price or "\n" in text or len(text) > _MAX_DOLLAR_CHARS)


def _block(rule: BlockRule, opening: str) -> BlockRule:
    """Let a rule look only where a formula can be, and refuse what is none."""

    def bounded(state: StateBlock, line: int, end_line: int, silent: bool) -> bool:
        start = state.bMarks[line] + state.tShift[line]
        if not state.src.startswith(opening, start) or state.is_code_block(line):
            return False
        # The rules look for it up to the end of the text, from every line that opens a formula.
        end = _end_of_block(state.src, start, opening)
        if end < 0 or (opening == r"\[" and not _is_alone(state, line, end)):
            return False
        count, before = len(state.tokens), state.line
        if not rule(state, line, end_line, False):
            return False
        content = state.tokens[-1].content
        is_formula = (
            len(content) <= MAX_FORMULA_CHARS
            and not _OUTSIDE.search(content)
            and not (opening == "$$" and "$$" in content)  # two formulas in one line
        )
        if silent or not is_formula:
            del state.tokens[count:]
            state.line = before
        return is_formula

    return bounded


def _end_of_block(src: str, start: int, opening: str) -> int:
    """Where a block that begins here ends, at the end of a line; -1 when that is too far away."""
    at = start + len(opening)
    limit = at + MAX_FORMULA_CHARS
    if opening == r"\[":  # its rule takes the first
        end = src.find(r"\]", at, limit) + 2
        return end if end > at and _ends_line(src, end) else -1
    name = _NAME.match(src, at)
    closing = "$$" if opening == "$$" else rf"\end{{{name[1] if name else ''}}}"
    found = _line_that_ends_with(closing).search(src, at, limit)
    if found:
        return found.end()
    return len(src) if len(src) <= limit and src.endswith(closing, at) else -1


@lru_cache(maxsize=64)
def _line_that_ends_with(closing: str) -> re.Pattern[str]:
    return re.compile(re.escape(closing) + r"[ \t]{0,80}\n")


def _ends_line(src: str, at: int) -> bool:
    return not src[at : at + 80].partition("\n")[0].strip(" \t")


def _is_alone(state: StateBlock, line: int, end: int) -> bool:
    """Whether nothing but the formula is up to its end, as the marks of a quote would be."""
    return state.level == 0 or end <= state.eMarks[line]


def _formula(
    self: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    token = tokens[at]
    is_display = token.type != "math_inline"
    tex = token.content.strip()
    source = html.escape(
        f"{token.markup}{token.content}{_CLOSING.get(token.markup, '')}", quote=False
    )
    converted = _converted(tex, env, display=is_display)
    if not converted:
        return (
            f"<pre><code>{source.strip()}</code></pre>\n"
            if token.block
            else f"<code>{source}</code>"
        )
    # Browsers hide both elements; the style sheet shows them, and hides the source. Pages that drop
    # styles and MathML keep one of the two: JupyterLab the attribute (with a value), GitHub the <rp>.
    both = (
        f'<code class="allos-tex">{source.strip()}</code>'
        f'<span class="allos-math" hidden="hidden"><rp>{converted}</rp></span>'
    )
    return f'<div class="allos-wide">{both}</div>\n' if token.block else both


def _converted(tex: str, env: MutableMapping[str, Any], *, display: bool) -> str:
    """MathML while the answer's budget lasts."""
    count, chars, spent_s = env.get("formulas", (0, 0, 0.0))
    if count >= MAX_FORMULAS:
        raise LimitExceededError(f"more than {MAX_FORMULAS:,} formulas")
    if chars + len(tex) > MAX_FORMULA_CHARS_IN_ALL or spent_s > MAX_CONVERSION_S:
        env["formulas"] = count + 1, chars, spent_s
        return ""
    began_s = thread_time()
    converted = mathml(tex, display=display)
    env["formulas"] = count + 1, chars + len(tex), spent_s + thread_time() - began_s
    return converted
