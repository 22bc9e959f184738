from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from allos.runs.batching.rare_collections import THRESHOLD, RareCollections


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*before)


def test_the_last_one_restores_what_was() -> None:
    """Two batches at once; each may begin and end more than once."""
    one, other = RareCollections(), RareCollections()
    one.begin()
    one.begin()
    other.begin()
    assert gc.get_threshold()[0] == THRESHOLD
    one.end()
    one.end()
    assert gc.get_threshold()[0] == THRESHOLD
    other.end()
    assert gc.get_threshold()[0] == 701


@pytest.mark.parametrize("own", [0, THRESHOLD + 1])
def test_what_the_user_has_set_stays(own: int) -> None:
    """The collector is off, or as rare already; or it is changed meanwhile."""
    rare = RareCollections()
    gc.set_threshold(own, 11, 12)
    rare.begin()
    assert gc.get_threshold()[0] == own
    rare.end()
    gc.set_threshold(701, 11, 12)
    rare.begin()
    gc.set_threshold(900, 11, 12)
    rare.end()
    assert gc.get_threshold()[0] == 900
