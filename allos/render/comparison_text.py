"""A comparison as plain text, for a terminal and for ``print``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from allos.render.answer import NO_TEXT, body_text_parts, error_text
from allos.render.comparison_columns import (
    column_labels,
    column_title,
    common_labels,
    key_letter,
)
from allos.render.comparison_facts import (
    REPLAYED,
    anomalies,
    group_label,
    medians,
    prompt_parts,
    shown_groups,
    state_label,
)
from allos.render.comparison_rows import row_label, table_rows
from allos.render.comparison_summary import summary
from allos.render.comparison_view import CellView, ColumnView, ComparisonView
from allos.render.format import UNKNOWN, seconds
from allos.render.media import prompt_media_texts
from allos.render.plain import clean_text, shorten
from allos.response import ProviderResponse

TEXT_WIDTH = 100
"""Characters in a line."""

_NAME_WIDTH = TEXT_WIDTH - 24
_SHORTEST_NAME = 16
"""To how many characters a model's name or its parameters may be cut, so that a row fits."""

_RIGHT_ALIGNED = frozenset({"latency", "first token", "tokens", "cost"})


def comparison_text(view: ComparisonView) -> str:
    """Plain-text version of `comparison_html`, safe for a terminal and at most 100 columns wide.

    A table of models and their numbers, then every answer under its model's name. Lines of code
    and words longer than a line stay whole.

    Parameters
    ----------
    view : ComparisonView
    """
    by_column = [view.cells_of(column) for column in view.columns]
    params = [", ".join(labels) for labels in column_labels(view.columns)]
    blocks = ["\n".join(_prompt_lines(view))]
    blocks.append("\n".join(_table(view.columns, params, by_column)))
    if view.n > 1:
        blocks[-1] += "\nNumbers are medians over the repeats; costs are totals."
    for column, labels, cells in zip(view.columns, params, by_column, strict=True):
        unusual = anomalies(_responses(cells))
        # Not cut, and always with room: apart from this word a replayed comparison reads the same.
        replayed = "".join(f"  {words}" for words in unusual if words.startswith(REPLAYED))
        others = [words for words in unusual if not words.startswith(REPLAYED)]
        words = (
            key_letter(column.index),
            column_title(column) or column.heading[0],
            labels,
            *others,
        )
        name = "  ".join(filter(None, map(_one_line, words)))
        blocks.append(f"{shorten(name, _NAME_WIDTH)}{replayed}\n{_by_prompt(view, cells)}")
    blocks.append(_wrapped(table_rows(view)[1], TEXT_WIDTH))
    facts = "  ".join(str(fact) for fact in summary(view).facts)
    logged = f"logged as {view.id}" if view.logged else view.id
    blocks.append(f"{_wrapped(facts, TEXT_WIDTH)}\n{logged}")
    return clean_text("\n\n".join(filter(None, blocks)))


def _responses(cells: Iterable[CellView]) -> list[ProviderResponse]:
    return [response for cell in cells if (response := cell.response) is not None]


def _prompt_lines(view: ComparisonView) -> Iterator[str]:
    for label, text in prompt_parts(view.prompt):
        yield _wrapped(f"{label}: {clean_text(text)}", TEXT_WIDTH)
    for label in prompt_media_texts(view.prompt.images, view.prompt.files):
        yield _wrapped(_one_line(label), TEXT_WIDTH)
    if labels := common_labels(view):
        yield _wrapped(", ".join(map(_one_line, labels)), TEXT_WIDTH)


def _table(
    columns: Sequence[ColumnView], params: Sequence[str], by_column: Sequence[Sequence[CellView]]
) -> list[str]:
    """Lines of the table; a column in which every value is unknown is left out."""
    rows = [["", "model", "params", "state", "latency", "first token", "tokens", "cost"]]
    for column, labels, cells in zip(columns, params, by_column, strict=True):
        known = medians(_responses(cells))
        rows.append(
            [
                key_letter(column.index),
                _one_line(column_title(column) or column.heading[0]),
                _one_line(labels),
                _states(cells),
                seconds(known.latency_s),
                seconds(known.time_to_first_token_s),
                known.tokens or UNKNOWN,
                known.cost.text,
            ]
        )
    used = [
        at for at in range(len(rows[0])) if any(row[at] not in ("", UNKNOWN) for row in rows[1:])
    ]
    rows = [[row[at] for at in used] for row in rows]
    widths = _widths(rows)
    return [
        "  ".join(
            shorten(value, width).rjust(width)
            if title in _RIGHT_ALIGNED
            else shorten(value, width).ljust(width)
            for title, value, width in zip(rows[0], row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Width of each column; names and parameters give way where the line would be too long."""
    widths = [max(map(len, of_column)) for of_column in zip(*rows, strict=True)]
    for at, title in enumerate(rows[0]):
        excess = sum(widths) + 2 * (len(widths) - 1) - TEXT_WIDTH
        if title in ("model", "params") and excess > 0:
            widths[at] = max(widths[at] - excess, min(widths[at], _SHORTEST_NAME))
    return widths


def _states(cells: Sequence[CellView]) -> str:
    labels = [state_label(cell).partition(" ")[0] for cell in cells]
    if len(labels) < 2:
        return "".join(labels)
    return ", ".join(f"{labels.count(label)} {label}" for label in dict.fromkeys(labels))


def _by_prompt(view: ComparisonView, cells: Sequence[CellView]) -> str:
    """Answers of one column, with several prompts each under its name."""
    if not view.rows:
        return _answers(cells, view.n)
    at: dict[int, list[CellView]] = {}
    for cell in cells:
        at.setdefault(cell.row, []).append(cell)
    return "\n".join(
        f"  {shorten(row_label(row), _NAME_WIDTH)}\n{_answers(at.get(row.index, ()), view.n)}"
        for row in table_rows(view)[0]
    )


def _answers(cells: Sequence[CellView], n: int) -> str:
    parts = []
    groups, left = shown_groups(cells)
    for group in groups:
        label = _one_line(group_label(group, n))
        above = f"({label})\n" if label else ""
        parts.append(above + _wrapped(clean_text(_answer(group[0])), TEXT_WIDTH - 4))
    return _indented("\n\n".join([*parts, *filter(None, [left])]))


def _answer(cell: CellView) -> str:
    response, attempt = cell.response, cell.attempt
    if response is None:
        why = str(attempt["message"]) if attempt and attempt.get("message") else ""
        return "\n".join(filter(None, (cell.text.strip("\n"), state_label(cell), why)))
    parts = body_text_parts(response)
    if response.error is not None:
        parts.append(error_text(str(response.error)))
    if response.status == "cancelled":
        parts.append("stopped")
    return "\n".join(parts) or NO_TEXT


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def _wrapped(text: str, width: int) -> str:
    """Break long lines at spaces and keep their indent; fenced code stays as it is."""
    import textwrap

    lines, in_fence = [], False
    for line in text.split("\n"):
        bare = line.lstrip()
        if bare.startswith(("```", "~~~")):
            in_fence = not in_fence
        if in_fence or len(line) <= width:
            lines.append(line)
            continue
        indent = line[: min(len(line) - len(bare), width // 2)]
        lines += textwrap.wrap(
            bare,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)
