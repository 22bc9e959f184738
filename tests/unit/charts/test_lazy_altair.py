from __future__ import annotations

import inspect
import sys

import pytest

from allos.charts.lazy_altair import alt


def test_looking_at_it_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What walks through modules, such as doctest, needs no Altair; what draws does."""
    monkeypatch.setitem(sys.modules, "altair", None)

    assert inspect.unwrap(alt) is alt
    with pytest.raises(ImportError):
        alt.Chart  # noqa: B018 - looking it up is the test
