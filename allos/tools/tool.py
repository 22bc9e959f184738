"""Functions into tools: what a model is told of them, and the check of what it passes to them.

pydantic and docstring_parser are imported when the first tool is made.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from allos.errors import ConfigurationError, ToolError, did_you_mean
from allos.request import ToolSpec
from allos.tools.schemas import JsonCheck, is_model, strictly, why
from allos.wire.tool_fields import CHOICES

Tools = Sequence[Any]
"""What `tools=` takes: functions, pydantic model classes, mappings and tools, mixed."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: what a model is told of it, and what runs when the model asks for it.

    Made by `tool`, or from a plain function wherever `tools=` is taken. Calling it calls the
    function, unchecked.
    """

    spec: ToolSpec
    """What a model is told."""
    function: Callable[..., Any] | None = None
    """What runs; None for a tool that is only described: its calls come back to the caller."""
    trusted: bool = False
    """Runs without asking, also where a person could be asked."""
    _check: Callable[[dict[str, Any]], dict[str, Any]] = field(repr=False)

    @property
    def name(self) -> str:
        """The name that a model calls it by."""
        return self.spec.name

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as the function takes them: converted to its types.

        Parameters
        ----------
        arguments : mapping
            As the model wrote them.

        Raises
        ------
        ToolError
            They do not fit; the message is short and meant for the model.

        Examples
        --------
        >>> def double(number: int) -> int:
        ...     return 2 * number
        >>> as_tool(double).check({"number": "21"})
        {'number': 21}
        """
        try:
            return self._check(dict(arguments))
        except Exception as exc:  # noqa: BLE001 - pydantic's, and whatever a type's own code raises
            raise ToolError(f"the arguments do not fit {self.name}: {why(exc)}") from None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, unchecked."""
        if self.function is None:
            raise ToolError(f"the tool {self.name!r} is only described; it has no function to run")
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
    """Make a function a tool; also a decorator, with or without arguments.

    Plain functions go into `tools=` as they are. This is for another name or description, or to say
    that a tool runs without asking.

    Parameters
    ----------
    source : callable, pydantic model class, mapping or Tool
        What `tools=` takes.
    name, description : str or None
        In place of the function's own.
    trusted : bool or None
        Run it without asking, also in a notebook.
    strict : bool or None
        Ask the service to hold the model to the schema.

    Raises
    ------
    ConfigurationError
        It cannot be a tool; the message says why.

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
    made = as_tool(source, name=name)
    spec = made.spec
    parameters: Mapping[str, Any] = spec.parameters
    if strict:
        enforced = strictly(parameters)
        if enforced is None:
            raise ConfigurationError(
                f"The tool {spec.name!r} cannot be strict: some of its arguments may hold anything."
            )
        parameters = enforced
    told = ToolSpec(
        name=spec.name,
        description=spec.description if description is None else description,
        parameters=parameters,
        strict=spec.strict if strict is None else strict,
    )
    return Tool(
        spec=told,
        function=made.function,
        trusted=made.trusted if trusted is None else trusted,
        _check=made._check,
    )


