"""Validation against a JSON schema, by jsonschema-rs or, where it is not installed, by jsonschema.

Both are correct; the first is there in milliseconds. In JupyterLab's environment importing jsonschema
takes well over a second, since it loads the grammars of all formats that JupyterLab asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from allos.errors import ConfigurationError


class _Mismatch(NamedTuple):
    """Where a value does not match, and what it breaks there."""

    path: tuple[str | int, ...]
    keyword: str
    expected: Any
    """The keyword's value in the schema."""
    message: str


_Check = Callable[[Any], Iterable[_Mismatch]]


class JsonCheck:
    """Validates values against a JSON schema; makes no network requests. Can be pickled.

    Parameters
    ----------
    schema : mapping
    what : str
        What it is, for the error message.

    Raises
    ------
    ConfigurationError
        It is not a valid JSON schema.
    """

    def __init__(self, schema: Mapping[str, Any], what: str) -> None:
        self.schema = deepcopy(dict(schema))
        self._what = what
        try:
            self._mismatches = _compile(self.schema)
        except ValueError as exc:
            raise ConfigurationError(f"{what} is not a valid JSON schema: {exc!s:.200}") from None

    def __reduce__(self) -> tuple[type[JsonCheck], tuple[dict[str, Any], str]]:
        return JsonCheck, (self.schema, self._what)

    def __call__(self, value: Any) -> None:
        """Raise a ValueError if a value does not match."""
        found = min(self._mismatches(value), key=lambda each: len(each.path), default=None)
        if found is None:
            return
        where = ".".join(map(str, found.path))
        rule = f"does not match {found.keyword} {json.dumps(found.expected, default=str):.80}"
        if found.keyword == "required":
            rule = found.message  # contains the name of the field, and no value from the model
        raise ValueError(f"{where}: {rule}" if where else rule)


def _compile(schema: dict[str, Any]) -> _Check:
    """Prepare a schema; raises a ValueError where it is not valid."""
    try:
        import jsonschema_rs
    except ImportError:
        return _compile_slowly(schema)
    try:
        validator = jsonschema_rs.validator_for(schema, offline=True, validate_formats=False)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as exc:
        raise ValueError(getattr(exc, "message", str(exc))) from None

    def mismatches(value: Any) -> Iterable[_Mismatch]:
        for error in validator.iter_errors(value):
            path = error.schema_path
            yield _Mismatch(
                tuple(error.instance_path),
                str(path[-1]) if path else "",
                _value_at(schema, path),
                error.message,
            )

    return mismatches


def _value_at(schema: Any, path: Iterable[str | int]) -> Any:
    """Value at a path of keywords, which may lead through references into the schema's own parts."""
    root = schema
    for step in path:
        if step == "$ref" and isinstance(schema, dict):
            ref = schema.get("$ref")
            schema = root
            for key in str(ref).removeprefix("#").strip("/").split("/"):
                schema = schema.get(key) if isinstance(schema, dict) else None
            continue
        try:
            schema = schema[step]
        except (KeyError, IndexError, TypeError):
            return None
    return schema


def _compile_slowly(schema: dict[str, Any]) -> _Check:
    from jsonschema import (  # type: ignore[import-untyped]  # ships no types
        Draft202012Validator,
        validators,
    )
    from jsonschema.exceptions import (  # type: ignore[import-untyped]
        SchemaError as NotASchema,
    )
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator_class = validators.validator_for(schema, default=Draft202012Validator)
    try:
        validator_class.check_schema(schema)
    except NotASchema as exc:
        raise ValueError(exc.message) from None
    validator = validator_class(schema, registry=Registry())

    def mismatches(value: Any) -> Iterable[_Mismatch]:
        try:
            for error in validator.iter_errors(value):
                yield _Mismatch(
                    tuple(error.absolute_path),
                    error.validator,
                    error.validator_value,
                    error.message,
                )
        except Unresolvable as exc:
            raise ValueError(f"the schema refers to what is not in it: {exc!s:.200}") from None

    return mismatches
