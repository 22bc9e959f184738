"""How a page breaks the lines of an error."""

from __future__ import annotations


def error_rule_html(*, is_alone: bool) -> str:
    """Nothing to see, in the output before an error: lines of the error break at words.

    JupyterLab breaks every ``<pre>`` of an output inside words. An output of an error is plain text, so
    what should hold for it stands in the output before it.

    Parameters
    ----------
    is_alone : bool
        Whether it is all of its output, which then takes no room.

    Examples
    --------
    >>> "<script" in error_rule_html(is_alone=True)
    False
    """
    # Rules hold for the whole page: the name says which outputs are hidden.
    name = "allos-error-rule-alone" if is_alone else "allos-error-rule"
    own = f".jp-OutputArea-child:has(.{name})"
    hidden = f"{own}{{display:none}}" if is_alone else ""
    return (
        f'<div class="{name}"><style>{hidden}'
        f"{own}+.jp-OutputArea-child pre{{word-break:normal;overflow-wrap:anywhere}}</style></div>"
    )
