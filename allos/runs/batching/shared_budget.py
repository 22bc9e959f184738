"""The budget of a batch, which all processes that share its log spend together.

Each process takes parts of it from the log before it spends them, and gives back what it did not spend.
What a killed process had taken and may have spent counts as spent.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from allos.errors import LogError
from allos.providers.pricing.budgets import Budget

if TYPE_CHECKING:
    from allos.log.store.protocol import Store
    from allos.session import Session

_CALLS = 8
"""A part is enough for so many calls at their worst."""
_SHARE = 0.02
"""And at least so much of the budget, so that few parts are taken."""


class SharedBudget:
    """The part of a budget that this process has.

    Parameters
    ----------
    session : Session
    run_id : str
        Of the batch.
    usd : float
        The whole budget.
    spent_by_session : mapping
        Cost of the batch's calls in the log, by `session_id`.
    """

    def __init__(
        self, session: Session, run_id: str, usd: float, spent_by_session: Mapping[str, float]
    ) -> None:
        self.limit_usd = usd
        self._run_id = run_id
        self._holder = session.log.session_id
        self._store: Store | None = session.log.store
        self._lock = threading.Lock()  # guards: one thread at a time takes a part, or gives it back
        self.budget = Budget(session.budgets, usd)
        self.budget.whole_usd = usd
        self.budget.advice = "a larger budget_usd="
        self._unleased_usd = self._spent_without_lease(spent_by_session)
        if self._store is None:
            self.budget.spent_usd = self._unleased_usd
        else:
            self.budget.usd = 0.0
            self.budget.extend = self._take

    def _spent_without_lease(self, spent_by_session: Mapping[str, float]) -> float:
        """Cost of earlier calls that were made without a budget."""
        leases = self._store.leases(self._run_id) if self._store is not None else {}
        return sum(
            max(0.0, spent - leases.get(session_id, 0.0))
            for session_id, spent in spent_by_session.items()
        )

    def _take(self, worst_usd: float) -> bool:
        """Take one more part, for a call that may cost so much; False when nothing is left."""
        assert self._store is not None
        wanted = max(_CALLS * worst_usd, _SHARE * self.limit_usd)
        with self._lock:
            try:
                granted = self._store.lease(
                    self._run_id, self._holder, wanted, self.limit_usd - self._unleased_usd
                )
            except LogError:  # what cannot be counted must not be spent
                return False
            with self.budget._budgets.lock:
                self.budget.usd += granted
        return granted > 0

    def give_back(self) -> None:
        """Give back what was not spent; not on the loop thread."""
        if self._store is None:
            return
        with self._lock:
            with self.budget._budgets.lock:
                unspent = self.budget.left_usd
                self.budget.usd -= unspent
            if unspent > 0:
                try:
                    self._store.lease(self._run_id, self._holder, -unspent, self.limit_usd)
                except LogError:
                    return
