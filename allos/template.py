"""``{{ expr }}``: find the expressions in a text, and put values in, once.

Everything outside ``{{ }}`` stays byte for byte; what was put in is never looked at again;
``\\{{`` is a literal ``{{``. An expression ends at the first ``}}`` that makes it valid Python, so
dict literals inside an expression work.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, CoroutineType
from typing import Any

from allos.errors import AllosError, TemplateError, did_you_mean

_OPEN = re.compile(r"(\\?)\{\{")


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``{{ expr }}`` of a text."""

    source: str
    """The expression as typed, without the blanks around it."""
    code: CodeType
    names: tuple[str, ...]
    """Names that it reads, in order."""


Piece = str | Expression


def parse(text: str) -> list[Piece]:
    """Split a text into literal pieces and expressions.

    Raises
    ------
    TemplateError
        A ``{{`` is not closed, is empty, or holds no Python expression.

    Examples
    --------
    >>> [p if isinstance(p, str) else p.source for p in parse("Hi {{ name }}!")]
    ['Hi ', 'name', '!']
    """
    pieces: list[Piece] = []
    at = 0
    while match := _OPEN.search(text, at):
        if match.group(1):
            pieces.append(text[at : match.start()] + "{{")
            at = match.end()
            continue
        if match.start() > at:
            pieces.append(text[at : match.start()])
        expression, at = _expression(text, match.end())
        pieces.append(expression)
    if at < len(text):
        pieces.append(text[at:])
    return pieces


def _expression(text: str, start: int) -> tuple[Expression, int]:
    line = text.count("\n", 0, start) + 1
    end = text.find("}}", start)
    if end < 0:
        raise TemplateError(
            f"'{{{{' in line {line} is not closed by '}}}}'. Write '\\{{{{' for two literal braces."
        )
    first = text[start:end].strip()
    while end >= 0:
        source = text[start:end].strip()
        try:
            tree = ast.parse(source, mode="eval")
        except (SyntaxError, ValueError):
            end = text.find("}}", end + 1)
            continue
        try:
            code = compile(tree, "<template>", "eval")
        except SyntaxError as exc:  # `await` is an expression, but only inside a function
            raise TemplateError(
                f"{{{{ {_flat(source)} }}}} cannot be put into a text: {exc.msg}. Do that in a cell "
                "before, and put its result in. Nothing was sent."
            ) from None
        names = tuple(
            dict.fromkeys(
                node.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            )
        )
        return Expression(source, code, names), end + 2
    if not first:
        raise TemplateError(f"'{{{{ }}}}' in line {line} is empty. Put a variable name between.")
    raise TemplateError(
        f"'{{{{ {_flat(first)} }}}}' in line {line} is not a Python expression. "
        "Write '\\{{' for two literal braces."
    )


def render(
    text: str,
    namespace: Mapping[str, Any],
    *,
    to_text: Callable[[Any], str] = str,
) -> tuple[str, dict[str, str]]:
    """Fill in a text that the user typed. Never call this on a model's words.

    Parameters
    ----------
    text : str
        The template.
    namespace : mapping
        Where names are looked up (a notebook's variables).
    to_text : callable
        How a value becomes text.

    Returns
    -------
    text : str
    variables : dict of str to str
        What was put in, by expression.

    Raises
    ------
    TemplateError
        An expression is malformed, names something undefined, or fails.

    Examples
    --------
    >>> render("Explain {{topic}}.", {"topic": "gravity"})
    ('Explain gravity.', {'topic': 'gravity'})
    """
    pieces, variables = fill(text, namespace, lambda source, value: to_text(value))
    return "".join(pieces), variables


def fill(
    text: str, namespace: Mapping[str, Any], convert: Callable[[str, Any], Any]
) -> tuple[list[Any], dict[str, str]]:
    """Fill in a text with values that may stay what they are, such as images.

    Parameters
    ----------
    text, namespace
        As in `render`.
    convert : callable
        Given an expression and its value, returns what goes in: a text, or anything else, which
        becomes a piece of its own.

    Returns
    -------
    pieces : list
        What is not text, and the text between, byte for byte; no empty text.
    variables : dict of str to str
        What was put in, by expression; what is no text by its `repr`.

    Raises
    ------
    TemplateError
        As in `render`, or a value cannot be converted.

    Examples
    --------
    >>> fill("See {{x}}.", {"x": 3}, lambda source, value: value)
    (['See ', 3, '.'], {'x': '3'})
    """
    pieces: list[Any] = []
    values: dict[str, Any] = {}
    waiting: list[str] = []  # text that has not met anything else yet

    def settle() -> None:
        if joined := "".join(waiting):
            pieces.append(joined)
        waiting.clear()

    for piece in parse(text):
        if isinstance(piece, str):
            waiting.append(piece)
            continue
        source = piece.source
        if source not in values:
            values[source] = _converted(source, _evaluate(piece, namespace), convert)
        value = values[source]
        if isinstance(value, str):
            waiting.append(value)
        else:
            settle()
            pieces.append(value)
    settle()
    shown = {k: value if isinstance(value, str) else repr(value) for k, value in values.items()}
    return pieces, shown


def _converted(source: str, value: Any, convert: Callable[[str, Any], Any]) -> Any:
    try:
        return convert(source, value)
    except AllosError:
        raise
    except Exception as exc:
        raise TemplateError(
            f"{{{{ {_flat(source)} }}}} cannot be put into a text: {_told(exc)}. Nothing was sent."
        ) from exc


def _evaluate(expression: Expression, namespace: Mapping[str, Any]) -> Any:
    source = _flat(expression.source)
    try:
        value = eval(expression.code, dict(namespace))
    except NameError as exc:
        name = exc.name or expression.source
        raise TemplateError(
            f"{{{{ {source} }}}}: {name!r} is not defined."
            f"{did_you_mean(name, [*namespace, *dir(builtins)])} Nothing was sent."
        ) from None
    except Exception as exc:
        raise TemplateError(
            f"{{{{ {source} }}}} failed with {_told(exc)}. Nothing was sent."
        ) from exc
    if isinstance(value, CoroutineType):
        value.close()
        raise TemplateError(
            f"{{{{ {source} }}}} is a coroutine: write value = await {source} in a cell before, and "
            "put {{ value }} in. Nothing was sent."
        )
    return value


def _told(exc: Exception) -> str:
    """Class and message of the user's own error, in one line."""
    try:
        message = _flat(str(exc))
    except Exception:  # noqa: BLE001 - an error of the user's may not even have a text
        message = ""
    return f"{type(exc).__name__}: {message}" if message else type(exc).__name__


def _flat(text: str) -> str:
    return " ".join(text.split())
