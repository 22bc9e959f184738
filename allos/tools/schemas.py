"""JSON schemas from types, and values of the types from answers.

pydantic and the validator of JSON schemas are imported when the first schema is created.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from allos.errors import ConfigurationError
from allos.request import SchemaSpec
from allos.tools.json_check import JsonCheck
from allos.tools.json_in_text import first_match
from allos.tools.patterns import drop_patterns
from allos.tools.strict_schemas import inline_root_reference, to_strict_schema

_WRAPPED = "value"
"""Field that wraps a type that is not an object, since services require an object."""


def as_schema(source: Any) -> SchemaSpec | None:
    """Convert the argument `schema=` to a schema.

    Parameters
    ----------
    source : type, mapping, SchemaSpec or None
        A pydantic model class, a dataclass, a TypedDict or any other type that pydantic supports
        (``list[City]``, an Enum); or a JSON schema, bare or as ``{"name": ..., "schema": ...}``.

    Raises
    ------
    ConfigurationError
        It is none of these, or not a valid JSON schema.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class City:
    ...     name: str
    ...     people: int
    >>> schema = as_schema(City)
    >>> schema.name, schema.schema["required"], schema.strict
    ('City', ['name', 'people'], True)
    >>> schema.parse('{"name": "Rome", "people": 2750000}')
    City(name='Rome', people=2750000)
    """
    if source is None or isinstance(source, SchemaSpec):
        return source
    if isinstance(source, Mapping):
        return _from_json_schema(source)
    return _from_type(source)


def is_model(source: Any) -> bool:
    """Whether this is a pydantic model class; does not import pydantic for anything else."""
    if not inspect.isclass(source) or not hasattr(source, "model_fields"):
        return False
    from pydantic import BaseModel

    return issubclass(source, BaseModel)


def json_schema(model: Any) -> dict[str, Any]:
    """JSON schema of a type or pydantic model, without generated titles."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Plain(GenerateJsonSchema):
        ignored_warning_kinds = frozenset({"skipped-choice", "non-serializable-default"})  # type: ignore[assignment]  # any container does

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    adapter: TypeAdapter[Any] = TypeAdapter(_readable(model))
    schema = adapter.json_schema(schema_generator=Plain)
    schema.pop("title", None)
    return inline_root_reference(schema)


def validation_message(exc: Exception) -> str:
    """Message of a failed validation: its first errors, without values from the model."""
    if not hasattr(exc, "errors"):
        return str(exc) if isinstance(exc, ValueError) else type(exc).__name__
    found = exc.errors(include_url=False, include_input=False, include_context=False)
    shown = []
    for error in found[:3]:
        where = ".".join(str(step) for step in error["loc"])
        shown.append(f"{where}: {error['msg']}" if where else str(error["msg"]))
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(shown) + more


# ---- types ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TypeReader:
    """Parses an answer as a type. Only references the type, so that it can be pickled."""

    kind: Any
    wrapped: bool

    def __call__(self, answer: str) -> Any:
        return first_match(answer, self._unwrapped if self.wrapped else self._validated)

    def _unwrapped(self, text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, dict):  # the list or scalar itself
            return self._validated(text)
        if _WRAPPED not in value:
            try:
                return self._validated(text)
            except ValueError:
                raise ValueError(f"the field {_WRAPPED!r} is missing") from None
        try:
            return self._validated(json.dumps(value[_WRAPPED]))
        except ValueError as exc:
            with suppress(ValueError):  # a type with such a field of its own
                return self._validated(text)
            raise exc from None

    def _validated(self, text: str) -> Any:
        from pydantic import ValidationError

        try:
            return _adapter(self.kind).validate_json(text)
        except ValidationError as exc:
            raise ValueError(validation_message(exc)) from None


def _adapter(kind: Any) -> Any:
    try:
        return _cached_adapter(kind)
    except TypeError:  # a type that is not hashable
        return _cached_adapter.__wrapped__(kind)


# A pure cache: building an adapter takes milliseconds.
@lru_cache(maxsize=256)
def _cached_adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(_readable(kind))


def _from_type(kind: Any) -> SchemaSpec:
    from pydantic.errors import PydanticUserError

    if isinstance(kind, str):
        raise ConfigurationError(
            f"schema must be a type or a JSON schema as a mapping, got the string {kind!r:.80}; "
            "json.loads parses JSON."
        )
    if inspect.isroutine(kind):
        raise ConfigurationError(f"schema must be a type or a JSON schema, got {kind!r:.80}.")
    try:
        schema = json_schema(kind)
    except (PydanticUserError, TypeError, AttributeError, NameError) as exc:
        first = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise ConfigurationError(
            f"{kind!r:.80} is not a valid schema: pass a pydantic model, a dataclass, a TypedDict or a "
            f"JSON schema ({first:.120})"
        ) from None
    description = schema.pop("description", None)
    wrapped = schema.get("type") != "object"
    if wrapped:
        defs = schema.pop("$defs", None)
        schema = {
            "type": "object",
            "properties": {_WRAPPED: schema},
            "required": [_WRAPPED],
            "additionalProperties": False,
            **({"$defs": defs} if defs else {}),
        }
    enforced = to_strict_schema(schema)
    type_name = (
        kind.__name__ if inspect.isclass(kind) and not hasattr(kind, "__args__") else str(kind)
    )
    return SchemaSpec(
        name=_safe_name(re.sub(r"\w+\.", "", type_name)),
        schema=drop_patterns(schema) if enforced is None else enforced,
        description=description,
        strict=enforced is not None,
        parse=_TypeReader(kind, wrapped),
    )


def _readable(kind: Any) -> Any:
    """Type that pydantic accepts: before Python 3.12 it rejects `typing.TypedDict`."""
    from typing import get_origin, get_type_hints, is_typeddict

    if sys.version_info >= (3, 12) or not is_typeddict(kind) or type(kind).__module__ != "typing":
        return kind
    import typing_extensions as typing_

    hints = get_type_hints(kind, include_extras=True)
    marks = (typing_.Required, typing_.NotRequired)
    fields = {
        name: hint
        if get_origin(hint) in marks or name in kind.__required_keys__
        else typing_.NotRequired[hint]
        for name, hint in hints.items()
    }
    converted = typing_.TypedDict(kind.__name__, fields)  # type: ignore[misc]  # created at run time
    converted.__doc__ = kind.__doc__
    return converted


def _safe_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "answer"


# ---- JSON schemas --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _JsonReader:
    """Parses an answer as JSON that matches a schema."""

    check: JsonCheck

    def __call__(self, answer: str) -> Any:
        return first_match(answer, self._checked)

    def _checked(self, text: str) -> Any:
        value = json.loads(text)
        self.check(value)
        return value


def _from_json_schema(given: Mapping[str, Any]) -> SchemaSpec:
    inner = given.get("json_schema", given)
    named = isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping)
    schema = inline_root_reference(inner["schema"] if named else given)
    name = (inner.get("name") if named else None) or schema.get("title") or "answer"
    description = (inner.get("description") if named else None) or schema.get("description")
    if schema.get("type") != "object":
        raise ConfigurationError(
            "schema as a mapping must be a JSON schema of an object: {'type': 'object', "
            "'properties': {...}}."
        )
    check = JsonCheck(schema, "schema")
    enforced = to_strict_schema(schema)
    return SchemaSpec(
        name=_safe_name(str(name)),
        schema=drop_patterns(schema) if enforced is None else enforced,
        description=description if isinstance(description, str) else None,
        strict=enforced is not None,
        parse=_JsonReader(check),
    )
