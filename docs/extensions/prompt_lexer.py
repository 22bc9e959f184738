"""Colour cells as notebooks have them: a prompt below ``%%allos`` is text, everything else Python."""

from __future__ import annotations

import re
from collections.abc import Iterator

from IPython.lib.lexers import IPython3Lexer
from pygments.lexer import Lexer
from pygments.token import Keyword, Name, Text, _TokenType
from sphinx.application import Sphinx

_MAGIC = re.compile(r"\s*(%%allos)(.*\n?)")
_VALUE = re.compile(r"(?<!\\)\{\{.*?\}\}", re.DOTALL)


class PromptLexer(Lexer):
    """Lexer of a cell."""

    name = "Cell with a prompt"
    aliases = ("allos-cell",)

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Position, kind and text of each token."""
        magic = _MAGIC.match(text)
        if magic is None:
            yield from IPython3Lexer().get_tokens_unprocessed(text)
            return
        yield magic.start(1), Keyword, magic[1]
        yield magic.start(2), Name, magic[2]
        end = magic.end()
        for value in _VALUE.finditer(text, end):
            yield end, Text, text[end : value.start()]
            yield value.start(), Name.Variable, value[0]
            end = value.end()
        yield end, Text, text[end:]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the lexer in the place of IPython's."""
    app.add_lexer("ipython3", PromptLexer)
    app.add_lexer("allos-cell", PromptLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
