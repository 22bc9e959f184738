"""Asking the person who runs the cell before money is spent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from allos.notebook.front_end import can_ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from allos.providers.pricing.planned_requests import Preview

LARGE_CALLS = 50
"""A comparison of this many calls needs confirmation."""
LARGE_USD = 1.0
"""A comparison that may cost this much needs confirmation."""


def confirmation(shell: Any) -> Callable[[str | Preview], bool] | None:
    """Return a callable for `confirm=` of `allos.budget` and `allos.compare`.

    Returns
    -------
    callable or None
        `confirm`; None where nobody can answer (headless runs, scripts).
    """
    return confirm if shell is not None and can_ask(shell) else None


def comparison_confirmation(shell: Any, calls: int) -> Callable[[Preview], bool] | None:
    """Return `confirmation` for a comparison of so many calls; None for a small one.

    The cost of a small one is not even estimated: the board should be there at once.
    """
    return confirmation(shell) if calls >= LARGE_CALLS else None


def confirm(question: str | Preview) -> bool:
    """Ask yes or no, about a preview only when it is large; on a thread that cannot ask, no."""
    if not isinstance(question, str):
        if not is_large(question):
            return True
        question = f"{question.cost()}. Continue?"
    if threading.current_thread() is not threading.main_thread():
        return False
    while True:
        reply = input(f"{question} [y/N] ").strip().lower()
        if reply in ("y", "yes"):
            return True
        if reply in ("", "n", "no"):
            return False


def is_large(preview: Preview) -> bool:
    """Whether a comparison needs confirmation: it has many calls, or may cost much."""
    worst_cost_usd = preview.worst_cost_usd
    return preview.calls >= LARGE_CALLS or (
        worst_cost_usd is not None and worst_cost_usd >= LARGE_USD
    )
