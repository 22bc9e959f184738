from __future__ import annotations

from typing import Any

import pytest

from allos.wire.placeholders import says_nothing, word


@pytest.mark.parametrize(
    "value", [None, "", " ", "null", "None", 0, 0.0, False, {}, [], {"a": [{"b": ""}, 0]}]
)
def test_nothing(value: Any) -> None:
    """Empty values, words for nothing, and objects of such values say nothing."""
    assert says_nothing(value)
    assert word(value) is None


@pytest.mark.parametrize("value", ["x", 1, True, {"a": {"b": "x"}}, [0, "x"]])
def test_something(value: Any) -> None:
    """Any other value says something."""
    assert not says_nothing(value)
