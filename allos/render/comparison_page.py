"""A comparison as one page of its own: a file that needs no network, no kernel and no other file.

The page has the board's views, and the data of one comparison. Its content security policy allows one
script and one style sheet, by their hashes, and nothing that loads; the static table is what a browser
shows that runs no scripts.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import isfinite
from typing import Any

from allos.render.board_style import BOARD_CSS
from allos.render.plain import escaped
from allos.render.style import COMPARISON_CSS

DATA_ID = "allos-data"
"""Id of the element that holds the data; the script reads it."""


def comparison_page(
    *, title: str, note: str, table: str, data: Mapping[str, Any], is_sealed: bool = False
) -> str:
    """Page with the board of one comparison.

    Parameters
    ----------
    title : str
        Its heading; plain text.
    note : str
        The line below it; plain text.
    table : str
        HTML of `bare_comparison_html`: what is there without the script.
    data : mapping
        JSON values that the script reads: ``{"snapshot": {...}, ...}``.
    is_sealed : bool
        Whether the data cannot be read at a glance in the file: for blind votes. Whoever wants to can
        decode them.

    Returns
    -------
    str
        A whole HTML document.
    """
    script, sheet = _asset("page.js"), f"{BOARD_CSS}{COMPARISON_CSS}{_asset('page.css')}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(sheet)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escaped(title)}</title>\n<style>{sheet}</style>\n</head>\n<body>\n"
        f"<header><h1>{escaped(title)}</h1><p>{escaped(note)}</p></header>\n"
        f'<main>\n<div id="allos-page"></div>\n<div id="allos-table">{table}</div>\n</main>\n'
        f'<script type="application/json" id="{DATA_ID}">{_inert_json(_sealed(data) if is_sealed else data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _sealed(data: Mapping[str, Any]) -> dict[str, str]:
    return {"sealed": b64encode(_json(data).encode()).decode()}


def _inert_json(data: Mapping[str, Any]) -> str:
    """JSON that no parser of HTML takes for anything else: it has no ``<``."""
    return _json(data).replace("<", "\\u003c")


def _json(data: Mapping[str, Any]) -> str:
    text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors="replace").decode()


def _finite(value: Any) -> Any:
    """Values without the numbers that JSON does not know."""
    match value:
        case float() if not isfinite(value):
            return None
        case Mapping():
            return {str(key): _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
    return value


@cache
def _asset(name: str) -> str:
    return files("allos.render").joinpath("static", name).read_text("utf-8").strip()


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
