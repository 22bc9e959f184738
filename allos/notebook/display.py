"""How responses and comparisons show themselves when a cell returns them.

The formatters are registered by the class's name, so that loading the extension does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.providers.pricing.planned_requests import Preview
    from allos.response import ProviderResponse
    from allos.runs.comparison import Comparison
    from allos.runs.doctor import Report

_RESPONSE = ("allos.response", "ProviderResponse")
_COMPARISON = ("allos.runs.comparison", "Comparison")
_PREVIEW = ("allos.providers.pricing.planned_requests", "Preview")
_REPORT = ("allos.runs.doctor", "Report")

_switched_on: set[int] = set()
"""Shells, by `id`, whose objects may show themselves as long as allos is loaded."""

_notes: dict[str, tuple[str, ...]] = {}
"""Remarks for the footer of what will be shown as its cell's result, by id."""

_painted: set[str] = set()
"""Ids of what its own cell has just painted, or was told not to: not shown again as its result."""


def mark_painted(result: ProviderResponse | Comparison) -> None:
    """Keep the cell's result from being shown."""
    if result.id is not None:
        _painted.add(result.id)


def remember(response: ProviderResponse, notes: tuple[str, ...]) -> None:
    """Keep remarks for the time when the response is shown."""
    if notes and response.id is not None:
        _notes[response.id] = notes


def register(shell: Any) -> None:
    """Teach a shell to show responses."""
    first = shell.display_formatter.ipython_display_formatter
    if (
        not first.enabled
    ):  # in a terminal, before IPython 8: no comparison could wait, nothing be quiet
        _switched_on.add(id(shell))
        first.enabled = True
    for name, formatter, show in _formatters(shell):
        formatter.for_type_by_name(*name, show)


def unregister(shell: Any) -> None:
    """Take back what `register` did."""
    if id(shell) in _switched_on:
        _switched_on.discard(id(shell))
        shell.display_formatter.ipython_display_formatter.enabled = False
    for name, formatter, _ in _formatters(shell):
        formatter.deferred_printers.pop(name, None)
        for known in [kind for kind in formatter.type_printers if _name(kind) == name]:
            del formatter.type_printers[known]


def bundle(
    response: ProviderResponse,
    notes: tuple[str, ...] = (),
    *,
    show_error: bool = True,
    unsafe_html: bool = False,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what to show of a response by MIME type, and the metadata that keeps its rows."""
    from allos.log.notebook_rows import rows_metadata
    from allos.render.answer import answer_html, answer_text

    notes = notes or _notes.get(response.id or "", ())
    options: dict[str, Any] = {"notes": notes, "show_error": show_error, "unsafe_html": unsafe_html}
    return {
        "text/html": answer_html(response, **options),
        "text/plain": answer_text(response, **options),
    }, rows_metadata(response.steps or (response,))


def _formatters(shell: Any) -> list[tuple[tuple[str, str], Any, Any]]:
    first = shell.display_formatter.ipython_display_formatter
    # Whole bundles, since only they can carry metadata of their own.
    then = shell.display_formatter.mimebundle_formatter
    return [
        (_RESPONSE, first, _silent_once),
        (_RESPONSE, then, bundle),
        (_COMPARISON, first, _board),
        (_COMPARISON, then, _table),
        (_PREVIEW, then, _preview),
        (_REPORT, then, _report),
    ]


def _name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__


def _silent_once(result: ProviderResponse | Comparison) -> None:
    if result.id in _painted:
        _painted.discard(str(result.id))
        return
    # Not ours to show here: IPython goes on to the other formatters.
    raise NotImplementedError


def _board(comparison: Comparison) -> None:
    from IPython.core.getipython import get_ipython

    from allos.notebook.comparison_output import is_interactive, show

    if comparison.id not in _painted:
        shell = get_ipython()
        if is_interactive(shell) and not comparison.from_replay():
            show(shell, comparison)
            return
        comparison.wait()  # headless, where nobody would see a later update, or replayed
    _silent_once(comparison)


def _table(comparison: Comparison) -> tuple[dict[str, str], dict[str, Any]]:
    from allos.notebook.comparison_output import bundle as table

    return table(comparison)


def _preview(preview: Preview, **_: Any) -> dict[str, str]:
    from allos.render.plain import clean_text
    from allos.render.reports import preview_html

    return {"text/html": preview_html(preview), "text/plain": clean_text(str(preview))}


def _report(report: Report, **_: Any) -> dict[str, str]:
    from allos.render.plain import clean_text
    from allos.render.reports import report_html

    return {"text/html": report_html(report), "text/plain": clean_text(str(report))}
