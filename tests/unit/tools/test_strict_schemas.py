"""Schemas that services can enforce: what stays, what goes, and where references lead."""

from __future__ import annotations

import math
from typing import Any

import pytest

from allos.tools.strict_schemas import inline_root_reference, to_strict_schema

NODE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}},
}


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def strict_field(**field: Any) -> Any:
    strict = to_strict_schema(fields(a=field))
    return strict and strict["properties"]["a"]


@pytest.mark.parametrize(
    ("field", "strict"),
    [
        ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a$"}),
        ({"type": "string", "pattern": "^(?!a)"}, {"type": "string"}),
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
        ({"type": "string", "format": "uri"}, {"type": "string"}),
        ({"type": "number", "maximum": 3}, {"type": "number", "maximum": 3}),
        ({"type": "number", "maximum": math.inf}, {"type": "number"}),
        ({"type": "number", "minimum": math.nan}, {"type": "number"}),
        ({"type": "string", "minLength": 3, "default": "a"}, {"type": "string"}),
        (
            {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "(?=a)"}]},
            {"anyOf": [{"type": "number"}, {"type": "string"}]},
        ),
    ],
)
def test_what_services_cannot_enforce_is_left_out(field: Any, strict: Any) -> None:
    """The contents of a keyword decide, not its name alone."""
    assert strict_field(**field) == strict


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/Node"}, "Node": NODE}},
        {
            "$ref": "#/definitions/Node",
            "definitions": {
                "Node": fields(name={"type": "string"}, next={"$ref": "#/definitions/Node"})
            },
        },
    ],
)
def test_reference_at_the_root(schema: dict[str, Any]) -> None:
    """The root becomes the object that it refers to; definitions stand where services look."""
    strict = to_strict_schema(schema)

    assert strict is not None
    assert strict["type"] == "object"
    assert "definitions" not in strict
    assert strict["properties"]["next"] == {"$ref": "#/$defs/Node"}
    assert strict["$defs"]["Node"]["additionalProperties"] is False


def test_references() -> None:
    """References to other places are replaced by what is there; those to nothing cannot be kept."""
    first = {"type": "string", "description": "first"}
    schema = fields(first=first, other={"$ref": "#/properties/first"}, whole={"$ref": "#"})
    strict = to_strict_schema(schema)

    assert strict is not None
    assert strict["properties"]["other"] == first
    assert strict["properties"]["whole"] == {"$ref": "#"}
    assert strict_field(**{"$ref": "https://example.com/schema.json"}) is None
    assert strict_field(**{"$ref": "#/$defs/Missing"}) is None
    assert strict_field(**{"$ref": "#/properties/a"}) is None


def test_circle_of_references() -> None:
    """A root that only leads in a circle is left as it is."""
    circle = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}},
    }

    assert "$ref" in inline_root_reference(circle)
    assert to_strict_schema(circle) is None


def test_definitions_survive_a_merge() -> None:
    """The definitions of a root that is put together of parts are kept."""
    schema = {"type": "object", "allOf": [{"$ref": "#/$defs/Node"}], "$defs": {"Node": NODE}}
    strict = to_strict_schema(schema)

    assert strict is not None
    assert set(strict["properties"]) == {"name", "next"}
    assert set(strict["$defs"]) == {"Node"}
