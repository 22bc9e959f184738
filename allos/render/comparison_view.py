"""Everything that a table or a board draws of a comparison, as frozen data.

`Comparison.view` makes a view of a live or finished run; `ComparisonView.from_frame` makes one of
logged rows. What draws it cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from allos.messages import Message
from allos.parts import File, Image, format_size
from allos.render.logged_rows import message_count, params_of, prompt_labels, records, response_of
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

State = Literal["queued", "running", "waiting", "ok", "error", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """What every model was asked."""

    system: str = ""
    """System texts, joined by a blank line."""
    text: str = ""
    """Text of the last user message."""
    earlier_messages: int = 0
    """How many messages come before the last one, system messages not counted."""

    images: tuple[Image, ...] = ()
    """Images of the last user message."""
    files: tuple[str, ...] = ()
    """Labels of its other parts, such as ``report.pdf, 12 kB``."""

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Self:
        """View of a conversation that ends with the prompt."""
        system = [m.text for m in messages if m.role == "system" and m.text]
        prompts = [m.text for m in messages if m.role == "user"]
        last = next((m.content for m in reversed(messages) if m.role == "user"), None)
        parts = () if last is None or isinstance(last, str) else tuple(last)
        count = sum(m.role != "system" for m in messages)
        return cls(
            system="\n\n".join(system),
            text=(prompts[-1] if prompts else None) or "",
            earlier_messages=max(0, count - 1),
            images=tuple(part for part in parts if isinstance(part, Image)),
            files=tuple(
                f"{part.name}, {format_size(len(part.data))}"
                for part in parts
                if isinstance(part, File)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """One model with one set of parameters."""

    index: int
    """Its position, from 0."""
    name: str
    """``provider/model``."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One call at one moment."""

    column: int
    """Index of its column."""
    sample_index: int = 0
    """Which repeat it is, from 0."""
    state: State = "queued"
    text: str = ""
    """The text so far, while there is no response."""
    attempt: Mapping[str, Any] | None = None
    """The failed attempt that will be repeated: `message`, `attempt`, `max_attempts`."""
    response: ProviderResponse | None = None
    """The response, complete, partial or failed; None while the call is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """A comparison at one moment.

    Examples
    --------
    ::

        rows = allos.responses(since="1d")
        views = [ComparisonView.from_frame(each) for _, each in rows.groupby("comparison_id")]
    """

    id: str
    """``cmp_`` and a ULID."""
    prompt: PromptView
    columns: tuple[ColumnView, ...]
    cells: tuple[CellView, ...]
    n: int = 1
    """Repeats of every column."""
    logged: bool = True
    """Whether its answers are rows of the log."""

    def cells_of(self, column: ColumnView) -> list[CellView]:
        """Cells of one column, repeats in order."""
        return [cell for cell in self.cells if cell.column == column.index]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """View of one comparison from its logged rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows of one comparison with the log's columns; a column that is missing is unknown.

        Notes
        -----
        The log has no column for a comparison's layout. Columns are in the order of their first
        row. Equal calls (same model, parameters and `sample_index`) get columns of their own, except
        that a row replaces an earlier one that failed or was cancelled: that call was retried.

        Raises
        ------
        ValueError
            The rows belong to no comparison, or to several.
        """
        rows = records(frame)
        ids = {row.get("comparison_id") for row in rows}
        if len(ids) != 1 or None in ids:
            raise ValueError(
                f"expected the rows of one comparison, got {len(ids)} different comparison_id "
                "values: group the frame by comparison_id first"
            )
        columns, cells = _grid(rows)
        return cls(
            id=str(ids.pop()),
            prompt=PromptView(
                system=rows[0].get("system") or "",
                text=rows[0].get("prompt") or "",
                earlier_messages=max(0, message_count(rows[0]) - 1),
                files=tuple(prompt_labels(rows[0])),
            ),
            columns=columns,
            cells=cells,
            n=1 + max(cell.sample_index for cell in cells),
        )


def _grid(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[tuple[ColumnView, ...], tuple[CellView, ...]]:
    """Columns and cells of logged rows."""
    columns: list[ColumnView] = []
    cells: dict[tuple[int, int], CellView] = {}
    for row in rows:
        name = "/".join(part for part in (row.get("provider"), row.get("model")) if part)
        params = params_of(row)
        sample_index = row.get("sample_index") or 0
        column = next(
            (
                each
                for each in columns
                if (each.name, each.params) == (name, params)
                and _is_free(cells.get((each.index, sample_index)))
            ),
            None,
        )
        if column is None:
            column = ColumnView(index=len(columns), name=name, params=params)
            columns.append(column)
        response = response_of(row)
        cells[column.index, sample_index] = CellView(
            column=column.index,
            sample_index=sample_index,
            state=response.status,
            text=response.content,
            response=response,
        )
    return tuple(columns), tuple(cells[place] for place in sorted(cells))


def _is_free(cell: CellView | None) -> bool:
    return cell is None or cell.state in ("error", "cancelled")
