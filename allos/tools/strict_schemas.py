"""JSON schemas that services can enforce."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from allos.tools.patterns import is_enforceable

# Formats that services allow in an enforced schema.
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
_DEFS = ("#/$defs/", "#/definitions/")
"""Where references lead to; services know the first."""


def to_strict_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Convert a schema to one that services can enforce; None where that is impossible.

    Every field is required, no other is allowed, and there are no defaults. Values that match the
    result match the original. Free-form mappings and fields of any type cannot be enforced.
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    schema = inline_root_reference(schema)
    if "$ref" in schema:
        return None
    try:
        strict: dict[str, Any] = _strict(schema, schema, ())
    except _NotEnforceable:
        return None
    return strict


def inline_root_reference(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Schema whose root is not a reference, as that of a recursive type is; its definitions in ``$defs``.

    Examples
    --------
    >>> node = {"type": "object", "properties": {"next": {"$ref": "#/definitions/Node"}}}
    >>> inline_root_reference({"$ref": "#/definitions/Node", "definitions": {"Node": node}})["type"]
    'object'
    """
    root = deepcopy(dict(schema))
    for _ in range(_MAX_REFERENCES):
        target = _target(root, root)
        if target is None or target is root:
            break
        root = {**target, **{key: value for key, value in root.items() if key != "$ref"}}
    return root


_MAX_REFERENCES = 100
"""References that lead to references; a longer chain is a circle."""


class _NotEnforceable(Exception):
    """A part of a schema allows more than a service can enforce."""


_KEEP = frozenset(
    {"type", "title", "description", "enum", "const", "minItems", "maxItems", "required"}
)
_LIMITS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})


def _strict(part: Any, root: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(part, Mapping):  # true allows anything
        raise _NotEnforceable
    if "$ref" in part:
        return _reference(part, root, within)
    strict: dict[str, Any] = {key: deepcopy(part[key]) for key in part if key in _KEEP}
    # Names of keywords are not enough: these have values that no service knows.
    if part.get("format") in _FORMATS:
        strict["format"] = part["format"]
    if is_enforceable(part.get("pattern")):
        strict["pattern"] = part["pattern"]
    strict |= {key: part[key] for key in part if key in _LIMITS and _is_finite(part[key])}
    if unknown := {"allOf", "not", "prefixItems", "patternProperties", "if"} & set(part):
        if unknown == {"allOf"} and len(part["allOf"]) == 1:
            rest = {key: value for key, value in part.items() if key != "allOf"}
            return _strict({**part["allOf"][0], **rest}, root, within)
        raise _NotEnforceable
    if variants := part.get("anyOf") or part.get("oneOf"):
        strict["anyOf"] = [_strict(variant, root, within) for variant in variants]
    kinds = strict.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds or "properties" in part:
        if part.get("additionalProperties", False) not in (False, True):
            raise _NotEnforceable
        properties = part.get("properties", {})
        if "properties" not in part:  # any fields are allowed
            raise _NotEnforceable
        strict["type"] = strict.get("type", "object")
        strict["properties"] = {
            key: _strict(value, root, within) for key, value in properties.items()
        }
        strict["required"] = list(properties)
        strict["additionalProperties"] = False
    if "array" in kinds:
        strict["items"] = _strict(part.get("items", True), root, within)
    if not {"type", "enum", "const", "anyOf"} & set(strict):
        raise _NotEnforceable
    if "$defs" in part or "definitions" in part:  # the root, or what it was merged into
        strict["$defs"] = {
            name: _strict(value, root, within) for name, value in _definitions(root).items()
        }
    return strict


def _reference(
    part: Mapping[str, Any], root: Mapping[str, Any], within: tuple[str, ...]
) -> dict[str, Any]:
    """A reference to a definition; the target itself where it has siblings or is elsewhere."""
    ref = part["$ref"]
    target = _target(part, root)
    if target is None:
        raise _NotEnforceable
    name = next((ref.removeprefix(at) for at in _DEFS if ref.startswith(at)), "/")
    is_known = ref == "#" or name in _definitions(root)
    beside = {key: value for key, value in part.items() if key != "$ref"}
    if is_known and (not beside or ref in within):  # a recursive one loses its siblings
        return {"$ref": ref if ref == "#" else f"{_DEFS[0]}{name}"}
    if ref in within:
        raise _NotEnforceable
    return _strict({**target, **beside}, root, (*within, ref))


def _definitions(root: Mapping[str, Any]) -> dict[str, Any]:
    tables = (root.get("definitions"), root.get("$defs"))
    return {
        name: value
        for table in tables
        if isinstance(table, Mapping)
        for name, value in table.items()
    }


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _target(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Target of a reference into the schema itself."""
    ref = part.get("$ref")
    if not isinstance(ref, str) or (ref != "#" and not ref.startswith("#/")):
        return None
    at: Any = root
    for step in unquote(ref[1:]).split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        at = at.get(step) if isinstance(at, Mapping) else None
    return at if isinstance(at, Mapping) else None
