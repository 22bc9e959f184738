"""What a batch needs of its calls, whoever makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from allos.errors import AllosError
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.runs.batching.call_states import CallStates
    from allos.runs.batching.shared_budget import SharedBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How the calls of a batch are made."""

    concurrency: int | None = None
    budget_usd: float | None = None
    on_error: str = "row"
    refresh: bool = False
    mode: str = "calls"
    reuse: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has ended."""

    position: int
    response: ProviderResponse | None
    """None for one that was not sent."""


Listener = Callable[[Ended], None]


class Calls(Protocol):
    """The calls of a batch, in this process (`BatchCalls`) or in others (`ExecutorCalls`)."""

    plan: BatchPlan
    options: BatchOptions
    states: CallStates
    notes: list[str]
    """One line for each column or service that takes no more."""
    stop_errors: dict[int, AllosError]
    """By column, why its calls are not sent any more."""
    responses: dict[int, ProviderResponse]
    """By position; only those that the log does not have, or not as they came."""
    is_paused: bool
    is_cancelled: bool
    pause_reason: str | None
    """Why it paused by itself, in one line."""
    budget: SharedBudget | None
    is_at_service: bool
    """Whether services go on with the calls when the process ends."""
    executor: Any
    """Who makes them, as it was given; None: this process."""

    @property
    def at_service(self) -> tuple[int, int] | None:
        """Calls that are done at their services, and all that are there; None: there are none."""

    @property
    def newest(self) -> Iterable[Ended]:
        """Answers, the newest last; a few."""

    @property
    def failed(self) -> Iterable[Ended]:
        """Errors, the newest last; a few."""

    def start(self) -> None:
        """Start every call that is not done; returns at once."""

    def pause(self) -> None:
        """Start nothing more; what has been sent goes on."""

    def resume(self) -> None:
        """Go on."""

    def cancel(self) -> None:
        """Stop every call that has not ended."""

    def leave(self) -> None:
        """Stop all that only this process can do, at its end."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every call that ends from now on."""

    def unlisten(self, listener: Listener) -> None:
        """Take back `listen`."""
