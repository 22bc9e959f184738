from __future__ import annotations

import pickle
import sys
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.tools.json_check import JsonCheck

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^(?!admin)[a-z]+$"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "born": {"type": "string", "format": "date"},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/friend"}},
    },
    "required": ["name"],
    "$defs": {"friend": {"type": "object", "properties": {"since": {"type": "integer"}}}},
}


@pytest.fixture(params=["jsonschema_rs", "jsonschema"], autouse=True)
def validator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two packages; the other one is hidden."""
    hidden = {"jsonschema_rs": "jsonschema", "jsonschema": "jsonschema_rs"}[request.param]
    monkeypatch.setitem(sys.modules, hidden, None)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "ada"},
        {"name": "ada", "age": 36, "born": "not a date: formats are not checked", "more": 1},
        {"name": "ada", "friends": [{"since": 1}, {}]},
        {"name": "ada", "age": 36.0},
    ],
)
def test_match(value: Any) -> None:
    JsonCheck(PERSON, "schema")(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, r"^['\"]name['\"] is a required property"),
        ({"name": "ada", "age": "old"}, 'age: does not match type "integer"'),
        ({"name": "ada", "age": 151}, "age: does not match maximum 150"),
        ({"name": "adminx"}, "name: does not match pattern "),
        ({"name": "ada", "friends": [{}, {"since": "x"}]}, "friends.1.since: does not match type"),
        ([], 'does not match type "object"'),
        ("secret text", 'does not match type "object"'),
    ],
)
def test_mismatch(value: Any, said: str) -> None:
    """The message names the place and the rule, and nothing that the model wrote."""
    with pytest.raises(ValueError, match=said) as caught:
        JsonCheck(PERSON, "schema")(value)
    assert "old" not in str(caught.value).replace("threshold", "")
    assert "secret" not in str(caught.value)


def test_rule_behind_a_reference_is_named() -> None:
    with pytest.raises(ValueError, match=r"friends\.0\.since: does not match type"):
        JsonCheck(PERSON, "schema")({"name": "ada", "friends": [{"since": None}]})


@pytest.mark.parametrize("invalid", [{"type": "nothing"}, {"type": "object", "required": 3}])
def test_invalid_schema(invalid: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationError, match="the schema is not a valid JSON schema: "
    ) as caught:
        JsonCheck(invalid, "the schema")
    assert "\n" not in str(caught.value)


def test_draft_is_respected() -> None:
    """In draft 4 an exclusive minimum is a flag beside the minimum."""
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3}
    check = JsonCheck({**old, "exclusiveMinimum": True}, "schema")
    check(4)
    with pytest.raises(ValueError, match="inimum"):
        check(3)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to somewhere else is no reason to go there."""
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    schema = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}}
    with pytest.raises((ConfigurationError, ValueError)):
        JsonCheck(schema, "schema")({"a": 1})


def test_comes_back_from_a_pickle() -> None:
    check = pickle.loads(pickle.dumps(JsonCheck(PERSON, "schema")))
    check({"name": "ada"})
    with pytest.raises(ValueError, match="required"):
        check({})
