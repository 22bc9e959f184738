"""Inline styles for pages that drop style sheets: unsigned notebooks, GitHub, nbviewer.

There a page's own rules for tables and code apply: cells to the right and at mid-height, code broken
inside words, wide tables over what stands beside them. JupyterLab's sanitizer keeps these properties,
GitHub the attributes `align` and `valign`.
"""

from __future__ import annotations

import re

from allos.render.markdown import OPEN

_TOP = "vertical-align:top"
_CODE = "white-space:pre;word-break:normal;overflow-x:auto;text-align:left"
_TEXT = "white-space:pre-wrap;word-break:normal;overflow-wrap:break-word;text-align:left"
_TAG = re.compile(r'<(t[hd]|pre)((?: class="([a-z0-9 -]*)")?)>((?:<code(?=>))?)')
_TURNED = re.compile(
    r'<(?:p|blockquote|[ou]l|h[1-6])(?: class="[a-z-]*")?(?: start="\d+")? dir="rtl"'
)
_GRID = re.compile(r'<table class="allos-grid">(\n<thead><tr>.*?</tr></thead>)', re.DOTALL)
_COLUMN_EM = 10
"""What a column keeps of a narrow page, so that answers beside many others become no towers."""
_MOST_COLUMNS = 12
"""More of them share this width: a notebook with tables of eighty such columns took JupyterLab minutes to open."""
_OPENING = {
    '<div class="allos-scroll">': '<div class="allos-scroll" style="overflow-x:auto;overflow-wrap:break-word">',
    OPEN: f'{OPEN[:-1]} style="overflow-wrap:break-word">',
    '<table dir="rtl">': '<table dir="rtl" style="margin-left:auto">',
    '<div class="allos-wide">': '<div class="allos-wide" style="overflow-x:auto">',
    # What else holds a model's or a person's words: a long one would run over what stands beside it.
    **{
        f'<div class="allos-{part}">': f'<div class="allos-{part}" style="overflow-wrap:break-word">'
        for part in ("ask", "err", "refusal", "tool")
    },
}


def with_inline_styles(html: str) -> str:
    """Return HTML of ours with the few styles that it cannot be read without.

    Parameters
    ----------
    html : str
        Made by `render`; what a model wrote is escaped in it, or sanitised.

    Examples
    --------
    >>> with_inline_styles("<table><tr><td>1</td></tr></table>")
    '<table><tr><td align="left" valign="top" style="text-align:left;vertical-align:top">1</td></tr></table>'
    """
    html = _GRID.sub(_wide_enough, html)
    html = _TURNED.sub(
        lambda found: f'{found[0]} style="text-align:right"', _TAG.sub(_styled, html)
    )
    for opening, styled in _OPENING.items():
        html = html.replace(opening, styled)
    return html


def _wide_enough(found: re.Match[str]) -> str:
    columns = min(found[1].count("</th>"), _MOST_COLUMNS)
    width = f"width:100%;min-width:{_COLUMN_EM * columns}em"
    return f'<table class="allos-grid" style="table-layout:fixed;{width}">{found[1]}'


def _styled(found: re.Match[str]) -> str:
    tag, attribute, names = found[1], found[2], (found[3] or "").split()
    if tag == "pre":
        wraps = "allos-text" in names or "allos-whole" in names
        space = "pre-wrap" if wraps else "pre"
        code = f'{found[4]} style="white-space:{space}"' if found[4] else ""
        return f'<pre{attribute} style="{_TEXT if wraps else _CODE}">{code}'
    side = "right" if "allos-right" in names else "center" if "allos-mid" in names else "left"
    width = ";min-width:12em" if "allos-long" in names else ""
    style = f"text-align:{side};{_TOP}{width}"
    return f'<{tag}{attribute} align="{side}" valign="top" style="{style}">{found[4]}'
