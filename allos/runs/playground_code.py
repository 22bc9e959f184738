"""The cell that does what a playground does: `allos.compare` with its values written out."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from allos.providers import Provider

_WIDTH = 88


def comparison_code(arguments: Mapping[str, Any], data_source: str | None) -> str:
    """Source of a cell that runs `allos.compare` with these arguments and shows it.

    Parameters
    ----------
    arguments : mapping
        Keywords of `allos.compare`; `prompt` goes first, `data` is left out.
    data_source : str or None
        Expression for `data`.

    Examples
    --------
    >>> print(comparison_code({"prompt": "Hi", "models": ["local/smollm2"]}, None))
    import allos
    <BLANKLINE>
    allos.compare(
        "Hi",
        models=["local/smollm2"],
    )
    """
    lines = [f"    {text_source(arguments['prompt'])},"]
    lines.append(f"    models={_models(arguments['models'])},")
    if data_source is not None:
        lines.append(f"    data={data_source},")
    for name, value in arguments.items():
        if name not in ("prompt", "models", "data"):
            source = text_source(value) if isinstance(value, str) else value_source(value)
            lines.append(f"    {name}={source},")
    imports = ["import random", ""] if (data_source or "").startswith("random.") else []
    return "\n".join([*imports, "import allos", "", "allos.compare(", *lines, ")"])


def text_source(text: str) -> str:
    """A string as Python source: several lines as they are, where nothing in them is special.

    Examples
    --------
    >>> print(text_source("one\\ntwo"))
    \"\"\"one
    two\"\"\"
    """
    if "\n" in text and all(line.isprintable() for line in text.split("\n")):
        source = f'"""{text}"""'
        try:
            if ast.literal_eval(source) == text:
                return source
        except SyntaxError:
            pass
    return _quoted(text)


def value_source(value: Any) -> str:
    """A value as Python source: as `repr`, with double quotes.

    Examples
    --------
    >>> print(value_source({"a": ["b", 1]}))
    {"a": ["b", 1]}
    """
    if isinstance(value, str):
        return _quoted(value)
    if type(value) is list:
        return f"[{', '.join(map(value_source, value))}]"
    if type(value) is dict:
        pairs = (f"{value_source(key)}: {value_source(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def is_literal(value: Any) -> bool:
    """Whether a value can be written out.

    Examples
    --------
    >>> is_literal({"a": [1]}), is_literal(object())
    (True, False)
    """
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def _models(models: Sequence[Any]) -> str:
    sources = [_model(each) for each in models]
    line = f"[{', '.join(sources)}]"
    if len(line) <= _WIDTH:
        return line
    return "\n".join(["[", *(f"        {each}," for each in sources), "    ]"])


def _model(model: str | Provider | Mapping[str, Any]) -> str:
    if isinstance(model, Mapping):
        pairs = (
            f"{_quoted(name)}: {_model(value) if name == 'model' else value_source(value)}"
            for name, value in model.items()
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(model, Provider):  # its key and URL are not written into a notebook
        return _quoted(f"{model.name}/{model.model}")
    return _quoted(model)


def _quoted(text: str) -> str:
    """As `repr`, in double quotes where that needs no escape more."""
    source = repr(text)
    if source[0] == "'" and '"' not in text:
        double = '"' + source[1:-1] + '"'
        try:
            if ast.literal_eval(double) == text:
                return double
        except SyntaxError:
            pass
    return source
