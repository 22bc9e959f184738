"""``{{ expr }}``: parse templates and insert values, once.

Text outside ``{{ }}`` is unchanged, inserted values are not expanded again, and ``\\{{`` is a literal
``{{``. An expression ends at the first ``}}`` that makes it valid Python, so expressions may contain dict
literals.
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
    """One ``{{ expr }}`` of a template."""

    source: str
    """Source of the expression, without surrounding whitespace."""
    code: CodeType
    names: tuple[str, ...]
    """Names that it uses, in order."""


Piece = str | Expression


def parse(text: str) -> list[Piece]:
    """Split a template into literal strings and expressions.

    Raises
    ------
    TemplateError
        A ``{{`` is not closed, is empty, or is not a valid Python expression.

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
                f"{{{{ {_one_line(source)} }}}} cannot be evaluated here: {exc.msg}. Assign its result to a "
                "variable in another cell first. Nothing was sent."
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
        raise TemplateError(
            f"'{{{{ }}}}' in line {line} is empty: write an expression between the braces."
        )
    raise TemplateError(
        f"'{{{{ {_one_line(first)} }}}}' in line {line} is not a valid Python expression. "
        "Write '\\{{' for two literal braces."
    )


def render(
    text: str,
    namespace: Mapping[str, Any],
    *,
    to_text: Callable[[Any], str] = str,
) -> tuple[str, dict[str, str]]:
    """Expand a template of the user. Never call this with text from a model.

    Parameters
    ----------
    text : str
        The template.
    namespace : mapping
        Values of names (a notebook's variables).
    to_text : callable
        Converts a value to text.

    Returns
    -------
    text : str
    variables : dict of str to str
        Inserted values, by expression.

    Raises
    ------
    TemplateError
        An expression is not valid, uses an undefined name, or raises.

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
    """Expand a template with values that need not be text, such as images.

    Parameters
    ----------
    text, namespace
        As in `render`.
    convert : callable
        Takes an expression and its value, returns what is inserted: a string, or any other object,
        which becomes a separate piece.

    Returns
    -------
    pieces : list
        Objects and the strings between them; no empty strings.
    variables : dict of str to str
        Inserted values, by expression; the `repr` of objects that are not strings.

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
    pending: list[str] = []  # strings since the last object

    def flush() -> None:
        if joined := "".join(pending):
            pieces.append(joined)
        pending.clear()

    for piece in parse(text):
        if isinstance(piece, str):
            pending.append(piece)
            continue
        source = piece.source
        if source not in values:
            values[source] = _convert(source, _evaluate(piece, namespace), convert)
        value = values[source]
        if isinstance(value, str):
            pending.append(value)
        else:
            flush()
            pieces.append(value)
    flush()
    variables = {k: value if isinstance(value, str) else repr(value) for k, value in values.items()}
    return pieces, variables


def _convert(source: str, value: Any, convert: Callable[[str, Any], Any]) -> Any:
    try:
        return convert(source, value)
    except AllosError:
        raise
    except Exception as exc:
        raise TemplateError(
            f"{{{{ {_one_line(source)} }}}} cannot be converted to text: {_describe_error(exc)}. Nothing was sent."
        ) from exc


def _evaluate(expression: Expression, namespace: Mapping[str, Any]) -> Any:
    source = _one_line(expression.source)
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
            f"{{{{ {source} }}}} failed with {_describe_error(exc)}. Nothing was sent."
        ) from exc
    if isinstance(value, CoroutineType):
        value.close()
        raise TemplateError(
            f"{{{{ {source} }}}} is a coroutine: run value = await {source} in another cell first, and "
            "use {{ value }}. Nothing was sent."
        )
    return value


def _describe_error(exc: Exception) -> str:
    """Class and message of an error of the user's code, in one line."""
    try:
        message = _one_line(str(exc))
    except Exception:  # noqa: BLE001 - even str() of a user-defined error may fail
        message = ""
    return f"{type(exc).__name__}: {message}" if message else type(exc).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())
