"""What users read is said in the field's words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "allos").rglob("*.py"))
TEXTS = [
    "README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("[!_]*/**/*.md")),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb")),
]
UNUSUAL = re.compile(
    r"stopped: \w|\btok(?!/s)\b|\bfirst (?:[\d.]+ m?s\b|\{)|cost –|spent –|takes a text|a whole number from"
    r"|stands alone on|Nothing runs\.|\bmend\b|wrote no text|does not tell its|had no room|all the same\?"
)


@pytest.mark.parametrize("name", SOURCES)
def test_messages(name: str) -> None:
    """No string of the package has a word that we have replaced; docstrings are not shown."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert [text for text in strings if UNUSUAL.search(text)] == []


@pytest.mark.parametrize("name", TEXTS)
def test_pages(name: str) -> None:
    """Nor has a page, or what a shipped notebook shows."""
    assert UNUSUAL.findall((ROOT / name).read_text(encoding="utf-8")) == []