def as_tool(source: Any, *, name: str | None = None) -> Tool:
    """Tool from a function, a pydantic model class, a description as a mapping, or a tool.

    Parameters
    ----------
    source : callable, type, mapping or Tool
        A function, plain or async: its name, docstring (numpydoc or Google), type hints and
        defaults tell the model about it. A pydantic model class or a mapping (``name``,
        ``description``, ``parameters``, bare or inside OpenAI's ``{"type": "function"}``) only
        describes a tool; its calls come back to the caller.
    name : str or None
        In place of its own.

    Raises
    ------
    ConfigurationError
        It cannot be a tool; the message says why.

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
        told = ToolSpec(
            name=_named(name),
            description=spec.description,
            parameters=spec.parameters,
            strict=spec.strict,
        )
        return Tool(
            spec=told, function=source.function, trusted=source.trusted, _check=source._check
        )
    if isinstance(source, Mapping):
        return _from_mapping(source, name)
    if is_model(source):
        return _from_model(source, name)
    if not callable(source) or inspect.isclass(source):
        raise ConfigurationError(
            f"{source!r:.60} cannot be a tool: pass a function, a pydantic model class or a mapping "
            "with name, description and parameters."
        )
    return _from_function(source, name)


def as_tools(sources: Any) -> tuple[Tool, ...]:
    """Tools from what `tools=` was given.

    Raises
    ------
    ConfigurationError
        One of them cannot be a tool, or two have one name.
    """
    if sources is None:
        return ()
    if isinstance(sources, (Mapping, Tool, str)) or not isinstance(sources, Iterable):
        raise ConfigurationError("tools takes a list: tools=[function, ...].")
    tools = tuple(as_tool(source) for source in sources)
    seen: set[str] = set()
    for each in tools:
        if each.name in seen:
            raise ConfigurationError(f"Two tools are called {each.name!r}.")
        seen.add(each.name)
    return tools


def checked_choice(choice: str | None, tools: tuple[Tool, ...]) -> str | None:
    """`tool_choice` as given, once it is known to make sense.

    Raises
    ------
    ConfigurationError
        It is neither a word of ours nor a tool's name, or there are no tools to choose from.
    """
    if choice is None:
        return None
    names = [each.name for each in tools]
    known = (*CHOICES, *names)
    if choice not in known:
        raise ConfigurationError(
            f"tool_choice cannot be {choice!r}.{did_you_mean(str(choice), known)} It is one of "
            f"{', '.join(known)}."
        )
    if not tools and choice != "none":
        raise ConfigurationError(f"tool_choice={choice!r} needs tools=[...].")
    return choice


# ---- functions -----------------------------------------------------------------------------------


def _from_function(function: Callable[..., Any], name: str | None) -> Tool:
    told = name or getattr(function, "__name__", None)
    if told is None or told == "<lambda>":
        raise ConfigurationError(
            f"{function!r:.60} has no name for a model to call: allos.tool(function, name='...')."
        )
    told = _named(told)
    description, about = _documented(function)
    model, names = _arguments_model(function, told, about)
    parameters = _json_schema(model, told)

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        filled = model.model_validate(arguments)
        # Only what the model gave: the function's own defaults stand for the rest.
        return {names[at]: getattr(filled, at) for at in names if at in filled.model_fields_set}

    return Tool(
        spec=ToolSpec(name=told, description=description, parameters=parameters),
        function=function,
        trusted=bool(getattr(function, "trusted", False)),
        _check=check,
    )


def _arguments_model(
    function: Callable[..., Any], name: str, about: Mapping[str, str]
) -> tuple[Any, dict[str, str]]:
    """A pydantic model of a function's arguments, and its fields' names to the arguments'."""
    from pydantic import ConfigDict, Field, create_model

    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"The tool {name!r} cannot be described: Python does not tell its arguments."
        ) from None
    hints = _hints(function, name)
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for number, (argument, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind in _VARIADIC or parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigurationError(
                f"The tool {name!r} cannot have the argument {parameter}: a model passes each "
                "argument by its name."
            )
        hint = hints.get(argument, Any)
        # Numbered, because a model's field may be called neither _x nor schema.
        at = f"a{number}"
        names[at] = argument
        description = _told_by(hint) or about.get(argument)
        default = ... if parameter.default is parameter.empty else parameter.default
        told = Field(default, alias=argument, description=description)
        fields[at] = (hint, told)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    try:
        return create_model(f"{name}_arguments", __config__=config, **fields), names
    except Exception as exc:  # noqa: BLE001 - pydantic's many ways to refuse a type
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


def _told_by(hint: Any) -> str | None:
    """Description inside ``Annotated[type, "description"]`` or ``Annotated[type, Field(...)]``."""
    for extra in getattr(hint, "__metadata__", ()):
        told = extra if isinstance(extra, str) else getattr(extra, "description", None)
        if isinstance(told, str):
            return told
    return None


def _json_schema(model: Any, name: str) -> dict[str, Any]:
    from pydantic.errors import PydanticInvalidForJsonSchema

    from allos.tools.schemas import json_schema

    try:
        schema = json_schema(model)
    except PydanticInvalidForJsonSchema as exc:
        raise ConfigurationError(
            f"The tool {name!r} has an argument that JSON cannot hold: {_first_line(exc)}"
        ) from None
    schema.setdefault("properties", {})
    return schema


def _documented(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """What a docstring says of a function, and of its parameters by name."""
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


# ---- descriptions alone --------------------------------------------------------------------------


def _from_model(model: Any, name: str | None) -> Tool:
    told = _named(name or model.__name__)
    description = inspect.cleandoc(model.__doc__ or "")
    parameters = _json_schema(model, told)
    parameters.pop("description", None)

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        filled = model.model_validate(arguments)
        return {at: getattr(filled, at) for at in type(filled).model_fields}

    return Tool(
        spec=ToolSpec(name=told, description=description, parameters=parameters), _check=check
    )


def _from_mapping(given: Mapping[str, Any], name: str | None) -> Tool:
    inner = given.get("function")
    told = inner if isinstance(inner, Mapping) else given
    parameters = told.get("parameters", told.get("input_schema"))
    own = name or told.get("name")
    if not isinstance(own, str) or not isinstance(parameters, (Mapping, type(None))):
        raise ConfigurationError(
            "A tool as a mapping needs a name, and parameters that are a JSON schema: "
            "{'name': ..., 'description': ..., 'parameters': {...}}."
        )
    spec = ToolSpec(
        name=_named(own),
        description=str(told.get("description") or ""),
        strict=bool(told.get("strict", False)),
        **({"parameters": dict(parameters)} if parameters is not None else {}),
    )
    conforms = JsonCheck(spec.parameters, f"The parameters of the tool {own!r}")

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        conforms(arguments)
        return arguments

    return Tool(spec=spec, _check=check)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"A tool cannot be called {name!r}: letters, digits, _ and - only, 64 at most."
        )
    return name


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
