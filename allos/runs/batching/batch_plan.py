"""Which calls a batch makes, what each is called in the log, and in which order they start.

A call is known by its task key: row, column (model and parameters) and sample. The key of a row comes
from its values, not from its place, so that rows keep their answers when others are added, changed or
moved. See ``docs/explanation/batches.md``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from allos.hashing import messages_digest, tools_identity, value_digest
from allos.options import PARAMETERS
from allos.providers import Provider
from allos.runs.batching.data_rows import DataRows
from allos.runs.grid import Column, Grid
from allos.runs.task import Task
from allos.session import current_session
from allos.tools.schemas import as_schema
from allos.tools.tool import as_tools

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "bat_"
_ID_CHARS = 26
_ROW_BYTES = 10
_COLUMN_CHARS = 12
_ENDPOINT = ("base_url", "api")
_DEFAULTS = ("temperature", "max_tokens")
"""Parameters that the settings may give."""

LONG_PREFIX_CHARS = 4_000
"""A prefix that services keep in their cache: from 1,024 tokens on, at four characters each."""


class BatchPlan:
    """The calls of a batch, numbered as in its frame: row by row, model by model, sample by sample.

    Parameters
    ----------
    grid : Grid
        One prompt and the rows; or as many prompts as rows, which are then not the grid's.
    rows : DataRows
        The data.

    Examples
    --------
    >>> import pandas as pd
    >>> from allos.messages import Message
    >>> from allos.runs.grid import build_columns
    >>> rows = DataRows(pd.DataFrame({"text": ["a", "b"]}))
    >>> columns = build_columns(["groq/x", "groq/y"], [{}], {})
    >>> plan = BatchPlan(Grid([(Message("user", "Hi {{ text }}"),)], columns, rows=rows, n=3), rows)
    >>> len(plan), plan.parts(7)
    (12, (1, 0, 1))
    """

    def __init__(self, grid: Grid, rows: DataRows) -> None:
        self.grid = grid
        self.rows = rows
        self.names = grid.names
        self.is_chat = grid.rows is None
        """Whether every row is a conversation of its own, a prompt of the grid."""
        values = [rows.texts(name) for name in self.names]
        if self.is_chat:
            values = [[messages_digest(prompt) for prompt in grid.prompts]]
        self.row_keys = _row_keys(values, len(rows))
        self.column_keys = [_column_key(column) for column in grid.columns]

    @property
    def frame(self) -> pd.DataFrame:
        """The data."""
        return self.rows.frame

    def __len__(self) -> int:
        return len(self.rows) * len(self.grid.columns) * self.grid.n

    @cached_property
    def question(self) -> str:
        """Hash of what every row is asked; models, parameters and repeats are not part of it."""
        return "conversations" if self.is_chat else messages_digest(self.grid.prompts[0])

    @cached_property
    def id(self) -> str:
        """Id that follows from the question and the data alone."""
        digest = blake2b(self.question.encode(), digest_size=16)
        for key in self.row_keys:
            digest.update(key.encode())
        return PREFIX + base64.b32encode(digest.digest()).decode().rstrip("=").lower()[:_ID_CHARS]

    # ---- positions and keys ---------------------------------------------------------------------

    def position(self, row: int, column: int, sample: int) -> int:
        """Number of a call."""
        return (row * len(self.grid.columns) + column) * self.grid.n + sample

    def parts(self, position: int) -> tuple[int, int, int]:
        """Row, column and sample of a call."""
        rest, sample = divmod(position, self.grid.n)
        row, column = divmod(rest, len(self.grid.columns))
        return row, column, sample

    def key(self, position: int) -> str:
        """Name of a call in the log."""
        row, column, sample = self.parts(position)
        return f"{self.row_keys[row]}.{self.column_keys[column]}.{sample}"

    def find(self, key: str) -> int | None:
        """Number of the call with this key; None where the batch has none."""
        row_key, _, rest = key.partition(".")
        column_key, _, sample = rest.partition(".")
        row, column = self._rows_by_key.get(row_key), self._columns_by_key.get(column_key)
        if row is None or column is None or int(sample or -1) not in range(self.grid.n):
            return None
        return self.position(row, column, int(sample))

    @cached_property
    def _rows_by_key(self) -> Mapping[str, int]:
        return {key: row for row, key in enumerate(self.row_keys)}

    @cached_property
    def _columns_by_key(self) -> Mapping[str, int]:
        return {key: column for column, key in enumerate(self.column_keys)}

    def has_row_of(self, keys: Iterable[str]) -> bool:
        """Whether any of these calls is about a row of this data."""
        return any(key.partition(".")[0] in self._rows_by_key for key in keys)

    def task(self, position: int) -> Task:
        """The call as a task."""
        row, column, sample = self.parts(position)
        key = self.key(position)
        where = {"prompt": row} if self.is_chat else {"row": row}
        return self.grid.task(self.grid.columns[column], **where, sample=sample, key=key)

    def position_of(self, task: Task) -> int:
        """Number of the call that a task is of."""
        row = task.prompt if self.is_chat else task.row
        return self.position(row, task.column, task.sample)

    # ---- order ------------------------------------------------------------------------------------

    def groups(self) -> Iterator[range | list[int]]:
        """Rows that go together, in the order of their first: their prompts begin with the same text.

        Services keep the beginning of a prompt in a cache for some minutes and charge less for it.
        """
        first = self.rows.texts(self.names[0]) if len(self.names) > 1 else []
        if len(set(first)) == len(first):  # they have only the prompt's own beginning in common
            yield range(len(self.rows))
            return
        groups: dict[str, list[int]] = {}
        for row, text in enumerate(first):
            groups.setdefault(text, []).append(row)
        yield from groups.values()

    def prefix_chars(self, rows: range | list[int]) -> int:
        """Characters that the prompts of a group begin with, all of them the same."""
        if self.is_chat:  # they may have nothing in common
            return 0
        shared = sum(len(message.text or "") for message in self.grid.prompts[0])
        if self.names and isinstance(rows, list):
            shared += len(self.rows.texts(self.names[0])[rows[0]])
        return shared


def _row_keys(columns: list[list[str]], count: int) -> list[str]:
    """Key of each row, from the values that it puts into the prompt; equal rows are numbered."""
    seen: dict[str, int] = {}
    keys = []
    values: Iterable[tuple[str, ...]] = zip(*columns, strict=True) if columns else [()] * count
    for row in values:
        text = "\x1f".join(row)
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_ROW_BYTES).hexdigest()
        again = seen.get(key)
        if again is None:
            seen[key] = 1
        else:
            seen[key] = again + 1
            key = f"{key}~{again}"
        keys.append(key)
    return keys


def _column_key(column: Column) -> str:
    """Key of a model with its parameters, as far as they change what is asked."""
    params = column.params
    wanted = {name: params[name] for name in PARAMETERS if params.get(name) is not None}
    if isinstance(column.model, Provider):
        wanted = {**column.model.params, **wanted}
        where = [column.model.base_url, column.model.api]
    else:
        settings = current_session().settings
        defaults = {name: settings.get(name) for name in _DEFAULTS}
        wanted = {**{k: v for k, v in defaults.items() if v is not None}, **wanted}
        where = [str(params.get(name)) for name in _ENDPOINT]
    identity = {
        "model": column.name,
        "where": where,
        "params": {name: _plain_number(value) for name, value in wanted.items()},
        "extra": params.get("extra"),
        "tools": tools_identity(
            [tool.spec for tool in as_tools(params.get("tools") or ())],
            as_schema(params.get("schema")),
        ),
        "tool_choice": params.get("tool_choice"),
        "duplicate": column.duplicate_index,
    }
    return value_digest(identity)[:_COLUMN_CHARS]


def _plain_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
