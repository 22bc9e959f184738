"""What the calls of a comparison differ in: its variables, and the value of each in every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import product

from allos.call_params import param_values
from allos.render.comparison_columns import key_letter
from allos.render.comparison_view import ColumnView, ComparisonView, RowView

MODEL = "model"
RUN = "run"
COLUMN = "column"
PROMPT = "prompt"
ROW = "row"
REPEAT = "repeat"
_UNSET = "not set"

Call = tuple[int, int, int]
"""Column, row and repeat of a call, as it was asked."""


def variables(view: ComparisonView) -> dict[str, tuple[str, ...]]:
    """Variables of a comparison, each with its values in the order in which they were asked.

    Examples
    --------
    >>> from allos.render.comparison_view import PromptView
    >>> columns = [ColumnView(index=at, name=name) for at, name in enumerate(("groq/a", "groq/b"))]
    >>> rows = [RowView(index=0, prompt=PromptView(text="Ciao"), values={"language": "Italian"})]
    >>> view = ComparisonView(id="x", prompt=PromptView(), columns=(*columns,), cells=(), rows=(*rows,))
    >>> variables(view)
    {'model': ('groq/a', 'groq/b'), 'language': ('Italian',)}
    """
    found = Variables(view)
    return {name: tuple(ranks) for name, ranks in found.ranks.items()}


class Variables:
    """Values of the variables of a comparison, call by call."""

    def __init__(self, view: ComparisonView) -> None:
        self._n = view.n
        self.params = _param_names(view.columns)
        self._has_runs = any(column.run for column in view.columns)
        self.columns = {column.index: self._of_column(column) for column in view.columns}
        _tell_apart(self.columns, COLUMN, key_letter)
        taken = {name for values in self.columns.values() for name in values}
        rows = {row.index: _of_row(row, taken) for row in view.rows} or {0: {}}
        unset = dict.fromkeys(_names_in(rows.values()), _UNSET)
        self.rows = {index: {**unset, **values} for index, values in rows.items()}
        prompts = {row.index: row.prompt.text for row in view.rows}
        _tell_apart(self.rows, PROMPT, lambda index: _one_line(prompts[index]))
        _tell_apart(self.rows, ROW, lambda index: str(index + 1))

    def _of_column(self, column: ColumnView) -> dict[str, str]:
        known = param_values(column.params)
        params = {name: known.get(name, _UNSET) for name in self.params}
        shown = {name: value for name, value in params.items() if value is not None}
        return {MODEL: column.name, **shown, **({RUN: column.run} if self._has_runs else {})}

    @cached_property
    def ranks(self) -> dict[str, dict[str, int]]:
        """Place of each value among those of its variable, by first appearance."""
        found: dict[str, dict[str, int]] = {}
        for values in (*self.columns.values(), *self.rows.values()):
            for name, value in values.items():
                ranks = found.setdefault(name, {})
                ranks.setdefault(value, len(ranks))
        if self._n > 1:
            found[REPEAT] = {str(sample + 1): sample for sample in range(self._n)}
        return found

    def others(self, names: Sequence[str]) -> tuple[str, ...]:
        """All variables with several values but these and the repeat."""
        return tuple(
            name
            for name, ranks in self.ranks.items()
            if len(ranks) > 1 and name != REPEAT and name not in names
        )

    def value(self, name: str, call: Call) -> str:
        """Value of a variable in one call."""
        column, row, sample = call
        if name in self.columns[column]:
            return self.columns[column][name]
        return str(sample + 1) if name == REPEAT else self.rows[row][name]

    def is_bare(self, name: str) -> bool:
        """Whether a value alone does not say what it is of, such as ``0.7``."""
        return name in self.params or name in (COLUMN, ROW)

    def calls(self) -> Iterable[Call]:
        """All calls, in the order in which they were asked."""
        return product(self.columns, self.rows, range(self._n))


def _param_names(columns: Sequence[ColumnView]) -> list[str]:
    """Parameters whose values may be shown."""
    values = [param_values(column.params) for column in columns]
    return [
        name
        for name in _names_in(values)
        if all(of_column.get(name, "") is not None for of_column in values)
    ]


def _of_row(row: RowView, taken: set[str]) -> dict[str, str]:
    """Values that were put into its prompt; a name that stands for something else already gets a suffix."""
    reserved = taken | {PROMPT, ROW, REPEAT, COLUMN, RUN}
    return {
        f"{name} (data)" if name in reserved else name: _one_line(value)
        for name, value in row.values.items()
    }


def _tell_apart(
    values: Mapping[int, dict[str, str]], name: str, value_of: Callable[[int], str]
) -> None:
    """Add a variable where the others are the same for several."""
    if len({tuple(each.items()) for each in values.values()}) < len(values):
        for index, each in values.items():
            each[name] = value_of(index)


def _names_in(values: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for each in values for name in each))


def _one_line(text: str) -> str:
    return " ".join(text.split())
