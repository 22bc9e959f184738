"""Patterns that no service can enforce are left out, wherever they stand in a schema."""

from __future__ import annotations

from typing import Any

import pytest

from allos.tools.patterns import drop_patterns, is_enforceable


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^[a-z]+$", r"^\d{4}-\d{2}-\d{2}$", r"^(?:a|b)$", r"(a)(b)", "[A-Z]{3}", r"^\(\?\)$"),
        *(r"^[(?=]$", r"^a\\b$", r"^[\w.-]+@[\w.-]+$", r"^\+?\d+$", "", r"^[*+]?$", r"^\*\?$"),
    ],
)
def test_regular_patterns_stay(pattern: str) -> None:
    """What every grammar knows is enforced."""
    assert is_enforceable(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *("^(?!admin)", "^(?=.*a)", "(?<=a)b", "(?<!a)b", r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"),
        *(r"(a)\1", r"(?P<x>a)(?P=x)", r"\bword\b", r"a\B", r"\p{Lu}+", r"\Aa\Z", "(?i)a"),
        *("a*?", "a++", "a{2}?", "(?>a)", "^[é]+$", "(", "[", r"\u0041", 7, None),
    ],
)
def test_other_patterns_go(pattern: Any) -> None:
    """Look-around, references, boundaries, flags and what is no pattern at all are left out."""
    assert not is_enforceable(pattern)


def test_only_patterns_of_schemas_are_dropped() -> None:
    """Every place of a schema is looked at; values and fields of that name are left alone."""
    bad: dict[str, Any] = {"type": "string", "pattern": "^(?!x)"}
    good = {"type": "string", "pattern": "^x$"}
    schema = {
        "type": "object",
        "properties": {"pattern": bad, "list": {"items": bad}, "good": good},
        "anyOf": [bad, {"allOf": [bad]}],
        "additionalProperties": bad,
        "patternProperties": {"^(?=a)": good, "^b$": bad},
        "$defs": {"X": bad},
        "default": bad,
        "enum": [bad],
        "required": ["pattern"],
    }
    plain = {"type": "string"}

    assert drop_patterns(schema) == {
        "type": "object",
        "properties": {"pattern": plain, "list": {"items": plain}, "good": good},
        "anyOf": [plain, {"allOf": [plain]}],
        "additionalProperties": plain,
        "patternProperties": {"^b$": plain},
        "$defs": {"X": plain},
        "default": bad,
        "enum": [bad],
        "required": ["pattern"],
    }
    assert bad["pattern"] == "^(?!x)"
