"""LaTeX formulas as MathML: a library converts, an allow-list decides what of it is written.

The converter's own text output is not used: it decodes entities, so that a formula could write markup.
Its tree is written out here, with every text escaped.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_FORMULA_CHARS = 2_000
MAX_LEVELS = 40
"""Deepest nesting of elements, and of braces before anything is converted."""

TAGS = frozenset(
    {"math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot"}
).union(
    {"mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext"},
    {"mtr", "munder", "munderover"},
)
"""Elements of MathML Core; none of them links, loads or runs."""

_LENGTH = r"-?0?\.\d{1,4}em|\d{1,2}(?:\.\d{1,4})?(?:em|ex|pt|px)?"
_BOOLEAN = "true|false"
_VALUES: dict[str, dict[str, str]] = {
    "math": {"display": "block|inline"},
    "mfrac": {"linethickness": "0"},
    "mi": {"mathvariant": "normal"},
    "mo": {
        **dict.fromkeys(("stretchy", "fence", "largeop", "movablelimits", "accent"), _BOOLEAN),
        "form": "prefix|infix|postfix",
        "minsize": _LENGTH,
        "maxsize": _LENGTH,
    },
    "mover": {"accent": _BOOLEAN},
    "mpadded": {"width": "0"},
    "mspace": {"width": _LENGTH},
    "mstyle": {"displaystyle": _BOOLEAN, "scriptlevel": "[0-3]"},
    "mtable": {"displaystyle": _BOOLEAN},
    # Not in MathML Core, where columns are centred: our style sheet reads it.
    "mtd": {"columnalign": "left|right|center"},
    "munder": {"accent": _BOOLEAN},
}
ATTRIBUTES = {tag: frozenset(values) for tag, values in _VALUES.items()}
"""Attributes by element: sizes and booleans, see `_VALUES`."""
_ALLOWED = {
    (tag, name): re.compile(value)
    for tag, values in _VALUES.items()
    for name, value in values.items()
}

# Commands that define others (a few of them can grow to gigabytes), and those of web typesetters that
# link, load or style: whoever reads such a formula should see all of it.
_REFUSED = re.compile(
    r"\\(?:[gex]?def|let|futurelet|(?:re|provide)?newcommand|(?:re)?newenvironment|csname|catcode"
    r"|DeclareMathOperator|require|usepackage|href|url|class|cssId|data|style|html[A-Za-z]*"
    r"|includegraphics|input|include|unicode|write|verb|lowercase|uppercase|loop)(?![A-Za-z])"
)
_COMMENT = re.compile(r"(?<!\\)%")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+\*?)\}")
# The converter knows the value, and the key means the same or nearly.
_SAME = {
    **dict.fromkeys(("align", "aligned", "flalign", "flalign*", "eqnarray", "eqnarray*"), "align*"),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), "matrix"),
    **dict.fromkeys(("equation*", "displaymath", "math"), "equation"),
    "dcases": "cases",
}
# Of any other one the converter shows the content as if it stood there alone.
_ENVIRONMENTS = {"array", "cases", "smallmatrix", "split", "align*", "equation"}.union(
    f"{bracket}matrix{star}" for bracket in ("", *"pbBvV") for star in ("", "*")
)
_COUNTED = re.compile(r"\\begin\s*\{alignat\*?\}\s*\{\d+\}|\\end\s*\{alignat\*?\}")
_INVISIBLE = re.compile(r"\\(?:nonumber|notag)(?![A-Za-z])|\\label\s*\{[^{}]*\}")
# Words whose index stands below them where there is room, which the converter writes beside them.
_LIMITS = {"lim", "max", "min", "sup", "inf"}
_BELOW = {"msub": "munder", "msubsup": "munderover"}
_SPELLED = {"not=": r"\neq ", "not\\in": r"\notin ", "arg": r"\operatorname{arg}"}
_UNKNOWN = re.compile(r"\\(not)\s*(=|\\in(?![A-Za-z]))|\\(arg)(?![A-Za-z])")
_SPACED_NAME = re.compile(r"(\\operatorname\*?\s*\{[A-Za-z]+)(?:\\[,;:! ]|~|\s)+([A-Za-z]+\})")
_ENTITY = re.compile(r"&#x[0-9A-Fa-f]{1,6};")


_CHILDREN = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
# First and last letter, and where their bold and bold italic forms begin.
_BOLD = (
    ("A", "Z", 0x1D400, 0x1D468),
    ("a", "z", 0x1D41A, 0x1D482),
    ("0", "9", 0x1D7CE, 0x1D7CE),
    ("Α", "Ω", 0x1D6A8, 0x1D71C),
    ("α", "ω", 0x1D6C2, 0x1D736),
)


class _UnconvertibleError(Exception):
    """The formula holds what has no place in the output."""


_CACHED_CHARS = 120
_CACHED = 512


def mathml(tex: str, *, display: bool = False) -> str:
    r"""MathML of a formula; empty when it cannot be converted.

    Parameters
    ----------
    tex : str
        Untrusted text without its delimiters.
    display : bool
        Whether it stands on a line of its own.

    Examples
    --------
    >>> mathml("x^2")
    '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> mathml(r"\href{https://example.org}{x}")
    ''
    """
    # Symbols come again and again in an answer, and in the answers beside it.
    return _short(tex, display) if len(tex) <= _CACHED_CHARS else _mathml(tex, display)


def _mathml(tex: str, display: bool) -> str:
    if len(tex) > MAX_FORMULA_CHARS or _REFUSED.search(tex) or _brace_levels(tex) > MAX_LEVELS:
        return ""
    tex = _COMMENT.sub(r"\\%", tex)  # it would hide what follows
    tex = _INVISIBLE.sub("", tex)
    tex = _COUNTED.sub(lambda match: rf"{match[0][: match[0].index('{')]}{{align*}}", tex)
    tex = _SPACED_NAME.sub(r"\1\2", tex)
    tex = _UNKNOWN.sub(lambda match: _SPELLED["".join(filter(None, match.groups()))], tex)
    try:
        tex = _ENVIRONMENT.sub(_known_environment, tex)
        return _convert(tex, display=display)
    except _UnconvertibleError:
        return ""
    # The converter raises its own errors, StopIteration, IndexError and what else a half formula brings.
    except Exception:  # noqa: BLE001
        return ""


_short = lru_cache(_CACHED)(_mathml)


def _convert(tex: str, *, display: bool) -> str:
    from latex2mathml.converter import Converter

    # A converter of its own for each formula: it keeps definitions.
    tree = Converter(display="block" if display else "inline").convert_to_element(tex)
    elements = list(tree.iter())
    if any(each.tag == "mspace" and "linebreak" in each.attrib for each in elements):
        # Line breaks outside of an environment, which MathML Core does not know.
        tex = rf"\begin{{matrix}}{tex}\end{{matrix}}"
        tree = Converter(display="block" if display else "inline").convert_to_element(tex)
        elements = list(tree.iter())
    for element in elements:
        if element.tag in _BELOW and _has_limits(element[0]):
            element.tag = _BELOW[element.tag]
            element[0].set("movablelimits", "true")
    return _written(tree, 0)


def _has_limits(base: Element) -> bool:
    """Whether an index belongs below this operator."""
    is_word = base.get("movablelimits") == "true" or base.text in _LIMITS
    return base.tag == "mo" and is_word


def _brace_levels(tex: str) -> int:
    """How deep braces, brackets and environments nest, at most."""
    level = deepest = 0
    for match in re.finditer(r"\\\\|\\[{}]|[{}]|\\(?:left|right|begin|end|sqrt)(?![A-Za-z])", tex):
        word = match[0]
        if word in ("{", r"\left", r"\begin", r"\sqrt"):
            level += 1
            deepest = max(deepest, level)
        elif word in ("}", r"\right", r"\end"):
            level -= 1
    return deepest


def _known_environment(match: re.Match[str]) -> str:
    name = _SAME.get(match[2], match[2])
    if name not in _ENVIRONMENTS:
        raise _UnconvertibleError(name)
    return rf"\{match[1]}{{{name}}}"


def _written(element: Element, level: int) -> str:
    if level > MAX_LEVELS:
        raise _UnconvertibleError("nested too deep")
    tag, attributes = element.tag, element.attrib
    if tag == "menclose" and attributes.get("notation") == "box":
        tag, attributes = "mpadded", {}  # the style sheet draws its frame
    elif tag == "mpadded" and attributes.get("width") != "0":
        tag = "mrow"
    if tag not in TAGS or (tag == "mspace" and "linebreak" in attributes):
        raise _UnconvertibleError(tag)
    written = _attributes(tag, attributes) if attributes else ""
    children = [_written(child, level + 1) for child in element]
    extra = len(children) - _CHILDREN.get(tag, len(children))
    if extra < 0:
        raise _UnconvertibleError(f"a part of {tag} is missing")
    if extra > 0:  # the converter leaves a matrix with its brackets as several
        children = [f"<mrow>{''.join(children[: extra + 1])}</mrow>", *children[extra + 1 :]]
    text = _bold(_text(element.text), attributes.get("mathvariant", ""))
    return f"<{tag}{written}>{text}{''.join(children)}</{tag}>"


def _attributes(tag: str, attributes: dict[str, str]) -> str:
    return "".join(
        f' {name}="{value}"'
        for name, value in attributes.items()
        if (allowed := _ALLOWED.get((tag, name))) and allowed.fullmatch(value)
    )


def _bold(text: str, variant: str) -> str:
    """Text in Unicode's bold letters, which MathML Core has instead of an attribute."""
    if variant not in ("bold", "bold-italic"):
        return text
    return (
        "".join(
            chr(ord(char) - ord(first) + start)
            for char in text
            for first, last, upright, italic in _BOLD
            if first <= char <= last
            for start in [italic if variant == "bold-italic" else upright]
        )
        or text
    )


def _text(text: str | None) -> str:
    if not text:
        return ""
    plain = _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text
    # A command that the converter does not know, or a column outside of a table.
    if plain.startswith("\\") or (plain == "&" and text == "&"):
        raise _UnconvertibleError(plain)
    return html.escape(plain, quote=False)
