"""Regular expressions in JSON schemas, as far as services can enforce them.

A pattern that is left out costs nothing but enforcement: answers and arguments are checked here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_GROUP = re.compile(r"\(\?(?!:)")
_ESCAPE = re.compile(r"\\(?![dDwWsSnrtfv\W_])")
_LAZY = re.compile(r"[*+?}][?+]")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)

_SCHEMA = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties", "additionalItems"}
)
_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems", "items"})
_NAMED_SCHEMAS = frozenset(
    {"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"}
)


def is_enforceable(pattern: Any) -> bool:
    r"""Whether the grammars of services know all of a pattern.

    They are built of regular expressions in the strict sense: no look-around, no references to groups,
    no word boundaries, no flags; and services differ in Unicode. OpenAI answers 400 to look-around
    in any schema (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas, and
    what users report), llama.cpp to non-ASCII letters.

    Examples
    --------
    >>> is_enforceable(r"^(?:[A-Z]{2}|\d+)$")
    True
    >>> [p for p in (r"^(?!x)", r"(a)\1", r"\bword\b", r"\p{Lu}", "a+?") if is_enforceable(p)]
    []
    """
    if not isinstance(pattern, str) or not pattern.isascii():
        return False
    if _ESCAPE.search(pattern.replace("\\\\", "")):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    # What is special elsewhere is a character in a class or behind a backslash.
    syntax = _ESCAPED.sub("_", _CLASS.sub("_", _ESCAPED.sub("_", pattern)))
    return not (_GROUP.search(syntax) or _LAZY.search(syntax))


def drop_patterns(schema: Any) -> Any:
    """Copy of a schema without the patterns that services cannot enforce.

    Examples
    --------
    >>> drop_patterns({"properties": {"pattern": {"type": "string", "pattern": "^(?=a)"}}})
    {'properties': {'pattern': {'type': 'string'}}}
    """
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "pattern" and not is_enforceable(value):
            continue
        if key in _NAMED_SCHEMAS and isinstance(value, Mapping):
            kept[key] = {
                name: drop_patterns(inner)
                for name, inner in value.items()
                if key != "patternProperties" or is_enforceable(name)
            }
        elif key in _SCHEMAS and isinstance(value, list):
            kept[key] = [drop_patterns(inner) for inner in value]
        else:
            kept[key] = drop_patterns(value) if key in _SCHEMA else value
    return kept
