"""Where tests lie: `tests/unit` mirrors the package, file for file."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "tests" / "unit"
_SPECIAL = {"init": "__init__", "main": "__main__"}


@pytest.mark.parametrize(
    "test", [str(path.relative_to(UNIT)) for path in sorted(UNIT.rglob("test_*.py"))]
)
def test_each_unit_test_has_its_module(test: str) -> None:
    """Who looks for the tests of a module, or for what a test is about, finds it by its name."""
    path = Path(test)
    name = path.stem.removeprefix("test_")

    assert (ROOT / "allos" / path.parent / f"{_SPECIAL.get(name, name)}.py").is_file()
