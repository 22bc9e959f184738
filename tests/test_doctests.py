"""The examples in docstrings run and show what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import allos
from allos.providers.catalog import model_cache


def modules() -> list[str]:
    """All modules of the package, those that need an extra or are scripts left out."""
    found = pkgutil.walk_packages(allos.__path__, "allos.")
    return ["allos", *(info.name for info in found if not info.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_doctests(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example in a docstring runs and shows what it says."""
    # No list of models that another test has cached, in memory or on disk.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model_cache.forget()
    module: ModuleType = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

    assert doctest.testmod(module, optionflags=flags).failed == 0
