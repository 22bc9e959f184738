"""Colours and sizes of all that allos shows: answers, static tables and the live board.

Each is written once, here. `style` puts them into its rules; the board gets them as CSS variables,
``--allos-NAME``.
"""

from __future__ import annotations

_TEXT = "currentColor"


def _tint(percent: float) -> str:
    """Colour of the text, thinned: right on light and dark grounds alike."""
    return f"color-mix(in srgb,{_TEXT} {percent:g}%,transparent)"


COLOURS = {
    "strong": _tint(78),
    "muted": _tint(68),
    "quiet": _tint(62),
    "line": _tint(14),
    "fill": _tint(5.5),
    "red": "var(--jp-error-color1,#c62828)",
    "amber": "var(--jp-warn-color1,#c77700)",
    "green": "var(--jp-success-color1,#2e7d32)",
    "brand": "var(--jp-brand-color1,var(--vscode-button-background,#1565c0))",
    "mono": "var(--jp-code-font-family,ui-monospace,monospace)",
}
"""CSS values by name, the font of code among them. `muted` is for small text on `fill`, where `quiet`
would have too little contrast."""

SIZES = {
    "text": "13px",
    "code": "12.5px",
    "small": "12px",
    "chip": "11.5px",
    "label": "11px",
    "card": "10px",
    "box": "6px",
    "badge": "4px",
}
"""Font sizes, from `text` to `label`, and radii of corners, from `card` to `badge`."""

# One colour per model: a strip above its column and a tint behind its letter. Each has a contrast of
# 3.4 or more on white and on near-black alike; the letter tells columns apart without any colour.
SLOT_COLOURS = (
    *("#2a7de1", "#0f9d7a", "#b5562b", "#8a5cd1", "#c2479b"),
    *("#a8790b", "#1c8ca8", "#cf4450", "#6d8a1f", "#6b7a90"),
)

# How much of its model's colour a column has: settings of one model get shades, towards the text's colour.
_SHADES = ("100%", "70%", "45%", "25%")


def column_colours(slot: str, shade: str) -> str:
    """CSS rules that give a column its colour, ``--allos-slot``.

    Parameters
    ----------
    slot, shade : str
        Selectors without their number.

    Examples
    --------
    >>> column_colours(".c", ".s").startswith(".c0{--allos-slot:color-mix(in srgb,#2a7de1 var(")
    True
    """
    colours = (
        f"{slot}{at}{{--allos-slot:color-mix(in srgb,{colour} var(--allos-shade,100%),{_TEXT})}}"
        for at, colour in enumerate(SLOT_COLOURS)
    )
    mixes = (f"{shade}{at}{{--allos-shade:{mix}}}" for at, mix in enumerate(_SHADES) if at)
    return "".join((*colours, *mixes))


def declare(*names: str, text: str = _TEXT) -> str:
    """CSS declarations of variables.

    Parameters
    ----------
    *names : str
        Which of `COLOURS` and `SIZES`; all of them when none is given.
    text : str
        CSS value of the text's colour, where ``currentColor`` will not do: in the children of an
        element it is their own colour.

    Examples
    --------
    >>> declare("fill", "small")
    '--allos-fill:color-mix(in srgb,currentColor 5.5%,transparent);--allos-small:12px;'
    """
    tokens = COLOURS | SIZES
    return "".join(
        f"--allos-{name}:{tokens[name].replace(_TEXT, text)};" for name in names or tokens
    )
