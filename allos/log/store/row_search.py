"""Searching row by row: in every row's prompt and content, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from allos.log.blocks import Block, block_from_rows
from allos.log.store.protocol import Where
from allos.log.text_folding import has_words, split_words

_AT_ONCE = 500
"""Matches that are looked up in the log at once, until enough of them meet the filters."""


class SearchableRows(Protocol):
    """What searching needs of a snapshot."""

    def texts_newest_first(self, where: Where) -> Iterator[tuple[int, str | None, str | None]]:
        """`seq`, prompt and content of the selected rows."""

    def rows(
        self, seqs: Sequence[int], where: Where, columns: Sequence[str]
    ) -> Mapping[int, tuple[Any, ...]]:
        """Values of those of the rows that are selected, by their `seq`."""


def scanned(snapshot: SearchableRows, words: Sequence[str], where: Where, limit: int) -> list[int]:
    """`seq` of the newest rows that have all the words; where there is none, parts of words count."""
    whole: list[int] = []
    parts: list[int] = []
    for seq, *texts in snapshot.texts_newest_first(where):
        split = [split_words(text) for text in texts if isinstance(text, str)]
        if _have_all(split, words, inside=False):
            whole.append(seq)
            if len(whole) >= limit:
                break
        elif len(parts) < limit and not whole and _have_all(split, words, inside=True):
            parts.append(seq)
    return whole or parts


def _have_all(texts: Sequence[str], words: Sequence[str], *, inside: bool) -> bool:
    return all(any(has_words(text, word, inside=inside) for text in texts) for word in words)


def block_of(
    snapshot: SearchableRows,
    seqs: Sequence[int],
    where: Where,
    columns: Sequence[str],
    limit: int,
) -> Block:
    """The found rows that are selected, in their order."""
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(seqs), _AT_ONCE):
        some = seqs[start : start + max(_AT_ONCE if where != Where() else 0, limit - len(rows))]
        found = snapshot.rows(some, where, columns)
        rows += [found[seq] for seq in some if seq in found]
        if len(rows) >= limit:
            break
    return block_from_rows(columns, rows[:limit])
