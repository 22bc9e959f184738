"""Untrusted text made safe without any markup: for terminals, and for what is not rendered."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from allos.render.style import LIVE_STYLE

# Terminal escape sequences: CSI, OSC, DCS and the other strings, then two-character escapes. A payload
# ends at any control character, so no input makes the search walk the text twice.
_PAYLOAD = r"[^\x00-\x1f\x7f-\x9f]*+"
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_PAYLOAD}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")

# Characters that reorder or hide the text around them (Unicode TR36, "Trojan Source"), and the
# invisible tag characters that can carry a hidden message. Three flags are spelled with those.
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in name) + "\U000e007f"
    for name in ("gbeng", "gbsct", "gbwls")
)
# A variation selector belongs behind an ideograph; elsewhere a row of them can hide a message.
_HIDDEN = (
    r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\U000e0000-\U000e007f]"
    r"|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_REVEAL = re.compile(rf"({_FLAGS})|{_HIDDEN}")
_SPECIAL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
    r"\ud800-\udfff\U000e0000-\U000e01ef]"
)


def clean_text(text: str) -> str:
    r"""Text that is safe to print in a terminal.

    Terminal escapes and control characters other than line ends and tabs are removed, characters
    that reorder or hide text are shown as ``⟦U+202E⟧``, and every line end becomes ``\n``.

    Parameters
    ----------
    text : str
        Untrusted text.

    Examples
    --------
    >>> clean_text("\x1b[31mred\x1b[0m \u202egpj.exe")
    'red ⟦U+202E⟧gpj.exe'
    """
    if not _SPECIAL.search(text):
        return text
    text = _LINE_ENDS.sub("\n", text)
    text = _ESCAPES.sub("", text)
    # A lone surrogate cannot be encoded: it would fail in the log, the kernel's message and nh3.
    return reveal(_SURROGATES.sub("\ufffd", text))


def visible_name(name: Any, otherwise: str) -> str:
    r"""A name, or other words where it is missing or nothing of it can be seen.

    Examples
    --------
    >>> visible_name("groq", "unknown"), visible_name(" \u200b", "unknown"), visible_name(None, "unknown")
    ('groq', 'unknown', 'unknown')
    """
    text = name if isinstance(name, str) else ""
    return text if any(char.isprintable() and not char.isspace() for char in text) else otherwise


def reveal(text: str) -> str:
    """Make characters that reorder or hide text visible, drop control characters, keep the rest."""
    if not _SPECIAL.search(text):
        return text
    return _REVEAL.sub(lambda m: m[1] or f"⟦U+{ord(m[0]):04X}⟧", _CONTROLS.sub("", text))


def escaped(text: str) -> str:
    """Clean and escape a text for use between tags or in an attribute."""
    return html.escape(clean_text(text), quote=True)


def quiet_html(lines: Iterable[str]) -> str:
    """HTML of untrusted lines as small quiet text.

    Examples
    --------
    >>> "<b>" in quiet_html(["Allowed: <b>"])
    False
    """
    body = "".join(
        f'<div><small class="allos-state">{escaped(line)}</small></div>' for line in lines
    )
    return unbroken(
        f'<div class="allos-out mathjax_ignore tex2jax_ignore">{LIVE_STYLE}{body}</div>'
    )


def shorten(text: str, length: int) -> str:
    """Text of at most this many characters; what is cut off is an ellipsis.

    Examples
    --------
    >>> shorten("gravity", 5)
    'grav…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def unbroken(page: str) -> str:
    r"""HTML without blank lines, which looks the same.

    An exported Markdown file contains our HTML unchanged, and there a blank line ends it: what follows
    one, in a code block say, would be Markdown again, images included.

    Examples
    --------
    >>> unbroken("<pre>a\n\nb</pre>")
    '<pre>a\n&#10;b</pre>'
    """
    return _BLANK_LINES.sub(lambda match: "\n" + match[0][1:].replace("\n", "&#10;"), page)
