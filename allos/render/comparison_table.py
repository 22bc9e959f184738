"""A comparison as one static HTML table.

The table is what a saved notebook keeps. It is a plain ``<table>`` underneath (a row of models, a row
of answers, a row of numbers), so that it reads well where pages strip styles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allos.render.answer import body_html
from allos.render.comparison_columns import (
    answer_anchor,
    column_heading,
    column_labels,
    column_tints,
    common_labels,
    key_letter,
    root_class,
)
from allos.render.comparison_facts import (
    group_label,
    numbers,
    prompt_parts,
    shown_groups,
    state_label,
)
from allos.render.comparison_rows import row_label, rows_title, table_rows
from allos.render.comparison_summary import summary
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, Tint
from allos.render.fact import Fact
from allos.render.folding import folded
from allos.render.media import prompt_media_html
from allos.render.plain import escaped, unbroken
from allos.render.static_styles import with_inline_styles
from allos.render.style import COMPARISON_CSS, CSS, DIRECTION_CSS, RIGHT_TO_LEFT

_SHEET = f"<style>{CSS}{COMPARISON_CSS}</style>"
# For pages that strip <style>; the style sheet hides it.
_DOT = '<span class="allos-sep"> · </span>'


def comparison_html(view: ComparisonView) -> str:
    """One static table: models side by side, what each answered, its numbers, a summary.

    Parameters
    ----------
    view : ComparisonView
        A call that has not ended shows its text so far, as plain text.

    Returns
    -------
    str
        One ``<div>``. Its classes are our own, `root_class` among them; no script or ``data-*``
        attribute, nothing that loads; its ids are those of `answer_anchor`. The styles of `static_styles` stand inline.

    Examples
    --------
    ::

        rows = allos.responses().query("comparison_id == 'cmp_01KAN3'")
        Path("answers.html").write_text(comparison_html(ComparisonView.from_frame(rows)))
    """
    markup = _markup(view, _SHEET, root_class(view.id))
    if RIGHT_TO_LEFT in markup:
        markup = markup.replace("</style>", f"{DIRECTION_CSS}</style>", 1)
    return unbroken(with_inline_styles(markup))


def bare_comparison_html(view: ComparisonView) -> str:
    """Return `comparison_html` without any style, for a page of its own that has `CSS` and `COMPARISON_CSS`."""
    return _markup(view, "", "allos")


def _markup(view: ComparisonView, sheet: str, anchors: str) -> str:
    heads = map(_head, view.columns, column_tints(view.columns), column_labels(view.columns))
    by_column = [view.cells_of(column) for column in view.columns]
    lines = (f"<td>{_numbers(cells)}</td>" for cells in by_column)
    corner = f'<th class="allos-row">{escaped(rows_title(view.rows))}</th>' if view.rows else ""
    return (
        f'<div class="allos-out allos-cmp {root_class(view.id)} mathjax_ignore'
        f' tex2jax_ignore">{sheet}{_prompt(view)}'
        f'<div class="allos-scroll"><table class="allos-grid">\n'
        f"<thead><tr>{corner}{''.join(heads)}</tr></thead>\n"
        f"<tbody>{_body(view, by_column, anchors)}\n"
        f'<tr class="allos-numbers">{"<td></td>" if corner else ""}{"".join(lines)}</tr>'
        f"</tbody></table></div>\n"
        f"{_footer(view)}</div>"
    )


def _body(view: ComparisonView, by_column: Sequence[Sequence[CellView]], anchors: str) -> str:
    """Answers: one row of the table for each prompt."""
    if not view.rows:
        answers = (_answers(cells, view.n, anchors) for cells in by_column)
        return f"<tr>{''.join(f'<td>{each}</td>' for each in answers)}</tr>"
    shown, left = table_rows(view)
    cells_at: dict[tuple[int, int], list[CellView]] = {}
    for cell in view.cells:
        cells_at.setdefault((cell.row, cell.column), []).append(cell)
    lines = [
        f'<tr class="allos-each"><th class="allos-row">{escaped(row_label(row))}</th>'
        + "".join(
            f"<td>{_answers(cells_at.get((row.index, column.index), ()), view.n, anchors)}</td>"
            for column in view.columns
        )
        + "</tr>"
        for row in shown
    ]
    if left:
        lines.append(
            f'<tr><td colspan="{1 + len(view.columns)}"><small>{escaped(left)}</small></td></tr>'
        )
    return "\n".join(lines)


def _prompt(view: ComparisonView) -> str:
    chips = [f'<small class="allos-chip">{escaped(c)}</small>' for c in common_labels(view)]
    lines = [
        f'<small class="allos-label">{label}</small> <span>{_with_breaks(text)}</span>'
        for label, text in prompt_parts(view.prompt)
    ]
    if chips:
        lines = [*lines[:-1], "<br>".join([*lines[-1:], _DOT.join(chips)])]
    media = prompt_media_html(view.prompt.images, view.prompt.files)
    if media:
        lines.append(f'<div class="allos-sent">{media}</div>')
    return "".join(f'<div class="allos-ask">{line}</div>\n' for line in lines)


def _with_breaks(text: str) -> str:
    return escaped(text).replace("\n", "<br>")


def _head(column: ColumnView, tint: Tint, params: Sequence[str]) -> str:
    model, service = column_heading(column)
    below = _DOT.join(f"<span>{escaped(label)}</span>" for label in (service, *params) if label)
    return (
        f'<th class="{_colour(tint)}"><div class="allos-head"><b class="allos-key">'
        f"{key_letter(column.index)}</b> <b>{escaped(model)}</b><br>"
        f"<small>{below}</small></div></th>"
    )


def _colour(tint: Tint) -> str:
    return f"allos-c{tint.slot} allos-shade{tint.shade}" if tint.slot >= 0 else "allos-grey"


def _answers(cells: Sequence[CellView], n: int, anchors: str) -> str:
    """Different answers to one prompt, by one model; a link finds the first."""
    parts: list[str] = []
    groups, left = shown_groups(cells)
    for group in groups:
        first = group[0]
        anchor = "" if parts else f' id="{answer_anchor(anchors, first.column, first.row)}"'
        label = group_label(group, n)
        above = f'<div class="allos-repeat"><small>{escaped(label)}</small></div>' if label else ""
        tints = {cell.tint for cell in group}
        own = f" allos-tint {_colour(first.tint)}" if first.tint and len(tints) == 1 else ""
        parts.append(f'<div class="allos-answer{own}"{anchor}>{above}{_answer(first)}</div>')
    if left:
        parts.append(f"<small>{escaped(left)}</small>")
    return "\n".join(parts)


def _answer(cell: CellView) -> str:
    response, attempt = cell.response, cell.attempt
    if response is not None:
        stopped = '<small class="allos-state">stopped</small>'
        return folded(body_html(response)) + (stopped if response.status == "cancelled" else "")
    text = f'<pre class="allos-text">{escaped(cell.text)}</pre>' if cell.text else ""
    why = f"<br>{escaped(str(attempt['message']))}" if attempt and attempt.get("message") else ""
    return f'{text}<small class="allos-state">{escaped(state_label(cell))}{why}</small>'


def _numbers(cells: Iterable[CellView]) -> str:
    facts = numbers([response for cell in cells if (response := cell.response) is not None])
    if not facts:
        return ""
    first, *others = facts
    items = [_element("b", first), *(_element("span", fact) for fact in others)]
    return f"<small>{_DOT.join(items)}</small>"


def _footer(view: ComparisonView) -> str:
    items = [
        f"<span>{_quiet(fact.before)}{_element('b', fact)}{_quiet(fact.after)}</span>"
        for fact in summary(view).facts
    ]
    shown_id = f"<code>{escaped(view.id)}</code>" if view.logged else _quiet("not logged")
    items.append(f'<span class="allos-log">{shown_id}</span>')
    return f'<small class="allos-sum">{_DOT.join(items)}</small>'


def _element(tag: str, fact: Fact) -> str:
    title = f' title="{escaped(fact.hint)}"' if fact.hint else ""
    return f"<{tag}{title}>{escaped(fact.text)}</{tag}>"


def _quiet(words: str) -> str:
    return f"<span> {words} </span>" if words else ""
