"""Budgets: limits on the total cost of calls, checked before each call is sent.

Before a call is sent, its worst-case cost is reserved; a call that would exceed the budget is not sent.
When it ends, the actual cost replaces the reservation. If that is unknown (a cancelled call, a broken
stream), the worst case is counted. One lock guards all budgets, so that concurrent calls cannot exceed
one together. Replayed answers cost nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Literal, Self, overload

from allos import _process
from allos.engine import After, BilledService, Interceptor, MustWait, PreparedCall, runtime
from allos.errors import BudgetError, ConfigurationError
from allos.providers.auth.urls import origin
from allos.providers.catalog import services
from allos.providers.pricing import prices
from allos.providers.pricing.estimates import Estimate, estimate, usd
from allos.response import ProviderResponse

Confirm = Callable[[str], bool]
"""Answers a question with True or False. May block: it is never called on the loop thread."""

_CALLS_AHEAD = 2
"""For so many calls there has to be room, that the next one is expected to fit."""

_ROUNDING = 1e-9
"""Tolerance for rounding errors of floating-point sums."""


class Budget:
    """A limit on the total cost of calls; created by `allos.budget`. Also a context manager.

    Attributes
    ----------
    usd : float
        Limit in US dollars.
    spent_usd : float
        Cost of the calls so far; the worst case where the cost is unknown.
    uncertain_usd : float
        Part of `spent_usd` that is worst cases.
    reserved_usd : float
        Worst-case cost of running calls.
    calls, refused : int
        Completed calls, and calls that were not sent because of this budget.
    """

    def __init__(
        self,
        budgets: Budgets,
        usd: float,
        *,
        free: Iterable[str] = (),
        confirm: Confirm | None = None,
    ) -> None:
        self._budgets = budgets
        self.usd = checked_usd(usd)
        names = [free] if isinstance(free, str) else free
        if not isinstance(names, Iterable):
            raise ConfigurationError(
                f"free must be a list of services and models, got {free!r:.80}."
            )
        self.free = frozenset(_normalize_free(name) for name in names)
        self.confirm = confirm
        self.spent_usd = self.uncertain_usd = self.reserved_usd = 0.0
        self.calls = self.refused = 0
        self._open = 0
        self._largest_usd: float | None = None
        """Highest worst case of a call so far."""
        self.extend: Callable[[float], bool] | None = None
        """Called with what a call may cost, where that is more than is left: whether `usd` has grown."""
        self.whole_usd: float | None = None
        """The budget that this one is a part of, if it is one that several processes share."""
        self.advice = "set another budget: allos.budget(USD)"
        self._before: Budget | None = None
        self._tokens: list[Token[tuple[Budget, ...]]] = []

    @property
    def left_usd(self) -> float:
        """What the next call may cost at most."""
        return max(0.0, self.usd - self.spent_usd - self.reserved_usd)

    @property
    def has_room(self) -> bool:
        """Whether there is room for the next calls, if they may cost what those before might have cost."""
        if self._largest_usd is None:
            return False
        return self.left_usd >= _CALLS_AHEAD * self._largest_usd

    @property
    def shown_usd(self) -> float:
        """Limit as messages show it."""
        return self.usd if self.whole_usd is None else self.whole_usd

    def __enter__(self) -> Self:
        self._budgets.only_for_a_block(self)
        self._tokens.append(_blocks.set((*_blocks.get(), self)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _blocks.reset(self._tokens.pop())

    def __repr__(self) -> str:
        text = f"{usd(self.spent_usd)} of {usd(self.usd)} spent by {_calls(self.calls)}"
        if self.uncertain_usd:
            text += f" ({usd(self.uncertain_usd)} of it worst cases of calls with unknown cost)"
        if self._open:
            text += f", {usd(self.reserved_usd)} reserved for {_calls(self._open)} in progress"
        if self.refused:
            text += f", {_calls(self.refused)} not sent"
        return f"<Budget: {text}>"


_blocks: ContextVar[tuple[Budget, ...]] = ContextVar("allos_budgets", default=())
_waits: ContextVar[bool] = ContextVar("allos_budget_waits", default=False)


@contextmanager
def waiting() -> Iterator[None]:
    """Let the calls of a block wait until others have ended, where only reservations stand in the way.

    They block the thread that starts them, so it must not be the one that ends the others.
    """
    token = _waits.set(True)
    try:
        yield
    finally:
        _waits.reset(token)


@overload
def budget(usd: Literal["show"] = "show") -> Budget | None: ...
@overload
def budget(usd: None) -> None: ...
@overload
def budget(usd: float, *, free: Iterable[str] = (), confirm: Confirm | None = None) -> Budget: ...
def budget(
    usd: float | Literal["show"] | None = "show",
    *,
    free: Iterable[str] = (),
    confirm: Confirm | None = None,
) -> Budget | None:
    """Limit the total cost of all calls of this process, or with ``with`` of those in a block.

    A call whose worst case (the prompt and `max_tokens` of output) would exceed the budget is not sent
    and raises `BudgetError`; so does one with an unknown price. The calls of a block also count against
    the budget of the process. A new budget starts at zero, and overrides the one in the settings
    (`budget_usd`, ``ALLOS_BUDGET_USD``).

    Parameters
    ----------
    usd : float or None
        US dollars. None removes the budget that was set here. By default the current budget is returned.
    free : str or sequence of str
        What costs nothing: a service (``"ollama"``), a model (``"openrouter/some:free"``), or a host of
        your own (``"http://localhost:8000"``). The embedded model is always free.
    confirm : callable or None
        ``confirm(question)`` returns whether to send a call that would exceed the budget. By default
        such calls are not sent.

    Returns
    -------
    Budget or None
        The current budget, that of the innermost block first.

    Examples
    --------
    >>> with budget(0.50) as small:
    ...     small.left_usd
    0.5
    >>> budget() is None
    True
    """
    budgets: Budgets = _process.current_session().budgets
    if usd == "show":
        return next(iter(budgets.in_force()), None)
    return budgets.set(usd, free=free, confirm=confirm)


class Budgets(Interceptor):
    """The budgets of a session, and the interceptor that enforces them.

    Parameters
    ----------
    configured : callable
        Returns the budget of the settings in US dollars; None: not set.
    """

    decides_sending = True

    def __init__(self, configured: Callable[[], float | None]) -> None:
        self._configured = configured
        self._of_process: Budget | None = None
        self._of_settings: Budget | None = None
        self.after_fork_in_child()

    def after_fork_in_child(self) -> None:
        """Create new locks: a thread that held one does not exist in the child."""
        self.lock = threading.Lock()  # guards: the sums of all budgets change together
        self.settled = threading.Condition(self.lock)
        self._asking = threading.Lock()  # guards: one question at a time

    def set(
        self, usd: float | None, *, free: Iterable[str] = (), confirm: Confirm | None = None
    ) -> Budget | None:
        """Set the budget of all calls; None removes it."""
        if usd is None:
            self._of_process = None
            return None
        budget = Budget(self, usd, free=free, confirm=confirm)
        with self.lock:
            budget._before, self._of_process = self._of_process, budget
        return budget

    def only_for_a_block(self, budget: Budget) -> None:
        """Restore the previous budget when a new one is used in ``with``."""
        with self.lock:
            if self._of_process is budget:
                self._of_process = budget._before

    def in_force(self) -> tuple[Budget, ...]:
        """Budgets that apply to a call in this context, the innermost first."""
        blocks = [each for each in reversed(_blocks.get()) if each._budgets is self]
        shared = self._of_process or self._from_settings()
        return (*blocks, *(() if shared is None else (shared,)))

    def _from_settings(self) -> Budget | None:
        """Return the configured budget; changing its amount keeps what was spent."""
        amount = self._configured()
        if amount is None:
            return None
        with self.lock:
            if self._of_settings is None:
                self._of_settings = Budget(self, amount)
            self._of_settings.usd = checked_usd(amount)
            return self._of_settings

    @property
    def may_wait(self) -> bool:
        """Until prices and the cost of a first call are known, and where a budget is nearly spent."""
        budgets = self.in_force()
        if not budgets:
            return False
        return not prices.are_loaded() or not all(budget.has_room for budget in budgets)

    def before(self, call: PreparedCall) -> After | None:
        """Reserve the worst-case cost of a call.

        Raises
        ------
        BudgetError
            It would exceed a budget, or its cost is unknown.
        MustWait
            On the loop thread: there is no room for it without asking others.
        """
        budgets = self.in_force()
        if not budgets:
            return None
        reservation = Reservation(self, call, budgets)
        if runtime.get().is_loop_thread:
            if reservation.try_reserve() is not None:
                raise MustWait
            return reservation.settle
        with self._asking:
            is_allowed = reservation.confirm()
        reservation.reserve(regardless=is_allowed)
        return reservation.settle


def _is_free(billing: BilledService, free: frozenset[str]) -> bool:
    """Whether the user declared a call to be free."""
    if billing.is_embedded or (billing.base_url and origin(billing.base_url) in free):
        return True
    return not billing.is_custom_host and (billing.provider in free or billing.name in free)


class Reservation:
    """The worst-case cost of one call, reserved in its budgets until the actual cost is known."""

    def __init__(self, owner: Budgets, call: PreparedCall, budgets: tuple[Budget, ...]) -> None:
        self._owner = owner
        self._billing = billing = call.billing
        is_billed = any(not _is_free(billing, each.free) for each in budgets)
        self._estimate: Estimate | None = (
            estimate(
                call.body.body,
                billing.model,
                billing.price_id,
                max_output=billing.max_output_tokens,
                batch_share=billing.batch_share,
            )
            if is_billed
            else None
        )
        # A call that is free for one budget is free for all of them, inner ones included.
        is_free = _is_free(billing, frozenset[str]().union(*(b.free for b in budgets)))
        self._budgets = () if is_free else budgets
        self._free = budgets if is_free else ()

    @property
    def _worst(self) -> float | None:
        return self._estimate.worst_cost_usd if self._estimate is not None else None

    def confirm(self) -> bool:
        """Ask the user whether to send a call that would exceed a budget. Caller's thread."""
        with self._owner.lock:
            full = self._exceeded()
        if full is None or full.confirm is None or self._worst is None:
            return False
        return bool(full.confirm(f"{self._reason(full)} Send anyway?"))

    def reserve(self, *, regardless: bool) -> None:
        """Reserve the worst case in every budget, or raise."""
        while (full := self.try_reserve(regardless=regardless)) is not None:
            # Not under the lock, which the loop thread takes: it may wait for other processes.
            if full.extend is not None and self._worst is not None and full.extend(self._worst):
                continue
            with self._owner.lock:
                if self._exceeded() is None:
                    continue
                if self._may_fit_later(full):
                    self._owner.settled.wait()
                    continue
                full.refused += 1
                raise BudgetError(f"{self._reason(full)} {self._remedy(full)} Nothing was sent.")

    def try_reserve(self, *, regardless: bool = False) -> Budget | None:
        """Reserve the worst case, or return the budget that it would exceed. Any thread."""
        with self._owner.lock:
            for each in (*self._budgets, *self._free):
                worst = (self._worst or 0.0) if self._budgets else 0.0
                each._largest_usd = max(each._largest_usd or 0.0, worst)
            full = None if regardless else self._exceeded()
            if full is not None:
                return full
            for each in (*self._budgets, *self._free):
                each._open += 1
            for each in self._budgets:
                each.reserved_usd += self._worst or 0.0
        return None

    def settle(self, response: ProviderResponse) -> ProviderResponse:
        """Replace the reservation by the actual cost. Loop thread."""
        worst = self._worst or 0.0
        cost = _cost(response)
        with self._owner.lock:
            for each in (*self._budgets, *self._free):
                each._open -= 1
                each.calls += 1
            for each in self._budgets:
                each.reserved_usd = each.reserved_usd - worst if each._open else 0.0
                each.spent_usd += worst if cost is None else cost
                if cost is None:
                    each.uncertain_usd += worst
            self._owner.settled.notify_all()
        return response

    def _exceeded(self) -> Budget | None:
        worst = self._worst
        for each in self._budgets:
            if worst is None or each.spent_usd + each.reserved_usd + worst > each.usd + _ROUNDING:
                return each
        return None

    def _may_fit_later(self, full: Budget) -> bool:
        """Whether it is only what others may cost at most that stands in the way, and it waits."""
        worst = self._worst
        if worst is None or not full._open or not _waits.get():
            return False
        return full.spent_usd + worst <= full.usd + _ROUNDING

    def _reason(self, full: Budget) -> str:
        name, estimate = self._billing.name, self._estimate
        if estimate is None or estimate.input_cost_usd is None:
            return f"{name}: its price is unknown, and a budget of {usd(full.shown_usd)} is set."
        if self._worst is None:
            return (
                f"{name}: without max_tokens the cost of the call is unknown, and a budget of "
                f"{usd(full.shown_usd)} is set."
            )
        spent = f"{usd(full.spent_usd)} of {usd(full.shown_usd)} are spent"
        if full.reserved_usd:
            spent += f" and {usd(full.reserved_usd)} reserved for {_calls(full._open)} in progress"
        return f"{name}: the call may cost {usd(self._worst)}, and {spent}."

    def _remedy(self, full: Budget) -> str:
        if self._estimate is None or self._estimate.input_cost_usd is None:
            billing = self._billing
            own = origin(billing.base_url) if billing.is_custom_host else billing.provider
            return (
                f"If it is free of charge: allos.budget({full.shown_usd:g}, free=[{own!r}]); "
                "allos.budget(None) removes the budget."
            )
        if self._worst is None:
            return "Pass max_tokens=."
        return f"Pass a smaller max_tokens=, or {full.advice}."


