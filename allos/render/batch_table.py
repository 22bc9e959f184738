"""A batch as tables, in HTML and in text: what is done by model, and its newest rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from allos.money import money
from allos.render.comparison_costs import model_cost
from allos.render.data_table import DataTable, Row, TableCell, table_html, table_text
from allos.render.format import rate, seconds, tokens
from allos.render.plain import shorten

_TEXT_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchColumnView:
    """Counts of one model with one set of parameters."""

    name: str
    calls: int
    kept: int = 0
    ok: int = 0
    cancelled: int = 0
    not_sent: int = 0
    spared: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    output_tokens: int = 0
    cache_read_tokens: int = 0
    tokens_per_second: float | None = None
    cost_usd: float = 0.0
    unknown_cost: int = 0
    left_s: float | None = None

    @property
    def answered(self) -> int:
        """Calls with an answer, those of earlier runs included."""
        return self.kept + self.ok


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRowView:
    """One call that has ended."""

    index: str
    """Label of its row."""
    model: str
    text: str
    """The answer, or the error."""
    is_failed: bool = False
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """What a table of a batch shows."""

    id: str
    state: str
    at_service: tuple[int, int] | None = None
    """Calls that are done at their services, and all that are there."""
    columns: Sequence[BatchColumnView]
    newest: Sequence[BatchRowView] = ()
    failed: Sequence[BatchRowView] = ()
    notes: Sequence[str] = ()
    logged: bool = True

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(each.calls for each in self.columns)


def state_text(state: str, at_service: tuple[int, int] | None) -> str:
    """State of a batch in words.

    Examples
    --------
    >>> state_text("waiting", (300, 1000))
    'waiting at the service: 300 of 1,000 done'
    """
    if state != "waiting" or at_service is None:
        return state
    return f"waiting at the service: {at_service[0]:,} of {at_service[1]:,} done"


def batch_html(view: BatchView) -> str:
    """Tables of a batch, one below the other."""
    return "".join(table_html(table) for table in _tables(view))


def batch_text(view: BatchView) -> str:
    """Tables of a batch for a terminal."""
    return "\n\n".join(table_text(table) for table in _tables(view))


def _tables(view: BatchView) -> list[DataTable]:
    tables = [_columns_table(view)]
    if view.failed:
        tables.append(_rows_table("Newest errors", view.failed))
    if view.newest:
        tables.append(_rows_table("Newest answers", view.newest))
    return tables


def _columns_table(view: BatchView) -> DataTable:
    has_cache = any(each.cache_read_tokens for each in view.columns)
    heads = ["model", "answered", "failed", "output tokens", "speed", "cost", "time left"]
    if has_cache:
        heads.insert(4, "cached input")
    return DataTable(
        title=_title(view),
        heads=heads,
        rows=[_column_row(each, has_cache=has_cache) for each in view.columns],
        numbers=frozenset(heads[1:]),
        names=frozenset({"model"}),
        note=" ".join([*view.notes, _note(view)]),
    )


def _title(view: BatchView) -> str:
    answered = sum(each.answered for each in view.columns)
    failed = sum(sum(each.errors.values()) + each.not_sent for each in view.columns)
    kept = sum(each.kept for each in view.columns)
    parts = [f"{answered:,} of {view.calls:,} answered"]
    parts += [f"{kept:,} of them before"] if kept else []
    parts += [f"{failed:,} failed"] if failed else []
    spared = sum(each.spared for each in view.columns)
    parts += [f"{spared:,} not needed"] if spared else []
    cost, unknown = _cost(view.columns)
    parts += [cost] if cost and not unknown else [f"{cost} and more" if cost else ""]
    left = [each.left_s for each in view.columns if each.left_s is not None]
    if view.state == "running" and left:
        parts.append(f"about {seconds(max(left))} left")
    state = state_text(view.state, view.at_service)
    return f"Batch, {state}{'; ' if ':' in state else ': '}{', '.join(filter(None, parts))}"


def _cost(columns: Sequence[BatchColumnView]) -> tuple[str, int]:
    total = sum(each.cost_usd for each in columns)
    return money(total) if total else "", sum(each.unknown_cost for each in columns)


def _note(view: BatchView) -> str:
    if not view.logged:
        return "Not logged: it cannot be resumed."
    goes_on = {
        "running": ".partial is the frame so far; .pause() and .cancel() stop it.",
        "waiting": "the kernel may end, running it again collects the answers.",
        "paused": ".resume() goes on.",
        "cancelled": "running it again goes on.",
    }
    done = ".frame has the answers, .wide() one row for each row of the data."
    return f"{view.id}: {goes_on.get(view.state, done)}"


def _column_row(column: BatchColumnView, *, has_cache: bool) -> Row:
    failed = sum(column.errors.values()) + column.not_sent
    kinds = [f"{count:,} {name}" for name, count in column.errors.items()]
    kinds += [f"{column.not_sent:,} not sent"] if column.not_sent else []
    kept = f"{column.kept:,} before" if column.kept else ""
    cost = model_cost(column.name, column.cost_usd or None)
    is_unknown = column.unknown_cost and cost != "free"
    hint = f"cost unknown for {column.unknown_cost:,} calls" if is_unknown else ""
    row: list[TableCell | str] = [
        TableCell(column.name, tone="strong"),
        TableCell(f"{column.answered:,} of {column.calls:,}", below=kept),
        TableCell(f"{failed:,}", tone="problem" if failed else "quiet", below=", ".join(kinds)),
        tokens(column.output_tokens or None),
        rate(column.tokens_per_second),
        TableCell(cost, hint=hint),
        seconds(column.left_s),
    ]
    if has_cache:
        row.insert(4, tokens(column.cache_read_tokens or None))
    return row


def _rows_table(title: str, rows: Sequence[BatchRowView]) -> DataTable:
    return DataTable(
        title=title,
        heads=("row", "model", "answer", "time"),
        rows=[
            [
                TableCell(row.index, tone="quiet"),
                TableCell(row.model, tone="quiet"),
                TableCell(
                    shorten(" ".join(row.text.split()), _TEXT_CHARS),
                    tone="problem" if row.is_failed else "plain",
                ),
                TableCell(seconds(row.latency_s), tone="quiet"),
            ]
            for row in rows
        ],
        numbers=frozenset({"time"}),
        prose=frozenset({"answer"}),
        short=frozenset({"row"}),
    )
