"""What a ``{{ value }}`` of a cell becomes: text, an image, or the first rows of a table.

The plotting libraries are recognised by name and never imported here.
"""

from __future__ import annotations

import builtins
import json
from typing import Any

from allos import template
from allos.errors import ConfigurationError, TemplateError, did_you_mean
from allos.parts import File, Image, Part, as_part
from allos.prompt_data import data_text
from allos.tools.tool import as_tool


class Values:
    """Converts values into parts of a prompt, and notes what was left out.

    Examples
    --------
    >>> Values().convert("x", 1.5)
    '1.5'
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        """One note for each value that was shortened."""

    def convert(self, source: str, value: Any) -> Part:
        """Text, image or file for a value.

        Parameters
        ----------
        source : str
            The expression, for the notes.
        value : object
            An image or file stays one; an object with ``_repr_llm_()`` is replaced by what that
            returns; a table or an array becomes as many rows or values as the budget allows, see
            `allos.prompt_data`; anything else is ``str(value)``.

        Raises
        ------
        TemplateError
            An iterator, or another object without data of its own.
        """
        repr_llm = getattr(type(value), "_repr_llm_", None)
        if callable(repr_llm):
            value = repr_llm(value)
        part = as_part(value)
        if part is not None:
            return part
        try:
            data = data_text(value)
        except ConfigurationError as exc:
            raise TemplateError(f"{{{{ {source} }}}}: {exc}. Nothing was sent.") from None
        if data is None:
            return str(value)
        self.notes += data.notes(source)
        return data.text


def image_of(name: str, namespace: dict[str, Any]) -> Image | File:
    """Image or file in a variable, for ``--image NAME``.

    Raises
    ------
    ConfigurationError
        No such variable, or it holds neither an image nor a file.
    """
    if not name.isidentifier():
        raise ConfigurationError(
            f'--image must be a variable name, or a path in quotes: --image "{name}". '
            "Nothing was sent."
        )
    part = as_part(_variable("--image", name, namespace))
    if part is None or isinstance(part, str):
        kind = type(namespace[name]).__name__
        raise ConfigurationError(
            f"--image: {name!r} is a {kind}, not an image or a figure. "
            "A file is allos.Image(path=...). Nothing was sent."
        )
    return part


def schema_of(text: str, namespace: dict[str, Any]) -> Any:
    """Type or JSON schema for ``--schema``: a name, an expression such as ``list[City]``, or JSON.

    Raises
    ------
    ConfigurationError
        No such variable, or invalid JSON.
    TemplateError
        The expression fails.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as exc:
            raise ConfigurationError(
                f"--schema is not valid JSON ({exc}). Nothing was sent."
            ) from None
    if not text.isidentifier():
        found, _ = template.fill(f"{{{{{text}}}}}", namespace, lambda source, value: value)
        return found[0] if found else text
    if text not in namespace and isinstance(builtin := getattr(builtins, text, None), type):
        return builtin
    return _variable("--schema", text, namespace)


def tool_of(name: str, namespace: dict[str, Any]) -> Any:
    """Function for ``--tools``.

    Raises
    ------
    ConfigurationError
        No such variable, or it is not callable by a model.
    """
    function = _variable("--tools", name, namespace)
    as_tool(function)
    return function


def _variable(flag: str, name: str, namespace: dict[str, Any]) -> Any:
    if name in namespace:
        return namespace[name]
    hint = "" if name.isidentifier() else " It must be a variable name."
    raise ConfigurationError(
        f"{flag}: {name!r} is not defined.{did_you_mean(name, namespace)}{hint} Nothing was sent."
    )
