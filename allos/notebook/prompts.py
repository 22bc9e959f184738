"""Asking the person who runs the cell before money is spent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from allos.notebook.front_end import can_ask
from allos.providers.pricing.planned_requests import LARGE_CALLS, LARGE_USD, Preview

if TYPE_CHECKING:
    from collections.abc import Callable


class Planned(Protocol):
    """What would be sent."""

    @property
    def calls(self) -> int:
        """How many calls."""

    @property
    def worst_cost_usd(self) -> float | None:
        """Upper bound of their cost; None when it is unknown."""

    def cost(self) -> str:
        """Both, as a part of a sentence."""


LARGE_BATCH_CALLS = 1_000
"""A batch of this many calls needs confirmation."""


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


def batch_confirmation(shell: Any) -> Callable[[Planned], bool] | None:
    """Return `confirmation` for a batch, where many calls are usual: only cost and huge ones are asked about."""
    ask = confirmation(shell)
    if ask is None:
        return None

    def confirm_batch(planned: Planned) -> bool:
        worst = planned.worst_cost_usd
        is_dear = worst is not None and worst >= LARGE_USD
        return not (is_dear or planned.calls >= LARGE_BATCH_CALLS) or ask(
            f"{planned.cost()}. Continue?"
        )

    return confirm_batch


def confirm(question: str | Preview) -> bool:
    """Ask yes or no, about a preview only when it is large; on a thread that cannot ask, no."""
    if not isinstance(question, str):
        if not question.is_large:
            return True
        question = f"{question.size()}. Continue?"
    if threading.current_thread() is not threading.main_thread():
        return False
    while True:
        reply = input(f"{question} [y/N] ").strip().lower()
        if reply in ("y", "yes"):
            return True
        if reply in ("", "n", "no"):
            return False
