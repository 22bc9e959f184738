"""A budget: what calls may cost together, held before each of them is sent.

Before a call goes out, the most it can cost is reserved; what does not fit is not sent. When it ends,
the real cost takes the place of the reservation. What nobody tells (a call that was stopped, or that
broke off) keeps its worst case. One lock guards all budgets, so that calls at the same time can never
pass one together. A replayed answer costs nothing and is not asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar, Token
from typing import Literal, Self, overload

from allos import _process
from allos.engine import After, BilledService, Interceptor, PreparedCall
from allos.errors import BudgetError, ConfigurationError
from allos.providers.auth.endpoints import origin
from allos.providers.catalog import services
from allos.providers.pricing.estimates import Estimate, estimate, usd
from allos.response import ProviderResponse

Confirm = Callable[[str], bool]
"""Given a question, says yes or no. It may take its time: it is never asked on the loop thread."""

_ROUNDING = 1e-9
"""A budget is not passed by the rounding of floating-point sums."""


class Budget:
    """What calls may cost together; made by `allos.budget`. Also a context manager for a block.

    Attributes
    ----------
    usd : float
        US dollars that may be spent.
    spent_usd : float
        What the calls so far have cost; the worst case where nobody tells.
    uncertain_usd : float
        How much of `spent_usd` is such worst cases.
    reserved_usd : float
        What the calls under way may cost at most.
    calls, refused : int
        Calls that ended, and calls that were not sent because of this budget.
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
        self.usd = _amount(usd)
        names = [free] if isinstance(free, str) else free
        if not isinstance(names, Iterable):
            raise ConfigurationError(f"free takes a list of services and models, not {free!r:.80}.")
        self.free = frozenset(_checked(name) for name in names)
        self.confirm = confirm
        self.spent_usd = self.uncertain_usd = self.reserved_usd = 0.0
        self.calls = self.refused = 0
        self._open = 0
        self._before: Budget | None = None
        self._tokens: list[Token[tuple[Budget, ...]]] = []

    @property
    def left_usd(self) -> float:
        """What the next call may cost at most."""
        return max(0.0, self.usd - self.spent_usd - self.reserved_usd)

    def __enter__(self) -> Self:
        self._budgets.only_for_a_block(self)
        self._tokens.append(_blocks.set((*_blocks.get(), self)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _blocks.reset(self._tokens.pop())

    def __repr__(self) -> str:
        said = f"{usd(self.spent_usd)} of {usd(self.usd)} spent by {_calls(self.calls)}"
        if self.uncertain_usd:
            said += f" ({usd(self.uncertain_usd)} of it worst cases, since nobody told the cost)"
        if self._open:
            said += f", {usd(self.reserved_usd)} reserved for {_calls(self._open)} under way"
        if self.refused:
            said += f", {_calls(self.refused)} not sent"
        return f"<Budget: {said}>"


_blocks: ContextVar[tuple[Budget, ...]] = ContextVar("allos_budgets", default=())


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
    """Set what all calls of this process may cost together, or in ``with`` those of a block.

    A call whose worst case (the prompt, and `max_tokens` of answer) does not fit is not sent and fails
    with a `BudgetError`; so does one whose price nobody knows. A block's calls count for the
    process's budget as well. A new budget starts at nothing spent, and stands in the place of the
    one in the settings (`budget_usd`, ``ALLOS_BUDGET_USD``).

    Parameters
    ----------
    usd : float or None
        US dollars. None lifts the budget that was set here. Left out: the budget in force is returned.
    free : str or sequence of str
        What costs nothing: a service (``"ollama"``), a model (``"openrouter/some:free"``), or a host
        (``"http://localhost:8000"``) of your own. The embedded model always is.
    confirm : callable or None
        ``confirm(question)`` says whether a call that does not fit is sent all the same. Without it
        nobody is asked.

    Returns
    -------
    Budget or None
        The budget in force, the innermost block's first.

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
    """The budgets of a session, and the layer that holds every call to them.

    Parameters
    ----------
    configured : callable
        What the settings allow, in US dollars; None: nothing is set.
    """

    def __init__(self, configured: Callable[[], float | None]) -> None:
        self._configured = configured
        self._of_process: Budget | None = None
        self._of_settings: Budget | None = None
        self.after_fork_in_child()

    def after_fork_in_child(self) -> None:
        """Make the locks anew: a thread that held one is not in the child."""
        self.lock = threading.Lock()  # guards: spent and reserved of all budgets change together
        self._asking = threading.Lock()  # guards: one question at a time

    def set(
        self, usd: float | None, *, free: Iterable[str] = (), confirm: Confirm | None = None
    ) -> Budget | None:
        """Set the budget of all calls; None lifts it."""
        if usd is None:
            self._of_process = None
            return None
        made = Budget(self, usd, free=free, confirm=confirm)
        with self.lock:
            made._before, self._of_process = self._of_process, made
        return made

    def only_for_a_block(self, budget: Budget) -> None:
        """Take a budget back that turns out to stand in ``with``: the one before it is in force."""
        with self.lock:
            if self._of_process is budget:
                self._of_process = budget._before

    def in_force(self) -> tuple[Budget, ...]:
        """Budgets that a call made here must fit into, the innermost first."""
        blocks = [each for each in reversed(_blocks.get()) if each._budgets is self]
        whole = self._of_process or self._from_settings()
        return (*blocks, *(() if whole is None else (whole,)))

    def _from_settings(self) -> Budget | None:
        """Return the budget that was configured; another amount keeps what is spent."""
        amount = self._configured()
        if amount is None:
            return None
        with self.lock:
            if self._of_settings is None:
                self._of_settings = Budget(self, amount)
            self._of_settings.usd = _amount(amount)
            return self._of_settings

    def before(self, call: PreparedCall) -> After | None:
        """Reserve the most that a call can cost.

        Raises
        ------
        BudgetError
            It does not fit, or nobody knows what it may cost.
        """
        budgets = self.in_force()
        if not budgets:
            return None
        reservation = Reservation(self, call, budgets)
        with self._asking:
            is_allowed = reservation.confirm()
        reservation.reserve(regardless=is_allowed)
        return reservation.settle


def _is_free(billing: BilledService, free: frozenset[str]) -> bool:
    """Whether a call costs nothing, as the user says."""
    if billing.is_embedded or (billing.base_url and origin(billing.base_url) in free):
        return True
    return not billing.is_custom_host and (billing.provider in free or billing.name in free)


class Reservation:
    """The most that one call can cost, held back in its budgets until the real cost is known."""

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
            )
            if is_billed
            else None
        )
        # What the user says to cost nothing costs no budget anything, an inner one neither.
        is_free = _is_free(billing, frozenset[str]().union(*(b.free for b in budgets)))
        self._budgets = () if is_free else budgets
        self._free = budgets if is_free else ()

    @property
    def _worst(self) -> float | None:
        return self._estimate.worst_cost_usd if self._estimate is not None else None

    def confirm(self) -> bool:
        """Ask the person whether a call that does not fit is sent anyway. Caller's thread."""
        with self._owner.lock:
            full = self._too_small()
        if full is None or full.confirm is None or self._worst is None:
            return False
        return bool(full.confirm(f"{self._why(full)} Send anyway?"))

    def reserve(self, *, regardless: bool) -> None:
        """Reserve the worst case in every budget, or raise."""
        with self._owner.lock:
            full = None if regardless else self._too_small()
            if full is not None:
                full.refused += 1
                raise BudgetError(f"{self._why(full)} {self._how(full)} Nothing was sent.")
            for each in (*self._budgets, *self._free):
                each._open += 1
            for each in self._budgets:
                each.reserved_usd += self._worst or 0.0

    def settle(self, response: ProviderResponse) -> ProviderResponse:
        """Put the real cost in the place of the reservation. Loop thread."""
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
        return response

    def _too_small(self) -> Budget | None:
        worst = self._worst
        for each in self._budgets:
            if worst is None or each.spent_usd + each.reserved_usd + worst > each.usd + _ROUNDING:
                return each
        return None

    def _why(self, full: Budget) -> str:
        name, estimate = self._billing.name, self._estimate
        if estimate is None or estimate.input_cost_usd is None:
            return f"{name}: its price is not known, and a budget of {usd(full.usd)} is set."
        if self._worst is None:
            return (
                f"{name}: without max_tokens nobody knows what the call may cost, and a budget of "
                f"{usd(full.usd)} is set."
            )
        spent = f"{usd(full.spent_usd)} of {usd(full.usd)} are spent"
        if full.reserved_usd:
            spent += f" and {usd(full.reserved_usd)} reserved for {_calls(full._open)} under way"
        return f"{name}: the call may cost {usd(self._worst)}, and {spent}."

    def _how(self, full: Budget) -> str:
        if self._estimate is None or self._estimate.input_cost_usd is None:
            billing = self._billing
            own = origin(billing.base_url) if billing.is_custom_host else billing.provider
            return (
                f"If it costs you nothing, say so: allos.budget({full.usd:g}, free=[{own!r}]); "
                "allos.budget(None) lifts the budget."
            )
        if self._worst is None:
            return "Pass max_tokens=."
        return "Pass a smaller max_tokens=, or set another budget: allos.budget(USD)."


def _cost(response: ProviderResponse) -> float | None:
    """Real cost of a call; None when nobody tells."""
    facts = response.metadata
    if response.cost_usd is not None:
        return response.cost_usd
    if not facts.get("attempts"):
        return 0.0
    # A service bills no request that it refuses; of one that broke off nobody knows.
    tries = [*(facts.get("retry_log") or ()), {"http_status": facts.get("http_status")}]
    if response.status == "error" and all((each["http_status"] or 0) >= 400 for each in tries):
        return 0.0
    return None


_MOST_USD = 1e15  # infinity and what no float holds are slips


def _amount(usd: object) -> float:
    if isinstance(usd, bool) or not isinstance(usd, (int, float)) or not 0 <= usd <= _MOST_USD:
        raise ConfigurationError(f"A budget is a number of US dollars from 0, not {usd!r}.")
    return float(usd)


def _checked(name: str) -> str:
    if not isinstance(name, str):
        raise ConfigurationError(
            f"free takes names of services and models, and addresses, not {type(name).__name__}."
        )
    if "://" in name:
        return origin(name)
    provider, slash, model = name.partition("/")
    return services.find(provider).name + slash + model


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
