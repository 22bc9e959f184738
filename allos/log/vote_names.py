"""Names of the two sides of a vote: the model, and what tells it from those that it was compared with.

Two settings of one model are two sides like two models. What tells them apart is not stored with a vote: a
comparison may get more columns later, and then all of its votes have their names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

from allos.call_params import PARAM_COLUMNS, differing_labels, params_of, setting_labels
from allos.log.query import read
from allos.log.store.protocol import Store, Vote, Where

_COLUMNS = ("id", "comparison_id", "task_key", "provider", "model", *PARAM_COLUMNS, "params")
_AT_ONCE = 900
"""SQLite takes 999 values in a statement, if it is old."""
_GRID_KEY = re.compile(r"p\d+-r\d+-c(\d+)-s\d+")
_SYSTEM_CHARS = 24

Row = Mapping[Any, Any]


def name_sides(store: Store, votes: Sequence[Vote]) -> list[Vote]:
    """Votes with each side named as the columns of its comparison are now.

    Two answers that are not of one comparison are named by what their own calls differ in; what the log no
    longer has keeps the name that was stored. Sides of one setting have one name.
    """
    names = _names_in_comparisons(store, votes)
    named = [
        vote._replace(model_a=names[vote.response_a], model_b=names[vote.response_b])
        if vote.response_a in names and vote.response_b in names
        else vote
        for vote in votes
    ]
    alike = [vote for vote in named if vote.winner is not None and vote.model_a == vote.model_b]
    if not alike:
        return named
    ids = {id for vote in alike for id in (vote.response_a, vote.response_b) if id}
    rows = {row["id"]: row for row in _rows(store, "id", ids, (*_COLUMNS, "system"))}
    return [_told_apart(vote, rows) if vote.model_a == vote.model_b else vote for vote in named]


def named_model(row: Row) -> str | None:
    """``provider/model`` of a row."""
    return f"{row['provider']}/{row['model']}" if row["provider"] else row["model"]


def _names_in_comparisons(store: Store, votes: Sequence[Vote]) -> dict[str | None, str]:
    """Name of each answer of the comparisons that were voted on, by its id."""
    ids = {vote.comparison_id for vote in votes if vote.comparison_id is not None}
    by_comparison: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(store, "comparison_id", ids, _COLUMNS):
        by_comparison[row["comparison_id"]].append(row)
    names: dict[str | None, str] = {}
    for rows in by_comparison.values():
        columns = _columns_of(rows)
        first: dict[Any, Row] = {}
        for column, row in zip(columns, rows, strict=True):
            first.setdefault(column, row)
        keys = sorted(first) if all(isinstance(key, int) for key in first) else list(first)
        labels = setting_labels(
            [named_model(first[key]) or "" for key in keys],
            [params_of(first[key]) for key in keys],
        )
        of_column = dict(zip(keys, labels, strict=True))
        names |= {row["id"]: of_column[key] for key, row in zip(columns, rows, strict=True)}
    return names


def _columns_of(rows: Sequence[Row]) -> Sequence[Any]:
    """Column of each row of a comparison: its number, or where rows do not say it their parameters."""
    found = [_GRID_KEY.fullmatch(row["task_key"] or "") for row in rows]
    if all(found):
        return [int(match[1]) for match in found if match]
    return [
        tuple(
            map(repr, (row["provider"], row["model"], *map(row.get, PARAM_COLUMNS), row["params"]))
        )
        for row in rows
    ]


def _told_apart(vote: Vote, rows: Mapping[str, Row]) -> Vote:
    """The vote with its two answers named by what their calls differ in, system prompts among that."""
    pair = [rows.get(id or "") for id in (vote.response_a, vote.response_b)]
    calls = [row for row in pair if row is not None]
    if len(calls) < len(pair):
        return vote
    found = differing_labels([params_of(row) for row in calls])
    labels = [[*of_call, *system] for of_call, system in zip(found, _systems(calls), strict=True)]
    if labels[0] == labels[1]:
        return vote
    a, b = setting_labels([vote.model_a or ""] * 2, [{}, {}], labels)
    return vote._replace(model_a=a, model_b=b)


def _systems(calls: Sequence[Row]) -> list[list[str]]:
    """Label of the system prompt of each call, where they differ: its beginning, or what stands for it."""
    texts = [row["system"] or "" for row in calls]
    if len(set(texts)) == 1:
        return [[] for _ in texts]
    lines = [" ".join(text.split()) for text in texts]
    short = [
        line if len(line) <= _SYSTEM_CHARS else f"{line[: _SYSTEM_CHARS - 1]}…" for line in lines
    ]
    if len(set(short)) < len(short):
        return [[f"system {crc32(text.encode('utf-8', 'surrogatepass')):08x}"] for text in texts]
    return [[f'system "{line}"'] if line else [] for line in short]


def _rows(store: Store, column: str, values: set[str], names: Sequence[str]) -> Iterator[Row]:
    """Rows of the log with one of these values, oldest first for each nine hundred of them."""
    wanted = sorted(values)
    for start in range(0, len(wanted), _AT_ONCE):
        some = tuple(wanted[start : start + _AT_ONCE])
        frame = read(store, names, Where(any_of={column: some})).astype(object)
        yield from frame.where(frame.notna(), None).to_dict("records")
