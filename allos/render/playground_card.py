"""The static version of a playground: what it is, and the code that does the same."""

from __future__ import annotations

from allos.render.plain import escaped, unbroken
from allos.render.static_styles import with_inline_styles
from allos.render.style import sheet_of


def playground_card(code: str, own_class: str = "") -> str:
    """HTML of a playground where nothing can be edited.

    Parameters
    ----------
    code : str
        The cell that does the same.
    own_class : str
        Class by which the live playground finds, and hides, this card.

    Examples
    --------
    >>> "<script" in playground_card("<script>")
    False
    """
    words = "A playground: run this cell to edit the prompt and choose models. This does the same:"
    body = (
        f'<div class="allos-md"><p>{escaped(words)}</p>'
        f"<pre><code>{escaped(code)}</code></pre></div>"
    )
    names = " ".join(filter(None, ("allos-out", own_class, "mathjax_ignore tex2jax_ignore")))
    page = f'<div class="{names}"><style>{sheet_of(body)}</style>{body}</div>'
    return unbroken(with_inline_styles(page))
