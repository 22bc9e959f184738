"""Types into the JSON schema of an answer, and answers back into values of the type.

pydantic and jsonschema are imported when the first schema is made.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from allos.errors import ConfigurationError
from allos.request import SchemaSpec

_WRAPPED = "value"
"""Name of the one field around a type that is no object, since services want an object."""

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n(.*?)\r?\n?```", re.DOTALL)

# What the services that enforce a schema let stand in it.
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)


def as_schema(source: Any) -> SchemaSpec | None:
    """Schema of an answer from what `schema=` was given.

    Parameters
    ----------
    source : type, mapping, SchemaSpec or None
        A pydantic model class, a dataclass, a TypedDict or any other type that pydantic knows
        (``list[City]``, an Enum); or a JSON schema, bare or as ``{"name": ..., "schema": ...}``.

    Raises
    ------
    ConfigurationError
        It is none of these, or the JSON schema is not one.

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
    """Whether this is a pydantic model class; loads no pydantic for anything else."""
    if not inspect.isclass(source) or not hasattr(source, "model_fields"):
        return False
    from pydantic import BaseModel

    return issubclass(source, BaseModel)


def json_schema(model: Any) -> dict[str, Any]:
    """JSON schema of a type or pydantic model, without made-up titles."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Plain(GenerateJsonSchema):
        ignored_warning_kinds = frozenset({"skipped-choice", "non-serializable-default"})  # type: ignore[assignment]  # any container does

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    adapter: TypeAdapter[Any] = TypeAdapter(_readable(model))
    schema = adapter.json_schema(schema_generator=Plain)
    schema.pop("title", None)
    return _rooted(schema)


def text_of(answer: str) -> str:
    """JSON text of an answer: what stands in its code fence, where it has one.

    Examples
    --------
    >>> text_of('Here it is:\\n```json\\n{"a": 1}\\n```')
    '{"a": 1}'
    """
    bare = answer.strip()
    if not bare.startswith(("{", "[", '"')) and (found := _FENCE.search(bare)):
        return found[1].strip()
    return bare


def why(exc: Exception) -> str:
    """First reasons of a failed check, without the values: those are the model's words."""
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
    """Reads an answer as a type. Holds the type alone, so that it can be pickled with it."""

    kind: Any
    wrapped: bool

    def __call__(self, answer: str) -> Any:
        from pydantic import ValidationError

        text = text_of(answer)
        adapter = _adapter(self.kind)
        try:
            if not self.wrapped:
                return adapter.validate_json(text)
            return adapter.validate_json(json.dumps(_load(text)[_WRAPPED]))
        except (KeyError, TypeError):
            raise ValueError(f"it has no field {_WRAPPED!r}") from None
        except ValidationError as exc:
            raise ValueError(why(exc)) from None


def _adapter(kind: Any) -> Any:
    try:
        return _kept_adapter(kind)
    except TypeError:  # a type that has no hash
        return _kept_adapter.__wrapped__(kind)


@lru_cache(maxsize=256)
def _kept_adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(_readable(kind))


