"""Syntax highlighting of fenced code: Pygments finds the tokens, every class name is ours."""

from __future__ import annotations

import html
import re
from functools import cache
from itertools import groupby
from operator import itemgetter
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from allos.render.regex_lexing import tokens as lexed

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE_CHARS = 8_000
"""Longer blocks stay plain: a lexer's worst case grows faster than its input."""

# Where lexers backtrack: long runs of whitespace and very long lines, which are rare in real code.
_SLOW = re.compile(r"\s{200}|[^\n]{1000}")

# Only these. Each was timed on hostile input, which ruled out lexers where a single step takes seconds
# (no deadline can interrupt one); and a name from a model never reaches Pygments' plugin loader.
LANGUAGES = {
    alias: name
    for name, aliases in {
        "bash": "bash sh shell zsh",
        "c": "c h",
        "console": "console shell-session",
        "cpp": "cpp c++ cc cxx hpp",
        "csharp": "csharp c# cs",
        "css": "css",
        "diff": "diff patch udiff",
        "docker": "docker dockerfile",
        "go": "go golang",
        "html": "html",
        "ini": "ini cfg",
        "java": "java",
        "javascript": "javascript js jsx mjs node",
        "json": "json jsonc jsonl",
        "julia": "julia jl",
        "kotlin": "kotlin kt",
        "lua": "lua",
        "make": "make makefile",
        "matlab": "matlab",
        "php": "php",
        "powershell": "powershell ps1 pwsh",
        "pycon": "pycon doctest",
        "python": "python py py3 python3 ipython ipython3",
        "r": "r",
        "ruby": "ruby rb",
        "rust": "rust rs",
        "scala": "scala",
        "sql": "sql mysql postgres postgresql sqlite",
        "swift": "swift",
        "tex": "tex latex",
        "toml": "toml",
        "typescript": "typescript ts tsx",
        "xml": "xml svg",
        "yaml": "yaml yml",
    }.items()
    for alias in aliases.split()
}

# A token has the class of its nearest ancestor here; operators and names have none.
_CLASSES = {
    "Keyword": "k",
    "Operator.Word": "k",
    "Literal.String": "s",
    "Literal.Number": "m",
    "Comment": "c",
    "Comment.Preproc": "d",
    "Name.Function": "f",
    "Name.Class": "f",
    "Name.Builtin": "b",
    "Name.Builtin.Pseudo": "",
    "Name.Decorator": "d",
    "Name.Tag": "t",
    "Name.Attribute": "a",
    "Generic.Prompt": "c",
    "Generic.Deleted": "x",
    "Generic.Inserted": "m",
    "Generic.Heading": "f",
    "Generic.Subheading": "f",
}

TOKEN_CLASSES = frozenset(f"allos-{letter}" for letter in _CLASSES.values() if letter)
"""Every class that `code_html` can produce."""


@cache
def _class_of(kind: tuple[str, ...]) -> str:
    for end in range(len(kind), 0, -1):
        letter = _CLASSES.get(".".join(kind[:end]))
        if letter is not None:
            return f"allos-{letter}" if letter else ""
    return ""


@cache
def _lexer(name: str) -> Lexer:
    from pygments.lexers import find_lexer_class_by_name

    lexer: Lexer = find_lexer_class_by_name(name)(stripnl=False, ensurenl=False)
    list(lexed(lexer, "\n"))  # what is made for the first code is no part of its time
    return lexer


def load(language: str) -> None:
    """Load the lexer of a language, which takes much longer than using it."""
    name = LANGUAGES.get(language.lower())
    if name is not None:
        _lexer(name)


def code_html(code: str, language: str, *, limit_s: float | None = None) -> str:
    r"""Escaped code, with highlighted tokens where the language is known.

    Parameters
    ----------
    code : str
        Cleaned text of a code block.
    language : str
        Info string of the fence, as the model wrote it; only ever looked up in `LANGUAGES`.
    limit_s : float or None
        CPU seconds of this thread after which to give up; loading a lexer does not count.

    Examples
    --------
    >>> code_html("x = 1", "python")
    'x = <span class="allos-m">1</span>'
    >>> code_html("graph <TD>", "mermaid")
    'graph &lt;TD&gt;'
    """
    plain = html.escape(code, quote=False)
    name = LANGUAGES.get(language.lower())
    if name is None or len(code) > MAX_CODE_CHARS or _SLOW.search(code):
        return plain
    # Every lexer expects a line end after the last line; it is removed again below.
    source, tokens = f"{code}\n", []
    until = None if limit_s is None else _Deadline(limit_s)
    # Not `get_tokens`, whose clean-up is done for any text here: a quarter of the time.
    for _, kind, value in lexed(_lexer(name), source):
        if until is not None and until.is_over():
            return plain
        if value:  # some lexers end with an empty token
            tokens.append((_class_of(kind), value))
    if "".join([value for _, value in tokens]) != source:
        return plain
    tokens[-1] = (tokens[-1][0], tokens[-1][1].removesuffix("\n"))
    pieces = []
    for css_class, run in groupby(tokens, itemgetter(0)):
        text = html.escape("".join([value for _, value in run]), quote=False)
        pieces.append(f'<span class="{css_class}">{text}</span>' if css_class and text else text)
    return "".join(pieces)


class _Deadline:
    """CPU seconds of this thread. No thread uses more than the clock's: reading that one costs next to nothing."""

    def __init__(self, limit_s: float) -> None:
        self._clock = perf_counter() + limit_s
        self._cpu = thread_time() + limit_s

    def is_over(self) -> bool:
        return perf_counter() > self._clock and thread_time() > self._cpu
