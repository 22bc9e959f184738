"""Inline styles for pages that drop style sheets: unsigned notebooks, GitHub, nbviewer.

There a page's own rules for tables and code apply: cells to the right and at mid-height, code broken
inside words. JupyterLab's sanitizer keeps these properties, GitHub the attributes `align` and `valign`.
"""

from __future__ import annotations

import re

_TOP = "vertical-align:top"
_CODE = "white-space:pre;word-break:normal;overflow-x:auto;text-align:left"
_TEXT = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;text-align:left"
_TAG = re.compile(r'<(t[hd]|pre)((?: class="([a-z0-9 -]*)")?)>((?:<code(?=>))?)')
_GRID = '<div class="allos-scroll"><table class="allos-grid">'
_STYLED_GRID = (
    '<div class="allos-scroll" style="overflow-x:auto"><table class="allos-grid"'
    ' style="table-layout:fixed;width:100%">'
)


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
    return _TAG.sub(_styled, html).replace(_GRID, _STYLED_GRID)


def _styled(found: re.Match[str]) -> str:
    tag, attribute, names = found[1], found[2], (found[3] or "").split()
    if tag == "pre":
        wraps = "allos-text" in names or "allos-whole" in names
        space = "pre-wrap" if wraps else "pre"
        code = f'{found[4]} style="white-space:{space}"' if found[4] else ""
        return f'<pre{attribute} style="{_TEXT if wraps else _CODE}">{code}'
    side = "right" if "allos-right" in names else "center" if "allos-mid" in names else "left"
    return (
        f'<{tag}{attribute} align="{side}" valign="top" style="text-align:{side};{_TOP}">{found[4]}'
    )
