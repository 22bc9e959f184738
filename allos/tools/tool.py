"""Tools: what a model may call, made of functions, pydantic model classes and mappings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from allos.errors import ConfigurationError, ToolError, did_you_mean
from allos.request import ToolSpec
from allos.tools.function_description import arguments_model, arguments_schema, parse_docstring
from allos.tools.json_check import JsonCheck
from allos.tools.patterns import drop_patterns
from allos.tools.schemas import is_model, validation_message
from allos.tools.strict_schemas import inline_root_reference, to_strict_schema
from allos.wire.tool_fields import CHOICES

Tools = Sequence[Any]
"""Type of `tools=`: functions, pydantic model classes, mappings and tools, in any mix."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: its description for a model, and the function that runs when the model calls it.

    Created by `tool`, or from a plain function in `tools=`. Calling it calls the function, without
    validation.
    """

    spec: ToolSpec
    """The description that is sent to a model."""
    function: Callable[..., Any] | None = None
    """The function that runs; None: calls of the tool are returned to the caller."""
    trusted: bool = False
    """Runs without approval, also in a notebook."""
    _check: Callable[[dict[str, Any]], dict[str, Any]] = field(repr=False)

    @property
    def name(self) -> str:
        """The name that a model uses."""
        return self.spec.name

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Validate arguments and convert them to the function's types.

        Parameters
        ----------
        arguments : mapping
            From the model.

        Raises
        ------
        ToolError
            They are not valid; the message is short and meant for the model.

        Examples
        --------
        >>> def double(number: int) -> int:
        ...     return 2 * number
        >>> as_tool(double).check({"number": "21"})
        {'number': 21}
        """
        try:
            return self._check(dict(arguments))
        except Exception as exc:  # noqa: BLE001 - pydantic's errors, and any error of a user-defined type
            raise ToolError(
                f"invalid arguments for {self.name}: {validation_message(exc)}"
            ) from None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, without validation."""
        if self.function is None:
            raise ToolError(f"the tool {self.name!r} has no function to run")
        return self.function(*args, **kwargs)


@overload
def tool(
    source: Callable[..., Any] | Mapping[str, Any] | Tool,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    trusted: bool | None = None,
    strict: bool | None = None,
) -> Tool: ...
@overload
def tool(
    source: None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    trusted: bool | None = None,
    strict: bool | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    source: Callable[..., Any] | Mapping[str, Any] | Tool | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    trusted: bool | None = None,
    strict: bool | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Create a tool from a function; also a decorator, with or without arguments.

    Plain functions can be passed to `tools=` directly. Use this for another name or description, or for
    a tool that runs without approval.

    Parameters
    ----------
    source : callable, pydantic model class, mapping or Tool
        As in `tools=`.
    name, description : str or None
        Overrides the function's own.
    trusted : bool or None
        Run it without approval, also in a notebook.
    strict : bool or None
        Ask the service to enforce the schema.

    Raises
    ------
    ConfigurationError
        It cannot be converted to a tool; the message says why.

    Examples
    --------
    >>> @tool(trusted=True)
    ... def double(number: int) -> int:
    ...     "Twice a number."
    ...     return 2 * number
    >>> double(21), double.spec.description
    (42, 'Twice a number.')
    """
    if source is None:
        return lambda function: tool(
            function, name=name, description=description, trusted=trusted, strict=strict
        )
    base = as_tool(source, name=name)
    spec = base.spec
    parameters: Mapping[str, Any] = spec.parameters
    if strict:
        enforced = to_strict_schema(parameters)
        if enforced is None:
            raise ConfigurationError(
                f"The tool {spec.name!r} cannot be strict: some of its arguments may have any type."
            )
        parameters = enforced
    changed = ToolSpec(
        name=spec.name,
        description=spec.description if description is None else description,
        parameters=parameters,
        strict=spec.strict if strict is None else strict,
    )
    return Tool(
        spec=changed,
        function=base.function,
        trusted=base.trusted if trusted is None else trusted,
        _check=base._check,
    )


def as_tool(source: Any, *, name: str | None = None) -> Tool:
    """Create a tool from a function, a pydantic model class, a mapping, or a tool.

    Parameters
    ----------
    source : callable, type, mapping or Tool
        A function, plain or async: its name, docstring (numpydoc or Google), type hints and
        defaults are its description for the model. A pydantic model class or a mapping (``name``,
        ``description``, ``parameters``, bare or inside OpenAI's ``{"type": "function"}``) has no
        function; its calls are returned to the caller.
    name : str or None
        Overrides its own.

    Raises
    ------
    ConfigurationError
        It cannot be converted to a tool; the message says why.

    Examples
    --------
    >>> def weather(city: str, days: int = 1) -> str:
    ...     '''Weather of a city.
    ...
    ...     Parameters
    ...     ----------
    ...     city : str
    ...         Its English name.
    ...     '''
    ...     return "sunny"
    >>> spec = as_tool(weather).spec
    >>> spec.name, spec.description
    ('weather', 'Weather of a city.')
    >>> spec.parameters["properties"]["city"]
    {'description': 'Its English name.', 'type': 'string'}
    """
    if isinstance(source, Tool):
        if name is None or name == source.name:
            return source
        spec = source.spec
        renamed = ToolSpec(
            name=_checked_name(name),
            description=spec.description,
            parameters=spec.parameters,
            strict=spec.strict,
        )
        return Tool(
            spec=renamed, function=source.function, trusted=source.trusted, _check=source._check
        )
    if isinstance(source, Mapping):
        return _from_mapping(source, name)
    if is_model(source):
        return _from_model(source, name)
    if not callable(source) or inspect.isclass(source):
        raise ConfigurationError(
            f"{source!r:.60} is not a valid tool: pass a function, a pydantic model class or a mapping "
            "with name, description and parameters."
        )
    return _from_function(source, name)


