"""A comparison as one static table, and as plain text.

The table is what a saved notebook keeps. It is a plain ``<table>`` underneath, a row of models, a row
of answers, a row of numbers, so that it reads well where pages strip styles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from allos.messages import Message
from allos.render.answer import body_html, body_text_parts, error_text
from allos.render.comparison_columns import (
    COLOURS,
    CellLike,
    ColumnLike,
    ComparisonLike,
    colour_slots,
    differing_params,
    key_letter,
    root_class,
    shared_params,
)
from allos.render.comparison_facts import (
    Best,
    Medians,
    Summary,
    anomalies,
    equal_repeats,
    numbers,
    repeats_label,
    state_label,
    summary,
    typical,
)
from allos.render.format import UNKNOWN, seconds
from allos.render.plain import clean_text, escaped, unbroken
from allos.render.style import COMPARISON_CSS, CSS
from allos.response import ProviderResponse

__all__ = [
    "COLOURS",
    "Best",
    "CellLike",
    "ColumnLike",
    "ComparisonLike",
    "Medians",
    "Summary",
    "colour_slots",
    "comparison_html",
    "comparison_text",
    "differing_params",
    "equal_repeats",
    "key_letter",
    "numbers",
    "repeats_label",
    "root_class",
    "shared_params",
    "state_label",
    "summary",
    "typical",
]

MAX_PROMPT_CHARS = 2_000
TEXT_WIDTH = 100
"""Columns of a terminal that the text keeps to."""

# For pages that strip <style>; the style sheet hides it.
_DOT = '<span class="allos-sep"> · </span>'


def comparison_html(comparison: ComparisonLike, *, logged: bool = True) -> str:
    """One static table: models side by side, what each answered, its numbers, a summary.

    Parameters
    ----------
    comparison : Comparison
        Under way or done; a call that has not ended shows what has come, as plain text.
    logged : bool
        Whether its answers are rows of the log; then the last line says so.

    Returns
    -------
    str
        One ``<div>``. Its classes are our own, `root_class` among them; no script, id, ``data-*``
        or style attribute, nothing that loads.

    Examples
    --------
    ::

        both = allos.compare("Hi", models=["local/smollm2", "groq/llama-3.1-8b-instant"])
        Path("answers.html").write_text(comparison_html(both.wait()))
    """
    columns, cells = list(comparison.columns), list(comparison.cells)
    by_column = [[cell for cell in cells if cell.column.index == c.index] for c in columns]
    slots = colour_slots([column.name for column in columns])
    heads = map(_head, columns, slots, differing_params(columns))
    answers = (f"<td>{_answers(of_column, comparison.n)}</td>" for of_column in by_column)
    lines = (f"<td>{_numbers(of_column)}</td>" for of_column in by_column)
    return unbroken(
        f'<div class="allos-out allos-cmp {root_class(comparison.id)} mathjax_ignore'
        f' tex2jax_ignore"><style>{CSS}{COMPARISON_CSS}</style>{_asked(comparison)}'
        f'<div class="allos-scroll"><table class="allos-grid">\n'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n"
        f"<tbody><tr>{''.join(answers)}</tr>\n"
        f'<tr class="allos-numbers">{"".join(lines)}</tr></tbody></table></div>\n'
        f"{_footer(comparison, logged)}</div>"
    )


def comparison_text(comparison: ComparisonLike, *, logged: bool = True) -> str:
    """Plain-text twin of `comparison_html`, safe for a terminal and at most 100 columns wide.

    A table of models and their numbers, then every answer under its model's name. Lines of code
    and words longer than a line stay whole.

    Parameters
    ----------
    comparison : Comparison
        Under way or done.
    logged : bool
        Whether its answers are rows of the log; then the last line says so.
    """
    columns, cells = list(comparison.columns), list(comparison.cells)
    by_column = [[cell for cell in cells if cell.column.index == c.index] for c in columns]
    differing = [", ".join(labels) for labels in differing_params(columns)]
    blocks = ["\n".join(_prompt_lines(comparison))]
    blocks.append("\n".join(_table(columns, differing, by_column)))
    if comparison.n > 1:
        blocks[-1] += "\nMedians of the repeats; costs of all of them."
    for column, params, of_column in zip(columns, differing, by_column, strict=True):
        words = (key_letter(column.index), column.name, params, *anomalies(_responses(of_column)))
        name = "  ".join(filter(None, map(_one_line, words)))
        blocks.append(f"{_cut(name, TEXT_WIDTH)}\n{_answers_text(of_column, comparison.n)}")
    facts = [" ".join(filter(None, fact)) for fact in summary(comparison).facts]
    blocks.append(f"{_wrapped('  '.join(facts), TEXT_WIDTH)}\n{_logged_as(comparison, logged)}")
    return clean_text("\n\n".join(filter(None, blocks)))


# --- what both say --------------------------------------------------------------------------------


def _prompt(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Return the system text and the question, each with its label."""
    system = "\n\n".join(m.text for m in messages if m.role == "system" and m.text)
    turns = [m for m in messages if m.role != "system"]
    said = [("system", system)] if system else []
    if turns:
        earlier = f" after {len(turns) - 1} turns" if len(turns) > 1 else ""
        said.append((f"prompt{earlier}", turns[-1].text or ""))
    return [(label, _cut(text.strip(), MAX_PROMPT_CHARS)) for label, text in said]


