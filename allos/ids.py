"""Ids of responses, comparisons and conversations: ULIDs, 26 characters that sort by time.

Layout (48 bits of milliseconds, 80 random bits, Crockford's base
32) after https://github.com/ulid/spec.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# ten bits at a time: 13 lookups instead of 26
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_SHIFTS = tuple(range(120, -1, -10))

_RANDOM_BYTES = 10
_STEP_BYTES = 6
_READ_BYTES = 4096


def _encode(value: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


def new_ulid(now_ms: int, randomness: bytes) -> str:
    """Return the ULID of a timestamp.

    Parameters
    ----------
    now_ms : int
        Milliseconds since 1970-01-01 UTC, below 2**48.
    randomness : bytes
        10 random bytes.

    Raises
    ------
    ValueError
        Timestamp out of range, or not 10 bytes.

    Examples
    --------
    >>> new_ulid(1_700_000_000_000, bytes(10))
    '01HF7YAT000000000000000000'
    """
    if len(randomness) != _RANDOM_BYTES:
        raise ValueError(f"a ULID needs {_RANDOM_BYTES} random bytes, got {len(randomness)}")
    if not 0 <= now_ms < 1 << 48:
        raise ValueError(f"{now_ms} ms is out of the range of a ULID")
    return _encode((now_ms << 80) | int.from_bytes(randomness, "big"))


class UlidMaker:
    """Monotonic ULIDs, also within one millisecond and when the clock is set back.

    Parameters
    ----------
    clock : callable
        Milliseconds since 1970-01-01 UTC.
    random : callable
        Returns that many random bytes, as `os.urandom`.

    Examples
    --------
    >>> maker = UlidMaker(clock=lambda: 1_700_000_000_000, random=bytes)
    >>> first, second = maker(), maker()
    >>> first < second
    True
    """

    __slots__ = ("_clock", "_last", "_lock", "_random")

    def __init__(self, clock: Callable[[], int], random: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random = random
        self._last = -1
        self._lock = threading.Lock()  # guards: every new id is greater than `_last`

    def __call__(self) -> str:
        """Return the next ULID, greater than all before."""
        now_ms = self._clock()
        with self._lock:
            if now_ms > self._last >> 80:
                value = (now_ms << 80) | int.from_bytes(self._random(_RANDOM_BYTES), "big")
            else:
                # A random step, not 1: forked processes share their state, but must not share ids.
                value = self._last + 1 + int.from_bytes(self._random(_STEP_BYTES), "big")
            self._last = value
        return _encode(value)


class RandomBytes:
    """Random bytes of the system, read many at a time.

    Each read releases the interpreter's lock, and the loop thread would wait for it again. A forked
    process reads its own. One thread at a time.

    Examples
    --------
    >>> draw = RandomBytes()
    >>> len(draw(10)), draw(10) != draw(10)
    (10, True)
    """

    __slots__ = ("_at", "_bytes", "_pid")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self._pid = 0

    def __call__(self, count: int) -> bytes:
        """Return so many bytes."""
        start, pid = self._at, os.getpid()
        if start + count > len(self._bytes) or pid != self._pid:
            self._bytes, self._pid, start = os.urandom(max(count, _READ_BYTES)), pid, 0
        self._at = start + count
        return self._bytes[start : self._at]


# State of the process: its last id.
_maker = UlidMaker(lambda: time.time_ns() // 1_000_000, RandomBytes())


def new_id() -> str:
    """Return a fresh ULID: 26 characters, later ones sort later."""
    return _maker()


def time_of(ulid: str) -> int:
    """Milliseconds since 1970 of an id, or of one with a prefix.

    Examples
    --------
    >>> time_of("cmp_01HF7YAT000000000000000000")
    1700000000000
    """
    value = 0
    for letter in ulid.rpartition("_")[2][:10]:
        value = value * 32 + _ALPHABET.index(letter)
    return value