def as_tools(sources: Any) -> tuple[Tool, ...]:
    """Convert the argument `tools=` to tools.

    Raises
    ------
    ConfigurationError
        One of them is not a valid tool, or two have the same name.
    """
    if sources is None:
        return ()
    if isinstance(sources, (Mapping, Tool, str)) or not isinstance(sources, Iterable):
        raise ConfigurationError("tools must be a list: tools=[function, ...].")
    tools = tuple(as_tool(source) for source in sources)
    seen: set[str] = set()
    for each in tools:
        if each.name in seen:
            raise ConfigurationError(f"Two tools have the name {each.name!r}.")
        seen.add(each.name)
    return tools


def check_tool_choice(choice: str | None, tools: tuple[Tool, ...]) -> str | None:
    """Return a valid `tool_choice`.

    Raises
    ------
    ConfigurationError
        It is neither a known value nor the name of a tool, or there are no tools.
    """
    if choice is None:
        return None
    names = [each.name for each in tools]
    known = (*CHOICES, *names)
    if choice not in known:
        raise ConfigurationError(
            f"tool_choice: {choice!r} is not a valid value.{did_you_mean(str(choice), known)} Expected one of "
            f"{', '.join(known)}."
        )
    if not tools and choice != "none":
        raise ConfigurationError(f"tool_choice={choice!r} needs tools=[...].")
    return choice


# ---- functions -----------------------------------------------------------------------------------


def _from_function(function: Callable[..., Any], name: str | None) -> Tool:
    tool_name = name or getattr(function, "__name__", None)
    if tool_name is None or tool_name == "<lambda>":
        raise ConfigurationError(
            f"{function!r:.60} has no name; pass one: allos.tool(function, name='...')."
        )
    tool_name = _checked_name(tool_name)
    description, about = parse_docstring(function)
    model, names = arguments_model(function, tool_name, about)
    parameters = arguments_schema(model, tool_name)

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        filled = model.model_validate(arguments)
        # Only arguments from the model: for the others the function has its own defaults.
        return {names[at]: getattr(filled, at) for at in names if at in filled.model_fields_set}

    return Tool(
        spec=ToolSpec(name=tool_name, description=description, parameters=parameters),
        function=function,
        trusted=bool(getattr(function, "trusted", False)),
        _check=check,
    )


# ---- tools without a function --------------------------------------------------------------------------


def _from_model(model: Any, name: str | None) -> Tool:
    tool_name = _checked_name(name or model.__name__)
    description = inspect.cleandoc(model.__doc__ or "")
    parameters = arguments_schema(model, tool_name)
    parameters.pop("description", None)

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        filled = model.model_validate(arguments)
        return {at: getattr(filled, at) for at in type(filled).model_fields}

    return Tool(
        spec=ToolSpec(name=tool_name, description=description, parameters=parameters), _check=check
    )


def _from_mapping(given: Mapping[str, Any], name: str | None) -> Tool:
    inner = given.get("function")
    fields = inner if isinstance(inner, Mapping) else given
    parameters = fields.get("parameters", fields.get("input_schema"))
    tool_name = name or fields.get("name")
    if not isinstance(tool_name, str) or not isinstance(parameters, (Mapping, type(None))):
        raise ConfigurationError(
            "A tool as a mapping needs a name, and a JSON schema as parameters: "
            "{'name': ..., 'description': ..., 'parameters': {...}}."
        )
    spec = ToolSpec(
        name=_checked_name(tool_name),
        description=str(fields.get("description") or ""),
        strict=bool(fields.get("strict", False)),
        **({} if parameters is None else {"parameters": _sendable(parameters)}),
    )
    validate = JsonCheck(
        spec.parameters if parameters is None else parameters,
        f"The parameters schema of the tool {tool_name!r}",
    )

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        validate(arguments)
        return arguments

    return Tool(spec=spec, _check=check)


def _sendable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of arguments without what services refuse; calls are checked with the original."""
    return drop_patterns(inline_root_reference(parameters))  # type: ignore[no-any-return]  # a schema gives a schema


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is not a valid name of a tool: use letters, digits, _ and -, 64 at most."
        )
    return name
