"""Texts that were made of other texts, as long as they may be asked for again."""

from __future__ import annotations

from threading import Lock


class Recent:
    """A cache of bounded size; what was not asked for longest goes first. Any thread.

    An answer is shown several times: on the board, in the static table below it, which is drawn anew
    whenever another answer ends, and when its cell is shown again.

    Parameters
    ----------
    max_chars : int
        Of all texts together, those by which they are found included.

    Examples
    --------
    >>> recent = Recent(10)
    >>> recent.put("a", "<p>a</p>")
    >>> recent.get("a"), recent.get("b")
    ('<p>a</p>', None)
    >>> recent.put("b", "<p>b</p>")
    >>> recent.get("a")
    """

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._made: dict[str, str] = {}
        self._chars = 0
        # Invariant: `_chars` is the size of what is in `_made`.
        self._lock = Lock()

    def get(self, text: str) -> str | None:
        """What was made of a text; None where that is not known any more."""
        with self._lock:
            made = self._made.pop(text, None)
            if made is not None:
                self._made[text] = made
            return made

    def put(self, text: str, made: str) -> None:
        """Keep what was made of a text."""
        with self._lock:
            self._drop(text)
            size = len(text) + len(made)
            if size > self._max_chars:
                return
            self._made[text] = made
            self._chars += size
            while self._chars > self._max_chars:
                self._drop(next(iter(self._made)))

    def _drop(self, text: str) -> None:
        made = self._made.pop(text, None)
        if made is not None:
            self._chars -= len(text) + len(made)
