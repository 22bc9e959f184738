"""How responses and comparisons show themselves when a cell returns them.

The formatters are registered by the class's name, so that loading the extension does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.runs.compare import Comparison
    from allos.types import ProviderResponse

_RESPONSE = ("allos.types", "ProviderResponse")
_COMPARISON = ("allos.runs.compare", "Comparison")

_painted: set[str] = set()
"""Ids of what its own cell has just painted, or was told not to: not shown again as its result."""


def mark_painted(result: ProviderResponse | Comparison) -> None:
    """Keep the cell's result from being shown."""
    if result.id is not None:
        _painted.add(result.id)


def register(shell: Any) -> None:
    """Teach a shell to show responses."""
    for name, formatter, show in _formatters(shell):
        formatter.for_type_by_name(*name, show)


def unregister(shell: Any) -> None:
    """Take back what `register` did."""
    for name, formatter, _ in _formatters(shell):
        formatter.deferred_printers.pop(name, None)
        for known in [kind for kind in formatter.type_printers if _name(kind) == name]:
            del formatter.type_printers[known]


def bundle(
    response: ProviderResponse, notes: tuple[str, ...] = (), *, show_error: bool = True
) -> dict[str, str]:
    """Return what to show of a response, by MIME type."""
    from allos.render.cell import answer_html, answer_text

    return {
        "text/html": answer_html(response, notes=notes, show_error=show_error),
        "text/plain": answer_text(response, notes=notes, show_error=show_error),
    }


def _formatters(shell: Any) -> list[tuple[tuple[str, str], Any, Any]]:
    by_type = shell.display_formatter.formatters
    first = shell.display_formatter.ipython_display_formatter
    return [
        (_RESPONSE, first, _silent_once),
        (_RESPONSE, by_type["text/html"], _html),
        (_RESPONSE, by_type["text/plain"], _plain),
        (_COMPARISON, first, _board),
        (_COMPARISON, by_type["text/html"], _table),
        (_COMPARISON, by_type["text/plain"], _table_text),
    ]


def _name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__


def _silent_once(result: ProviderResponse | Comparison) -> None:
    if result.id in _painted:
        _painted.discard(str(result.id))
        return
    # Not ours to show here: IPython goes on to the other formatters.
    raise NotImplementedError


def _html(response: ProviderResponse) -> str:
    return bundle(response)["text/html"]


def _plain(response: ProviderResponse, printer: Any, cycle: bool) -> None:
    printer.text(bundle(response)["text/plain"])


def _board(comparison: Comparison) -> None:
    from IPython.core.getipython import get_ipython

    from allos.notebook.comparison import is_interactive, show

    if comparison.id not in _painted:
        shell = get_ipython()
        if is_interactive(shell) and not comparison.served():
            show(shell, comparison)
            return
        comparison.wait()  # headless, where nobody would see a later update, or replayed
    _silent_once(comparison)


def _table(comparison: Comparison) -> str:
    return comparison.to_html()


def _table_text(comparison: Comparison, printer: Any, cycle: bool) -> None:
    printer.text(str(comparison))