def _cost(response: ProviderResponse) -> float | None:
    """Actual cost of a call; None when unknown."""
    facts = response.metadata
    if response.cost_usd is not None:
        return response.cost_usd
    if not facts.get("attempts"):
        return 0.0
    # Services do not bill rejected requests; the cost of an interrupted one is unknown.
    attempts = [*(facts.get("retry_log") or ()), {"http_status": facts.get("http_status")}]
    if response.status == "error" and all((each["http_status"] or 0) >= 400 for each in attempts):
        return 0.0
    return None


_MOST_USD = 1e15  # infinity and integers too large for a float are mistakes


def checked_usd(usd: object) -> float:
    """Return a valid amount of a budget, in US dollars.

    Raises
    ------
    ConfigurationError
        It is not a number, negative or infinite.
    """
    if isinstance(usd, bool) or not isinstance(usd, (int, float)) or not 0 <= usd <= _MOST_USD:
        raise ConfigurationError(f"A budget must be a number >= 0 (US dollars), got {usd!r}.")
    return float(usd)


def _normalize_free(name: str) -> str:
    if not isinstance(name, str):
        raise ConfigurationError(
            f"free must contain names of services and models, and URLs, got {type(name).__name__}."
        )
    if "://" in name:
        return origin(name)
    provider, slash, model = name.partition("/")
    return services.find(provider).name + slash + model


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
