from __future__ import annotations

import pytest

import allos


def test_all_is_sorted_and_there() -> None:
    """The public face is `__all__`, sorted, and every name of it is there."""
    assert allos.__all__ == sorted(allos.__all__)
    assert dir(allos) == allos.__all__
    for name in allos.__all__:
        assert getattr(allos, name) is not None


def test_unknown_name() -> None:
    """A name that is not public is an ordinary AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        allos.nope  # noqa: B018 - the access is the test
