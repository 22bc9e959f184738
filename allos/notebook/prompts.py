"""Asking the person in front of the cell before money is spent; nobody there, nobody asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from allos.notebook.comparison_output import can_ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from allos.providers.pricing.planned_requests import Preview

LARGE_CALLS = 50
"""From so many calls on a comparison is asked about."""
LARGE_USD = 1.0
"""From this worst case on a comparison is asked about."""


def person(shell: Any) -> Callable[[str | Preview], bool] | None:
    """Return who can be asked, for `confirm=` of `allos.budget` and `allos.compare`.

    Returns
    -------
    callable or None
        Shows the question and waits for yes or no. A comparison that is not large is not asked
        about. None where nobody can answer: headless runs, scripts.
    """
    return confirm if shell is not None and can_ask(shell) else None


def of_comparison(shell: Any, calls: int) -> Callable[[Preview], bool] | None:
    """Return who is asked about a comparison of so many calls; None: it is small, or nobody is.

    What a small one costs is not even estimated: the board should be there at once.
    """
    return person(shell) if calls >= LARGE_CALLS else None


def confirm(what: str | Preview) -> bool:
    """Ask yes or no; a thread that cannot ask says no, for it cannot know."""
    if not isinstance(what, str) and not is_large(what):
        return True
    if threading.current_thread() is not threading.main_thread():
        return False
    question = what if isinstance(what, str) else f"{what.cost()}. Send it?"
    while True:
        said = input(f"{question} [y/N] ").strip().lower()
        if said in ("y", "yes"):
            return True
        if said in ("", "n", "no"):
            return False


def is_large(preview: Preview) -> bool:
    """Whether a comparison is worth a question: many calls, or much money at most."""
    worst = preview.worst_cost_usd
    return preview.calls >= LARGE_CALLS or (worst is not None and worst >= LARGE_USD)
