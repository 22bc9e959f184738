from __future__ import annotations

import pytest

from allos import analysis


def test_public_names() -> None:
    """Each name is there, sorted; another one is an ordinary AttributeError."""
    assert analysis.__all__ == sorted(analysis.__all__) == dir(analysis)
    assert all(callable(getattr(analysis, name)) for name in analysis.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        analysis.nope  # noqa: B018 - the access is the test