def _in_common(comparison: ComparisonLike) -> list[str]:
    repeats = [f"n = {comparison.n}"] if comparison.n > 1 else []
    return repeats + shared_params(list(comparison.columns))


def _logged_as(comparison: ComparisonLike, logged: bool) -> str:
    return f"logged as {comparison.id}" if logged else comparison.id


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _responses(cells: Iterable[CellLike]) -> list[ProviderResponse]:
    return [response for cell in cells if (response := cell.response) is not None]


# --- HTML -----------------------------------------------------------------------------------------


def _asked(comparison: ComparisonLike) -> str:
    chips = [f'<small class="allos-chip">{escaped(c)}</small>' for c in _in_common(comparison)]
    asked = [
        f'<small class="allos-label">{label}</small> <span>{_lines(text)}</span>'
        for label, text in _prompt(comparison.messages)
    ]
    if chips:
        asked = [*asked[:-1], "<br>".join([*asked[-1:], _DOT.join(chips)])]
    return "".join(f'<div class="allos-ask">{line}</div>\n' for line in asked)


def _lines(text: str) -> str:
    return escaped(text).replace("\n", "<br>")


def _head(column: ColumnLike, slot: int, params: Sequence[str]) -> str:
    provider, _, model = column.name.partition("/")
    below = _DOT.join(f"<span>{escaped(label)}</span>" for label in (provider, *params) if label)
    return (
        f'<th class="allos-c{slot}"><div class="allos-head"><b class="allos-key">'
        f"{key_letter(column.index)}</b> <b>{escaped(model or provider)}</b><br>"
        f"<small>{below}</small></div></th>"
    )


def _answers(cells: Sequence[CellLike], n: int) -> str:
    parts = []
    for group in equal_repeats(cells):
        label = repeats_label(group, n)
        above = f'<div class="allos-repeat"><small>{label}</small></div>' if label else ""
        parts.append(f'<div class="allos-answer">{above}{_answer(group[0])}</div>')
    return "\n".join(parts)


def _answer(cell: CellLike) -> str:
    # The loop thread may fill the cell meanwhile: look once.
    response, attempt = cell.response, cell.attempt
    if response is not None:
        stopped = '<small class="allos-state">stopped</small>'
        return body_html(response) + (stopped if response.status == "cancelled" else "")
    text = f'<pre class="allos-text">{escaped(cell.text)}</pre>' if cell.text else ""
    why = f"<br>{escaped(str(attempt['message']))}" if attempt and attempt.get("message") else ""
    return f'{text}<small class="allos-state">{escaped(state_label(cell))}{why}</small>'


