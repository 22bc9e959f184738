"""A comparison arranged anew: any of its variables as rows, as columns or as colours.

A variable is what calls differ in: the model, a parameter, a value of the data, the run, the prompt, the
repeat. Nothing is asked again and no answer is lost: answers that come to stand in one place are shown
as repeats are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from allos.errors import ConfigurationError, did_you_mean
from allos.render.comparison_columns import COLOURS, colour_slots, shades
from allos.render.comparison_variables import MODEL, RUN, Call, Variables, variables
from allos.render.comparison_view import (
    ColumnView,
    ComparisonView,
    PromptView,
    RowView,
    Tint,
    shared_prompt,
)
from allos.render.plain import shorten

MAX_COLUMNS = 200
"""More would be no table to read, and one that a browser does not draw."""
_VALUE_CHARS = 60

Names = str | Iterable[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Which variables are rows, columns and colours.

    Where rows or columns are None they are all variables that the other does not have; where both are,
    they stay as they were asked.
    """

    rows: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    colour: str = MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangedPlace:
    """Where a call stands."""

    column: int
    row: int
    sample: int
    """Which of the answers in its place it is, from 0."""
    label: str = ""
    """What tells its call from others in its place, where they are not all repeats of one."""
    tint: Tint | None = None
    """Its colour, where it is not its column's."""


def make_arrangement(
    view: ComparisonView, *, rows: Names = None, columns: Names = None, colour: str | None = None
) -> Arrangement | None:
    """Arrangement of a comparison; None where nothing is to be arranged.

    Raises
    ------
    ConfigurationError
        A name is not a variable of the comparison, or is given twice.
    """
    if rows is None and columns is None and colour in (None, MODEL):
        return None
    known = variables(view)
    by = [_names(rows, "rows"), _names(columns, "columns")]
    named = [name for names in by for name in names or ()]
    if colour is not None and not isinstance(colour, str):
        raise ConfigurationError(
            f"arrange(): colour must be a variable's name, got {colour!r:.80}."
        )
    for name in [*named, *([] if colour is None else [colour])]:
        if name not in known:
            raise ConfigurationError(
                f"arrange(): {name!r:.80} is not a variable of this comparison."
                f"{did_you_mean(name, known)} It has: {', '.join(known)}."
            )
    for name in named:
        if named.count(name) > 1:
            raise ConfigurationError(
                f"arrange(): {name!r} is given twice; a variable is rows or columns."
            )
    made = Arrangement(rows=by[0], columns=by[1], colour=colour or MODEL)
    count = len(Arranged(view, made).layout.columns)
    if by != [None, None] and count > MAX_COLUMNS:
        raise ConfigurationError(
            f"arrange(): that makes {count:,} columns, more than {MAX_COLUMNS}: make it rows, and a "
            "variable with few values columns."
        )
    return made


def arrange(view: ComparisonView, arrangement: Arrangement | None) -> ComparisonView:
    """View of the same answers in another arrangement; as it is for None."""
    if arrangement is None:
        return view
    arranged = Arranged(view, arrangement)
    cells = []
    for cell in view.cells:
        place = arranged.place(cell.column, cell.row, cell.sample_index)
        cells.append(
            replace(
                cell,
                column=place.column,
                row=place.row,
                sample_index=place.sample,
                label=place.label,
                tint=place.tint,
            )
        )
    cells.sort(key=lambda cell: (cell.column, cell.row, cell.sample_index))
    return replace(arranged.layout, cells=tuple(cells))


