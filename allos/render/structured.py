"""A structured answer as indented, highlighted JSON."""

from __future__ import annotations

from typing import Any

from allos.render.markdown import code_block
from allos.render.plain import escaped

MAX_CHARS = 100_000


def structured_html(value: Any) -> str:
    """Value as indented JSON under its type's name; empty when it cannot be written as JSON.

    Parameters
    ----------
    value : object
        `parsed` of a response: a pydantic model, a dataclass, a dict, a list, a plain value.

    Examples
    --------
    >>> "<pre><code>" in structured_html({"name": "Ada"})
    True
    """
    text = structured_text(value)
    if not text:
        return ""
    kind = type(value)
    title = "" if kind.__module__ == "builtins" else kind.__name__
    above = f'<p class="allos-note">{escaped(title)}</p>' if title else ""
    return above + code_block(text, "json")


def structured_text(value: Any) -> str:
    """Plain-text version of `structured_html`, without the type's name.

    Examples
    --------
    >>> print(structured_text({"name": "Ada"}))
    {
      "name": "Ada"
    }
    """
    from pydantic_core import PydanticSerializationError, to_json

    try:
        text = to_json(value, indent=2, inf_nan_mode="strings", fallback=str).decode()
    except (PydanticSerializationError, UnicodeDecodeError, ValueError):
        return ""
    return text if len(text) <= MAX_CHARS else ""
