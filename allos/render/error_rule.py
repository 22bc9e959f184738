"""How a page breaks the lines of an error."""

from __future__ import annotations


def error_rule_html() -> str:
    """Output without anything to see, which stands before an error: its lines break at words.

    JupyterLab breaks every ``<pre>`` of an output inside words. An output of an error is plain text, so
    what should hold for it stands in the output before it.

    Examples
    --------
    >>> "<script" in error_rule_html()
    False
    """
    own = ".jp-OutputArea-child:has(.allos-error-rule)"
    return (
        f'<div class="allos-error-rule"><style>{own}{{display:none}}'
        f"{own}+.jp-OutputArea-child pre{{word-break:normal;overflow-wrap:anywhere}}</style></div>"
    )
