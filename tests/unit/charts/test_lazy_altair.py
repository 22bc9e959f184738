from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from types import ModuleType, SimpleNamespace

import pytest

from allos.charts import lazy_altair
from allos.charts.lazy_altair import alt


def test_looking_at_it_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What walks through modules, such as doctest, needs no Altair; what draws does."""
    monkeypatch.setitem(sys.modules, "altair", None)

    assert inspect.unwrap(alt) is alt
    with pytest.raises(ImportError):
        alt.Chart  # noqa: B018 - looking it up is the test


def test_a_slow_parser_is_left_out_until_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What jsonschema imports of it while Altair is imported still checks, by the real one."""
    for name in ("jsonschema", "rfc3987_syntax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: SimpleNamespace())
    real = ModuleType("rfc3987_syntax")
    real.is_valid_syntax = lambda term, value: (term, value) == ("iri", "a:b")  # type: ignore[attr-defined]

    with lazy_altair._without_parser():
        is_valid_syntax = importlib.import_module("rfc3987_syntax").is_valid_syntax
    assert "rfc3987_syntax" not in sys.modules
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", real)

    assert is_valid_syntax("iri", "a:b")
    assert not is_valid_syntax("iri", "b")
