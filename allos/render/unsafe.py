"""A model's own HTML, unsanitised. Never the default: only for a person who asks in that very call.

No setting turns this on.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

UNSAFE_NOTICE = (
    "UNSAFE: the model's own HTML follows, because you asked for `--unsafe-html`. It can run code in "
    "this page, use your notebook server and make requests."
)


def unsafe_markdown_html(text: str) -> str:
    """Markdown with its raw HTML, images and links as the model wrote them. It can run code.

    Examples
    --------
    >>> "<script>" in unsafe_markdown_html("**Hi** <script>alert(1)</script>")
    True
    """
    body: str = _parser().render(text)
    return f'<div class="allos-md mathjax_ignore tex2jax_ignore">\n{body}</div>\n'


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True})
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser.enable(["table", "strikethrough"])
