"""How a response shows itself when a cell returns it."""

from __future__ import annotations

from typing import Any

from allos.types import ProviderResponse

_painted: set[str] = set()
"""Ids of responses that their own cell has just painted: shown once, not again as its result."""


def mark_painted(response: ProviderResponse) -> None:
    """Keep the cell's result from being rendered a second time."""
    if response.id is not None:
        _painted.add(response.id)


def register(shell: Any) -> None:
    """Teach a shell to show responses."""
    formatters = shell.display_formatter
    formatters.ipython_display_formatter.for_type(ProviderResponse, _silent_once)
    formatters.formatters["text/html"].for_type(ProviderResponse, _html)
    formatters.formatters["text/plain"].for_type(ProviderResponse, _plain)


def unregister(shell: Any) -> None:
    """Take back what `register` did."""
    formatters = shell.display_formatter
    for formatter in (
        formatters.ipython_display_formatter,
        formatters.formatters["text/html"],
        formatters.formatters["text/plain"],
    ):
        formatter.type_printers.pop(ProviderResponse, None)


def bundle(response: ProviderResponse, notes: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what to show of a response, by MIME type."""
    from allos import render

    return {
        "text/html": render.answer_html(response, notes=notes),
        "text/plain": render.answer_text(response, notes=notes),
    }


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


def forget_painted(response: ProviderResponse) -> None:
    """Let a response that was followed without painting be shown as the result."""
    if response.id is not None:
        _painted.discard(response.id)