class Arranged:
    """Where the calls of a comparison stand in an arrangement.

    Parameters
    ----------
    view : ComparisonView
        As it was asked; its cells are not looked at, so that those of a running comparison find their
        place when they come.
    arrangement : Arrangement

    Attributes
    ----------
    layout : ComparisonView
        Columns and rows as they are arranged, without cells.
    """

    def __init__(self, view: ComparisonView, arrangement: Arrangement) -> None:
        self._view = view
        self._variables = known = Variables(view)
        rows, columns = arrangement.rows, arrangement.columns
        self._is_as_asked = rows is None and columns is None
        if rows is None:
            rows = known.others(columns or ())
        if columns is None:
            columns = known.others(rows)
        self._left = known.others((*rows, *columns))
        self._rows, self._columns = _Axis(known, rows), _Axis(known, columns)
        self._tints = _Tints(view, known, arrangement.colour)
        shown_rows = view.rows if self._is_as_asked else self._shown_rows()
        self.layout = replace(view, cells=(), columns=self._shown_columns(), rows=shown_rows)

    def place(self, column: int, row: int, sample: int) -> ArrangedPlace:
        """Place of the call with these indexes."""
        call = (column, row, sample)
        at = self._at(call)
        tint = self._tints.of(call)
        return ArrangedPlace(
            column=at[0],
            row=at[1],
            sample=sample if self._is_as_asked else self._samples[call],
            label="" if self._is_as_asked else self._label(call),
            tint=None if tint == self.layout.columns[at[0]].tint else tint,
        )

    def _at(self, call: Call) -> tuple[int, int]:
        if self._is_as_asked:
            return call[0], call[1]
        return self._columns.at(call), self._rows.at(call)

    @cached_property
    def _samples(self) -> dict[Call, int]:
        """Number of each call among those in its place, in the order in which they were asked."""
        counts: Counter[tuple[int, int]] = Counter()
        found = {}
        for call in self._variables.calls():
            at = self._at(call)
            found[call] = counts[at]
            counts[at] += 1
        return found

    def _label(self, call: Call) -> str:
        values = []
        for name in self._left:
            value = shorten(self._variables.value(name, call), _VALUE_CHARS)
            values.append(f"{name} {value}" if self._variables.is_bare(name) else value)
        return " · ".join(values)

    def _shown_columns(self) -> tuple[ColumnView, ...]:
        members: dict[int, set[Call]] = {}
        for call in self._variables.calls():
            members.setdefault(self._at(call)[0], set()).add(call)
        tints = {at: {self._tints.of(call) for call in calls} for at, calls in members.items()}
        own = {at: found.pop() if len(found) == 1 else Tint(-1) for at, found in tints.items()}
        if self._is_as_asked:
            return tuple(replace(each, tint=own[each.index]) for each in self._view.columns)
        by_index = {column.index: column for column in self._view.columns}
        return tuple(
            self._column(
                at, [by_index[index] for index in sorted({c for c, _, _ in calls})], own[at]
            )
            for at, calls in sorted(members.items())
        )

    def _column(self, at: int, columns: Sequence[ColumnView], tint: Tint) -> ColumnView:
        """One column of these that were asked."""
        values = {name: shorten(value, _VALUE_CHARS) for name, value in self._columns.values(at)}
        name = values.pop(MODEL, "")
        if (
            name
        ):  # it looks like a column of any comparison: parameters and run have a place of theirs
            values.pop(RUN, None)
            for param in self._variables.params:
                values.pop(param, None)
        first = columns[0]
        params = {
            key: value
            for key, value in first.params.items()
            if all(column.params.get(key) == value for column in columns)
        }
        runs = {column.run for column in columns}
        run = runs.pop() if name and len(runs) == 1 else ""
        return ColumnView(index=at, name=name, params=params, run=run, values=values, tint=tint)

    def _shown_rows(self) -> tuple[RowView, ...]:
        if not self._rows.names:
            return ()
        asked = self._view.rows or (RowView(index=0, prompt=self._view.prompt),)
        by_index = {row.index: row for row in asked}
        members: dict[int, dict[int, RowView]] = {}
        for call in self._variables.calls():
            members.setdefault(self._at(call)[1], {})[call[1]] = by_index[call[1]]
        return tuple(
            RowView(
                index=at,
                prompt=_common_prompt([row.prompt for row in rows.values()]),
                values=dict(self._rows.values(at)),
                change=next(iter(rows.values())).change if len(rows) == 1 else None,
            )
            for at, rows in sorted(members.items())
        )


class _Axis:
    """Combinations of values along one side, in the order of their first appearance."""

    def __init__(self, known: Variables, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._known = known
        keys = {self._key(call) for call in known.calls()}
        ranks = [known.ranks[name] for name in self.names]
        order = sorted(
            keys, key=lambda key: [rank[value] for rank, value in zip(ranks, key, strict=True)]
        )
        self._at = {key: at for at, key in enumerate(order)}
        self._keys = order

    def _key(self, call: Call) -> tuple[str, ...]:
        return tuple(self._known.value(name, call) for name in self.names)

    def at(self, call: Call) -> int:
        return self._at[self._key(call)]

    def values(self, at: int) -> list[tuple[str, str]]:
        return list(zip(self.names, self._keys[at], strict=True))


class _Tints:
    """Colours of calls: one for each value of a variable. Settings of one model are shades of one."""

    def __init__(self, view: ComparisonView, known: Variables, colour: str) -> None:
        self._known, self._colour = known, colour
        names = [column.name for column in view.columns]
        self._of_column = {
            column.index: Tint(slot, shade)
            for column, slot, shade in zip(
                view.columns, colour_slots(names), shades(names), strict=True
            )
        }
        values = list(known.ranks[colour])
        slots = colour_slots(values[:COLOURS])
        self._of_value = {value: Tint(slots[at % COLOURS]) for at, value in enumerate(values)}

    def of(self, call: Call) -> Tint:
        if self._colour == MODEL:
            return self._of_column[call[0]]
        return self._of_value.get(self._known.value(self._colour, call), Tint(-1))


def _names(names: object, where: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    listed = (
        tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    )
    if not all(isinstance(name, str) for name in listed):
        raise ConfigurationError(
            f"arrange(): {where} must be a variable's name or a list of names, got {names!r:.80}."
        )
    return listed


def _common_prompt(prompts: Sequence[PromptView]) -> PromptView:
    return prompts[0] if all(each == prompts[0] for each in prompts) else shared_prompt(prompts)