def _numbers(cells: Sequence[CellLike]) -> str:
    facts = [escaped(fact) for fact in numbers(_responses(cells))]
    if not facts:
        return ""
    return f"<small>{_DOT.join([f'<b>{facts[0]}</b>', *(f'<span>{f}</span>' for f in facts[1:])])}</small>"


def _footer(comparison: ComparisonLike, logged: bool) -> str:
    items = [
        f"<span>{_quiet(before)}<b>{escaped(value)}</b>{_quiet(after)}</span>"
        for before, value, after in summary(comparison).facts
    ]
    before = _quiet("logged as") if logged else ""
    items.append(f'<span class="allos-log">{before}<b>{escaped(comparison.id)}</b></span>')
    return f'<small class="allos-sum">{_DOT.join(items)}</small>'


def _quiet(words: str) -> str:
    return f"<span> {words} </span>" if words else ""


# --- text -----------------------------------------------------------------------------------------

_LEAST_NAME = 16
"""To how many characters a model's name or its parameters may be cut, so that a row fits."""


def _prompt_lines(comparison: ComparisonLike) -> Iterator[str]:
    for label, text in _prompt(comparison.messages):
        yield _wrapped(f"{label}: {clean_text(text)}", TEXT_WIDTH)
    if common := _in_common(comparison):
        yield _wrapped(", ".join(map(_one_line, common)), TEXT_WIDTH)


def _table(
    columns: Sequence[ColumnLike], params: Sequence[str], by_column: Sequence[Sequence[CellLike]]
) -> list[str]:
    rows = [["", "model", "params", "state", "latency", "first", "tokens", "cost"]]
    for column, labels, cells in zip(columns, params, by_column, strict=True):
        known = typical(_responses(cells))
        rows.append(
            [
                key_letter(column.index),
                _one_line(column.name),
                _one_line(labels),
                _states(cells),
                seconds(known.latency_s),
                seconds(known.first_s),
                known.tokens or UNKNOWN,
                known.cost,
            ]
        )
    # A column in which nobody has anything is left out.
    used = [
        at for at in range(len(rows[0])) if any(row[at] not in ("", UNKNOWN) for row in rows[1:])
    ]
    rows = [[row[at] for at in used] for row in rows]
    widths = [max(map(len, of_column)) for of_column in zip(*rows, strict=True)]
    for at, name in enumerate(rows[0]):
        too_much = sum(widths) + 2 * (len(widths) - 1) - TEXT_WIDTH
        if name in ("model", "params") and too_much > 0:
            widths[at] = max(widths[at] - too_much, min(widths[at], _LEAST_NAME))
    return [
        "  ".join(
            _cut(field, width).rjust(width) if title in _RIGHT else _cut(field, width).ljust(width)
            for title, field, width in zip(rows[0], row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


_RIGHT = frozenset({"latency", "first", "tokens", "cost"})


def _states(cells: Sequence[CellLike]) -> str:
    labels = [state_label(cell).partition(" ")[0] for cell in cells]
    if len(labels) < 2:
        return "".join(labels)
    return ", ".join(f"{labels.count(label)} {label}" for label in dict.fromkeys(labels))


def _answers_text(cells: Sequence[CellLike], n: int) -> str:
    parts = []
    for group in equal_repeats(cells):
        label = repeats_label(group, n)
        above = f"({label})\n" if label else ""
        parts.append(above + _wrapped(clean_text(_answer_text(group[0])), TEXT_WIDTH - 4))
    return _indented("\n\n".join(parts))


def _answer_text(cell: CellLike) -> str:
    response, attempt = cell.response, cell.attempt
    if response is None:
        why = str(attempt["message"]) if attempt and attempt.get("message") else ""
        return "\n".join(filter(None, (cell.text.strip("\n"), state_label(cell), why)))
    parts = body_text_parts(response)
    if response.error is not None:
        parts.append(error_text(str(response.error)))
    if response.status == "cancelled":
        parts.append("stopped")
    return "\n".join(parts) or "The model wrote no text."


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def _wrapped(text: str, width: int) -> str:
    """Break long lines at blanks, under their own indent; code in fences stays as it is."""
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
