from __future__ import annotations

import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.ids import RandomBytes, UlidMaker, new_id, new_ulid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ulid_is_the_number_in_crockford_base_32(now_ms: int, randomness: bytes) -> None:
    """Read as base 32, a ULID gives time and randomness back."""
    ulid = new_ulid(now_ms, randomness)
    number = 0
    for letter in ulid:
        number = number * 32 + ALPHABET.index(letter)

    assert len(ulid) == 26
    assert number >> 80 == now_ms
    assert (number & (2**80 - 1)).to_bytes(10, "big") == randomness


@pytest.mark.parametrize(("now_ms", "size"), [(-1, 10), (2**48, 10), (0, 9), (0, 11)])
def test_wrong_parts_are_refused(now_ms: int, size: int) -> None:
    """A time out of range or the wrong amount of randomness is a ValueError."""
    with pytest.raises(ValueError, match="ULID"):
        new_ulid(now_ms, bytes(size))


def test_ulids_grow_in_one_millisecond_and_when_the_clock_steps_back() -> None:
    """Ids made one after the other are sorted and different, whatever the clock does."""
    times = iter([5] * 500 + [3] * 500 + [6])
    maker = UlidMaker(clock=lambda: next(times), random=os.urandom)
    made = [maker() for _ in range(1001)]

    assert made == sorted(set(made))


def test_two_makers_from_one_state_part_ways() -> None:
    """After a fork in one millisecond, parent and child make different ids."""
    parent = UlidMaker(clock=lambda: 1, random=os.urandom)
    parent()
    child = UlidMaker(clock=lambda: 1, random=os.urandom)
    child._last = parent._last

    assert parent() != child()


def test_ids_sort_by_time() -> None:
    """Ids are ULIDs, later ones sort later, and none comes twice from several threads."""
    found: list[list[str]] = [[] for _ in range(4)]

    def make(mine: list[str]) -> None:
        mine += [new_id() for _ in range(500)]

    threads = [threading.Thread(target=make, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(mine == sorted(mine) for mine in found)
    assert len({id_ for mine in found for id_ in mine}) == 2000
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", new_id())


def test_random_bytes_are_read_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte is given twice, and a forked process reads its own."""
    reads: list[int] = []

    def urandom(count: int) -> bytes:
        reads.append(count)
        return bytes(number % 256 for number in range(count))

    monkeypatch.setattr("allos.ids.os.urandom", urandom)
    draw = RandomBytes()
    found = [draw(10) for _ in range(409)]

    assert found[:2] == [bytes(range(10)), bytes(range(10, 20))]
    assert reads == [4096]
    draw(10)
    assert reads == [4096] * 2
    monkeypatch.setattr("allos.ids.os.getpid", lambda: -1)
    assert draw(10) == bytes(range(10))
    assert reads == [4096] * 3
