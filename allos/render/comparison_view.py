"""Everything that a table or a board draws of a comparison, as frozen data.

`Comparison.view` makes a view of a live or finished run; `ComparisonView.from_frame` and `from_rows`
make one of logged rows. What draws it cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from allos.call_params import params_of
from allos.messages import Message
from allos.parts import File, Image, format_size
from allos.render.logged_places import RUN, places
from allos.render.logged_rows import (
    message_count,
    prompt_labels,
    records,
    response_of,
    variables_of,
)
from allos.render.plain import visible_name
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

NAMELESS_MODEL = "unnamed model"
"""Name of a column whose rows do not say which model they are of."""

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


@dataclass(frozen=True, slots=True)
class Tint:
    """Colour of a column or of an answer."""

    slot: int
    """Which colour, from 0; -1 is none."""
    shade: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """One model with one set of parameters, or what its answers have in common where they are arranged anew."""

    index: int
    """Its position, from 0."""
    name: str
    """``provider/model``; empty where it is not one model."""
    params: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""
    """Label of the run that it belongs to, where several stand side by side."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What else its answers have in common, by variable, see `allos.render.arrangement`."""
    tint: Tint | None = None
    """Its colour, where that is not its model's."""

    @property
    def heading(self) -> tuple[str, str]:
        """Model, which is never blank, and service, as they stand above a column.

        Examples
        --------
        >>> ColumnView(index=0, name="groq/openai/gpt-oss-20b").heading
        ('openai/gpt-oss-20b', 'groq')
        >>> ColumnView(index=0, name="my-model").heading
        ('my-model', '')
        """
        service, slash, model = self.name.partition("/")
        if not slash:
            service, model = "", service
        return visible_name(model, NAMELESS_MODEL), visible_name(service, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One prompt of several: a text of its own, or a row of the data put into a template."""

    index: int
    """Its position, from 0."""
    prompt: PromptView
    """What was asked, with the row's values put in."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values that were put in, by name."""
    change: float | None = None
    """How much the answers of several runs differ, from 0 to 1; None where one stands alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One call at one moment."""

    column: int
    """Index of its column."""
    row: int = 0
    """Index of its prompt; 0 where there is only one."""
    sample_index: int = 0
    """Which repeat it is, from 0."""
    state: State = "queued"
    text: str = ""
    """The text so far, while there is no response."""
    attempt: Mapping[str, Any] | None = None
    """The failed attempt that will be repeated: `message`, `attempt`, `max_attempts`."""
    response: ProviderResponse | None = None
    """The response, complete, partial or failed; None while the call is under way."""
    rating: int | None = None
    """A person's rating of it, where the log has one."""
    label: str = ""
    """What tells its call from others in its place, where they are not all repeats of one."""
    tint: Tint | None = None
    """Its colour, where that is not its column's."""


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
    """What was asked; with several prompts the template that they were made of, as far as it is known."""
    columns: tuple[ColumnView, ...]
    cells: tuple[CellView, ...]
    rows: tuple[RowView, ...] = ()
    """The prompts, where there are several."""
    n: int = 1
    """Repeats of every call."""
    logged: bool = True
    """Whether its answers are rows of the log under `id`."""
    is_race: bool = True
    """Whether its calls were started together, so that it says something which finished first."""

    def cells_of(self, column: ColumnView, row: int | None = None) -> list[CellView]:
        """Cells of one column, repeats in order; of all prompts, or of one."""
        return [
            cell
            for cell in self.cells
            if cell.column == column.index and (row is None or cell.row == row)
        ]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """View of one comparison from its logged rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows of one comparison with the log's columns; a column that is missing is unknown.

        Notes
        -----
        The log has no column for a comparison's layout. Columns and prompts are in the order of their
        first row. Equal calls (same prompt, model, parameters and `sample_index`) get columns of their
        own, except that a row replaces an earlier one that failed or was cancelled: that call was
        retried.

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
        return cls._of(str(ids.pop()), rows, is_one_run=True)

    @classmethod
    def from_rows(cls, frame: pd.DataFrame, id: str, *, runs: Sequence[str] | None = None) -> Self:
        """View of any logged rows: equal calls are repeats, whichever comparison they are of.

        Parameters
        ----------
        frame : pandas.DataFrame
            With the log's columns; a column that is missing is unknown.
        id : str
            Names the view.
        runs : sequence of str, or None
            Label of each row's run; each run has columns of its own.
        """
        rows = records(frame)
        if runs is not None:
            rows = [{**row, RUN: run} for row, run in zip(rows, runs, strict=True)]
        return replace(cls._of(id, rows, is_one_run=False), logged=False, is_race=False)

    @classmethod
    def _of(cls, id: str, rows: Sequence[Mapping[str, Any]], *, is_one_run: bool) -> Self:
        at = places(rows, is_one_run=is_one_run)
        placed = [(row, place) for row, place in zip(rows, at, strict=True) if place is not None]
        columns: dict[int, ColumnView] = {}
        prompts: dict[int, RowView] = {}
        cells = []
        for row, place in placed:
            if place.column not in columns:
                columns[place.column] = ColumnView(
                    index=place.column,
                    name=_name_of(row),
                    params=params_of(row),
                    run=row.get(RUN) or "",
                )
            if place.row not in prompts:
                prompts[place.row] = RowView(
                    index=place.row, prompt=_prompt_of(row), values=variables_of(row)
                )
            response = response_of(row)
            cells.append(
                CellView(
                    column=place.column,
                    row=place.row,
                    sample_index=place.sample,
                    state=response.status,
                    text=response.content,
                    response=response,
                    rating=row.get("rating"),
                )
            )
        cells.sort(key=lambda cell: (cell.column, cell.row, cell.sample_index))
        in_order = tuple(prompts[at] for at in sorted(prompts))
        several = in_order if len(in_order) > 1 else ()
        return cls(
            id=id,
            prompt=shared_prompt([row.prompt for row in in_order]),
            columns=tuple(columns[at] for at in sorted(columns)),
            cells=tuple(cells),
            rows=several,
            n=1 + max((cell.sample_index for cell in cells), default=0),
        )


def _name_of(row: Mapping[str, Any]) -> str:
    """``provider/model``, as far as the row has them."""
    service = visible_name(row.get("provider"), "")
    model = visible_name(row.get("model"), NAMELESS_MODEL)
    return f"{service}/{model}" if service else model


def shared_prompt(prompts: Sequence[PromptView]) -> PromptView:
    """What several prompts have in common: the one there is, or the system text of all."""
    if len(prompts) == 1:
        return prompts[0]
    systems = {prompt.system for prompt in prompts}
    return PromptView(system=systems.pop() if len(systems) == 1 else "")


def _prompt_of(row: Mapping[str, Any]) -> PromptView:
    return PromptView(
        system=row.get("system") or "",
        text=row.get("prompt") or "",
        earlier_messages=max(0, message_count(row) - 1),
        files=tuple(prompt_labels(row)),
    )
