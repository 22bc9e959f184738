"""How a response shows itself when a cell returns it.

The formatters are registered by the class's name, so that loading the extension does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.types import ProviderResponse

_RESPONSE = ("allos.types", "ProviderResponse")

_painted: set[str] = set()
"""Ids of responses that their own cell has just painted: shown once, not again as its result."""


def mark_painted(response: ProviderResponse) -> None:
    """Keep the cell's result from being rendered a second time."""
    if response.id is not None:
        _painted.add(response.id)


def register(shell: Any) -> None:
    """Teach a shell to show responses."""
    for formatter, show in _formatters(shell):
        formatter.for_type_by_name(*_RESPONSE, show)


def unregister(shell: Any) -> None:
    """Take back what `register` did."""
    for formatter, _ in _formatters(shell):
        formatter.deferred_printers.pop(_RESPONSE, None)
        for known in [kind for kind in formatter.type_printers if _name(kind) == _RESPONSE]:
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


def _formatters(shell: Any) -> list[tuple[Any, Any]]:
    by_type = shell.display_formatter.formatters
    return [
        (shell.display_formatter.ipython_display_formatter, _silent_once),
        (by_type["text/html"], _html),
        (by_type["text/plain"], _plain),
    ]


def _name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__


def _silent_once(response: ProviderResponse) -> None:
    if response.id in _painted:
        _painted.discard(response.id)
        return
    # Not ours to show here: IPython goes on to the other formatters.
    raise NotImplementedError


def _html(response: ProviderResponse) -> str:
    return bundle(response)["text/html"]


def _plain(response: ProviderResponse, printer: Any, cycle: bool) -> None:
    printer.text(bundle(response)["text/plain"])
