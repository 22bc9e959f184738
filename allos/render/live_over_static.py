"""Rules for a static output that a live view, the output behind it, hides while it is alive."""

from __future__ import annotations


def rules_html(name: str) -> str:
    """Output without anything to see, which stands before the static one.

    When a notebook is opened again, JupyterLab writes "Error displaying widget: model not found" where the live
    view was: text alone, in a panel without any element. The rule leaves it out.

    Parameters
    ----------
    name : str
        Name of the live view's class; ``-rules`` is added for the output's own.

    Examples
    --------
    >>> "<script" in rules_html("allos-chart")
    False
    """
    own = f".jp-OutputArea-child:has(.{name}-rules)"
    static = ".jp-OutputArea-child"
    gone = (
        ".jp-OutputArea-child:has(>.jp-OutputArea-output.lm-Panel)"
        ":not(:has(>.jp-OutputArea-output>*))"
    )
    return (
        f'<div class="{name}-rules"><style>{own},{own}+{static}+{gone}{{display:none}}'
        f"{own}+{static}:has(+{static} .{name}){{display:none}}</style></div>"
    )