def _from_type(kind: Any) -> SchemaSpec:
    from pydantic.errors import PydanticUserError

    if isinstance(kind, str):
        raise ConfigurationError(
            f"schema takes a type or a JSON schema as a mapping, not the text {kind!r:.80}; "
            "json.loads makes a mapping of JSON."
        )
    if inspect.isroutine(kind):
        raise ConfigurationError(f"schema takes a type or a JSON schema, not {kind!r:.80}.")
    try:
        schema = json_schema(kind)
    except (PydanticUserError, TypeError, AttributeError, NameError) as exc:
        first = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise ConfigurationError(
            f"schema cannot be {kind!r:.80}: pass a pydantic model, a dataclass, a TypedDict or a "
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
    enforced = strictly(schema)
    own = kind.__name__ if inspect.isclass(kind) and not hasattr(kind, "__args__") else str(kind)
    return SchemaSpec(
        name=_safe(re.sub(r"\w+\.", "", own)),
        schema=schema if enforced is None else enforced,
        description=description,
        strict=enforced is not None,
        parse=_TypeReader(kind, wrapped),
    )


def _readable(kind: Any) -> Any:
    """Type as pydantic takes it: before Python 3.12 `typing.TypedDict` lacks what it needs."""
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
    made = typing_.TypedDict(kind.__name__, fields)  # type: ignore[misc]  # made at run time
    made.__doc__ = kind.__doc__
    return made


def _rooted(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose root is no reference (a recursive type's is)."""
    target = _target(schema, schema)
    if target is None:
        return schema
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**deepcopy(target), **rest}


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "answer"


# ---- JSON schemas --------------------------------------------------------------------------------


class JsonCheck:
    """Checks values against a JSON schema; looks nothing up on the network.

    Parameters
    ----------
    schema : mapping
    what : str
        What it is, for the message.

    Raises
    ------
    ConfigurationError
        It is no JSON schema.
    """

    def __init__(self, schema: Mapping[str, Any], what: str) -> None:
        from jsonschema.exceptions import (  # type: ignore[import-untyped]  # ships no types
            SchemaError as NotASchema,
        )

        self.schema = deepcopy(dict(schema))
        try:
            _validator_class(self.schema).check_schema(self.schema)
        except NotASchema as exc:
            raise ConfigurationError(f"{what} are no JSON schema: {exc.message:.200}") from None

    def __call__(self, value: Any) -> None:
        """Raise a ValueError that says what does not match, where something does not."""
        from jsonschema.exceptions import best_match
        from referencing import Registry

        validator = _validator_class(self.schema)(self.schema, registry=Registry())
        error = best_match(validator.iter_errors(value))
        if error is None:
            return
        where = ".".join(str(step) for step in error.absolute_path)
        rule = (
            f"does not match {error.validator} {json.dumps(error.validator_value, default=str):.80}"
        )
        if error.validator == "required":
            rule = error.message  # names our field; holds nothing of the model's
        raise ValueError(f"{where}: {rule}" if where else rule)


def _validator_class(schema: Mapping[str, Any]) -> Any:
    from jsonschema import (  # type: ignore[import-untyped]  # ships no types
        Draft202012Validator,
        validators,
    )

    return validators.validator_for(schema, default=Draft202012Validator)


@dataclass(frozen=True, slots=True)
class _JsonReader:
    """Reads an answer as JSON that matches a schema."""

    check: JsonCheck

    def __call__(self, answer: str) -> Any:
        value = _load(text_of(answer))
        self.check(value)
        return value


def _from_json_schema(given: Mapping[str, Any]) -> SchemaSpec:
    inner = given.get("json_schema", given)
    named = isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping)
    schema = dict(inner["schema"] if named else given)
    name = (inner.get("name") if named else None) or schema.get("title") or "answer"
    description = (inner.get("description") if named else None) or schema.get("description")
    if schema.get("type") != "object":
        raise ConfigurationError(
            "schema as a mapping must be a JSON schema of an object: {'type': 'object', "
            "'properties': {...}}."
        )
    check = JsonCheck(schema, "The words of schema")
    enforced = strictly(schema)
    return SchemaSpec(
        name=_safe(str(name)),
        schema=schema if enforced is None else enforced,
        description=description if isinstance(description, str) else None,
        strict=enforced is not None,
        parse=_JsonReader(check),
    )


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise ValueError(f"it is no JSON ({exc})") from None


# ---- what a service can enforce ------------------------------------------------------------------


def strictly(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Schema as the services that enforce it want it; None where that is impossible.

    Every field is required, no other is allowed, and there are no defaults. What matches the
    result matches the original. Free-form mappings and values of any kind cannot be enforced.
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    try:
        made: dict[str, Any] = _strict(dict(schema), schema, ())
    except _Free:
        return None
    return made


class _Free(Exception):
    """A part of a schema allows more than a service can enforce."""


_KEEP = frozenset(
    {"type", "title", "description", "enum", "const", "$ref", "pattern", "minItems", "maxItems"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "required"}
)
_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})


def _strict(part: Any, root: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(part, Mapping):  # true allows anything
        raise _Free
    if "$ref" in part and len(part) > 1 and "$defs" not in part:
        # Nothing may stand beside a reference; one that leads back to itself loses what does.
        if part["$ref"] in within or (target := _target(part, root)) is None:
            return {"$ref": part["$ref"]}
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _strict({**target, **beside}, root, (*within, part["$ref"]))
    made: dict[str, Any] = {key: deepcopy(part[key]) for key in part if key in _KEEP}
    if part.get("format") in _FORMATS:
        made["format"] = part["format"]
    if unknown := {"allOf", "not", "prefixItems", "patternProperties", "if"} & set(part):
        if unknown == {"allOf"} and len(part["allOf"]) == 1:
            rest = {key: value for key, value in part.items() if key != "allOf"}
            return _strict({**part["allOf"][0], **rest}, root, within)
        raise _Free
    if variants := part.get("anyOf") or part.get("oneOf"):
        made["anyOf"] = [_strict(variant, root, within) for variant in variants]
    kinds = made.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds or "properties" in part:
        if part.get("additionalProperties", False) not in (False, True):
            raise _Free
        properties = part.get("properties", {})
        if "properties" not in part:  # whatever fields the model likes
            raise _Free
        made["type"] = made.get("type", "object")
        made["properties"] = {
            key: _strict(value, root, within) for key, value in properties.items()
        }
        made["required"] = list(properties)
        made["additionalProperties"] = False
    if "array" in kinds:
        made["items"] = _strict(part.get("items", True), root, within)
    if not {"type", "enum", "const", "$ref", "anyOf"} & set(made):
        raise _Free
    if "$defs" in part:
        made["$defs"] = {key: _strict(value, root, within) for key, value in part["$defs"].items()}
    return made


def _target(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a reference into the schema's own definitions leads to."""
    ref = part.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#/$defs/"):
        return None
    found = root.get("$defs", {}).get(ref.removeprefix("#/$defs/"))
    return found if isinstance(found, Mapping) else None
