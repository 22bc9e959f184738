"""What a function's signature, type hints and docstring say of its arguments.

pydantic and docstring_parser are imported when the first function is described.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from allos.errors import ConfigurationError
from allos.tools.patterns import drop_patterns
from allos.tools.schemas import json_schema

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def arguments_model(
    function: Callable[..., Any], name: str, about: Mapping[str, str]
) -> tuple[Any, dict[str, str]]:
    """Return a pydantic model of a function's arguments, and the argument of each field.

    Parameters
    ----------
    function : callable
    name : str
        The tool's name.
    about : mapping
        Descriptions of the arguments, where a hint has none.

    Raises
    ------
    ConfigurationError
        A model could not pass these arguments, or their types cannot be described.
    """
    from pydantic import ConfigDict, Field, create_model

    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"The tool {name!r} cannot be described: its signature is not available."
        ) from None
    hints = _hints(function, name)
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for number, (argument, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind in _VARIADIC or parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigurationError(
                f"The tool {name!r} cannot have the argument {parameter}: models pass arguments by name."
            )
        hint = hints.get(argument, Any)
        # Numbered, because names of pydantic fields must not be _x or schema.
        at = f"a{number}"
        names[at] = argument
        description = _description_in(hint) or about.get(argument)
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[at] = (hint, Field(default, alias=argument, description=description))
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    try:
        return create_model(f"{name}_arguments", __config__=config, **fields), names
    except Exception as exc:  # noqa: BLE001 - pydantic raises various errors for unsupported types
        raise ConfigurationError(
            f"The tool {name!r} cannot be described: {_first_line(exc)}"
        ) from None


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    from typing import get_type_hints

    target = function
    if not inspect.isroutine(function):  # an object with __call__, a partial
        target = getattr(function, "func", None) or type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as exc:
        raise ConfigurationError(
            f"The type hints of the tool {name!r} cannot be read: {_first_line(exc)}."
        ) from None


def _description_in(hint: Any) -> str | None:
    """Description inside ``Annotated[type, "description"]`` or ``Annotated[type, Field(...)]``."""
    for extra in getattr(hint, "__metadata__", ()):
        description = extra if isinstance(extra, str) else getattr(extra, "description", None)
        if isinstance(description, str):
            return description
    return None


def arguments_schema(model: Any, name: str) -> dict[str, Any]:
    """Return the JSON schema of a model of arguments.

    Raises
    ------
    ConfigurationError
        An argument's type has none; the message has the tool's `name`.
    """
    from pydantic.errors import PydanticInvalidForJsonSchema

    try:
        schema = json_schema(model)
    except PydanticInvalidForJsonSchema as exc:
        raise ConfigurationError(
            f"The tool {name!r} has an argument that JSON cannot represent: {_first_line(exc)}"
        ) from None
    schema.setdefault("properties", {})
    return drop_patterns(schema)  # type: ignore[no-any-return]  # a schema gives a schema


def parse_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Description of a function in its docstring, and of its parameters by name."""
    text = inspect.getdoc(function if inspect.isroutine(function) else type(function)) or ""
    if not inspect.isroutine(function) and hasattr(function, "func"):  # functools.partial
        text = inspect.getdoc(function.func) or ""
    if not text:
        return "", {}
    from docstring_parser import DocstringStyle, ParseError, parse

    best: Any = None
    for style in (DocstringStyle.NUMPYDOC, DocstringStyle.GOOGLE):
        try:
            found = parse(text, style)
        except ParseError:
            continue
        if best is None or len(found.meta) > len(best.meta):
            best = found
    if best is None:
        return text, {}
    description = "\n\n".join(
        part.strip() for part in (best.short_description, best.long_description) if part
    )
    about: dict[str, str] = {}
    for param in best.params:
        for argument in param.arg_name.split(","):  # numpydoc's "a, b : int"
            if param.description:
                about[argument.strip()] = " ".join(param.description.split())
    return description, about


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
