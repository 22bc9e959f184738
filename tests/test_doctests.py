"""The examples in docstrings run and show what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import allos


def modules() -> list[str]:
    """All modules of the package, those that need an extra or are scripts left out."""
    found = pkgutil.walk_packages(allos.__path__, "allos.")
    return ["allos", *(info.name for info in found if not info.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_doctests(name: str) -> None:
    """Every example in a docstring runs and shows what it says."""
    module: ModuleType = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

    assert doctest.testmod(module, optionflags=flags).failed == 0
