"""Where logged rows stand in a grid: the log has no column for the layout of a comparison.

Calls of one comparison start side by side, so the order of their rows is a matter of luck; their
`task_key` says where each stood.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from allos.call_params import params_of

Row = Mapping[str, Any]

RUN = "_run"
"""Name under which a row may say to which of several runs it belongs; it has columns of its own then."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands, by indexes from 0."""

    column: int
    """Which model with which parameters."""
    row: int
    """Which prompt."""
    sample: int
    """Which repeat."""


def places(rows: Sequence[Row], *, is_one_run: bool = True) -> list[Place | None]:
    """Place of each row; without keys, columns are in the order of their first row.

    The rows of several runs keep their order: only the columns of each run are in the order they had.

    Parameters
    ----------
    rows : sequence of mapping
        With the log's columns.
    is_one_run : bool
        Whether they are of one comparison: then equal calls with the same `sample_index` were equal
        columns, or equal rows of its data. Else equal calls are repeats.

    Returns
    -------
    list of Place or None
        None for a call that was made again.

    Examples
    --------
    >>> rows = [{"model": name, "prompt": text} for text in ("One?", "Two?") for name in "ab"]
    >>> [(place.column, place.row) for place in places(rows)]
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """
    keys = [_GridKey.of(row) for row in rows] if is_one_run else []
    known = [key for key in keys if key is not None]
    if is_one_run and len(known) == len(rows):
        return _places_by_key(known)
    found = _places_by_order(rows, is_one_run=is_one_run)
    return found if is_one_run else _columns_by_key(rows, found)


_KEY = re.compile(r"p(\d+)-r(\d+)-c(\d+)-s(\d+)")


class _GridKey(NamedTuple):
    """What the `task_key` of a comparison says."""

    prompt: int
    row: int
    column: int
    sample: int

    @classmethod
    def of(cls, row: Row) -> _GridKey | None:
        found = _KEY.fullmatch(row.get("task_key") or "")
        return cls(*map(int, found.groups())) if found else None


def _places_by_key(keys: Sequence[_GridKey]) -> list[Place | None]:
    last = {key: at for at, key in enumerate(keys)}  # a call that was made again has an equal key
    columns = _ranks(key.column for key in keys)
    prompts = _ranks((key.prompt, key.row) for key in keys)
    return [
        Place(columns[key.column], prompts[key.prompt, key.row], key.sample)
        if last[key] == at
        else None
        for at, key in enumerate(keys)
    ]


def _columns_by_key(rows: Sequence[Row], found: Sequence[Place | None]) -> list[Place | None]:
    """The same places, with the columns of each comparison in the order they had there."""
    keys = [_GridKey.of(row) for row in rows]
    comparisons: dict[Hashable, int] = {}
    first: dict[int, tuple[int, int]] = {}
    for row, key, place in zip(rows, keys, found, strict=True):
        if key is None:
            return list(found)
        if place is not None:
            run = (row.get(RUN), row.get("comparison_id"))
            at = (comparisons.setdefault(run, len(comparisons)), key.column)
            first[place.column] = min(at, first.get(place.column, at))
    rank = {column: at for at, column in enumerate(sorted(first, key=lambda column: first[column]))}
    return [place and replace(place, column=rank[place.column]) for place in found]


def _ranks(values: Iterable[Any]) -> dict[Any, int]:
    return {value: rank for rank, value in enumerate(sorted(set(values)))}


def _places_by_order(rows: Sequence[Row], *, is_one_run: bool) -> list[Place | None]:
    calls = [_Call.of(row, is_one_run) for row in rows]
    turns = _turns(rows, calls, is_one_run)
    equal_columns = _equal_columns(calls, turns) if is_one_run else {}
    columns: dict[Hashable, int] = {}
    prompts: dict[Hashable, int] = {}
    found: list[Place | None] = []
    for call, turn in zip(calls, turns, strict=True):
        if turn is None:
            found.append(None)
            continue
        sample = call.sample if is_one_run else turn
        again, which = divmod(turn, equal_columns[call.column]) if is_one_run else (0, 0)
        found.append(
            Place(
                columns.setdefault((call.column, which), len(columns)),
                prompts.setdefault((call.prompt, again), len(prompts)),
                sample,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Call:
    """What makes two rows equal calls."""

    column: Hashable
    prompt: Hashable
    sample: int

    @classmethod
    def of(cls, row: Row, is_one_run: bool) -> _Call:
        params = json.dumps(params_of(row), sort_keys=True, default=str)
        asked = (row.get("messages") or row.get("prompt"), row.get("system"))
        sample = row.get("sample_index") or 0
        return cls(
            (row.get("provider"), row.get("model"), params, row.get(RUN)),
            asked,
            sample if is_one_run else 0,
        )


def _turns(rows: Sequence[Row], calls: Sequence[_Call], is_one_run: bool) -> list[int | None]:
    """Which of the equal calls each row is, from 0; None for one that was made again."""
    held: dict[_Call, list[int]] = defaultdict(list)
    turns: list[int | None] = []
    for at, call in enumerate(calls):
        before = held[call]
        turn = next(
            (n for n, other in enumerate(before) if is_one_run and _has_failed(rows[other])),
            len(before),
        )
        if turn < len(before):
            turns[before[turn]] = None
            before[turn] = at
        else:
            before.append(at)
        turns.append(turn)
    return turns


def _equal_columns(calls: Sequence[_Call], turns: Sequence[int | None]) -> dict[Hashable, int]:
    """How many equal columns there are of each: what every prompt has been asked at least so often."""
    counts: Counter[tuple[Hashable, Hashable, int]] = Counter(
        (call.column, call.prompt, call.sample)
        for call, turn in zip(calls, turns, strict=True)
        if turn is not None
    )
    fewest: dict[Hashable, int] = {}
    by_prompt: dict[tuple[Hashable, Hashable], int] = {}
    for (column, prompt, _), count in counts.items():
        by_prompt[column, prompt] = max(count, by_prompt.get((column, prompt), 0))
    for (column, _), count in by_prompt.items():
        fewest[column] = min(count, fewest.get(column, count))
    return fewest


def _has_failed(row: Row) -> bool:
    return row.get("status") in ("error", "cancelled") or row.get("error_type") is not None
