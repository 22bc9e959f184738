"""Rate limits: concurrent calls and calls per minute, one limiter per API key and host.

Limits of the user are never exceeded; a rate-limit reply of the service (429, no requests left) pauses
all calls with that key to that host, not only the one that received it. Callers take turns, so that a
single call does not wait for a batch of a thousand.

Everything runs on the loop thread, so no locks are needed.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from allos.engine import retry
from allos.engine.pauses import Block, Pause, Reason
from allos.request import Request
from allos.secret import Secret

if TYPE_CHECKING:
    import asyncio

_CHARS_PER_TOKEN = 4
_ANSWER_TOKENS = 256
"""Estimate for the output without `max_tokens`, until the service reports the usage."""
_PART_TOKENS = 1000
"""Estimate for an image or a file."""
_SHORTEST_WAIT_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a caller; None: unset, infinity: remove an earlier limit."""

    max_in_flight: float | None = None
    """Concurrent calls."""
    requests_per_minute: float | None = None
    """Requests in any 60 s, retries included."""
    tokens_per_minute: float | None = None
    """Tokens in any 60 s, input and output; estimated first, then as reported by the service."""


@dataclass(slots=True, eq=False)
class Permit:
    """Permission to send one request; returned with `Limiter.release`."""

    at: float
    tokens: float
    counted: bool = False
    """Whether it is among those of the last minute."""


@dataclass(slots=True, eq=False)
class _Waiter:
    future: asyncio.Future[Permit]
    tokens: float
    model: str


class Limiter:
    """Issues permits for one API key and host. Loop thread only.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    minute_s = 60.0

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.limits = Limits()
        self.in_flight = 0
        self._clock = clock
        self._lanes: OrderedDict[object, list[tuple[int, _Waiter]]] = OrderedDict()
        """Callers in the order of their turns, each with a heap of its calls, the oldest first. Waiters
        that are done stay until they are at the front."""
        self._configured: Limits | None = None
        self._sent: deque[Permit] = deque()  # in the last minute, while a per-minute limit is set
        self._tokens = 0.0  # of `_sent`
        self._pause = Pause(0.0)
        self._blocked: dict[str, Block] = {}
        """By model, the pauses that are too long to be waited for."""
        self._timer: asyncio.TimerHandle | None = None
        self._numbers = count()

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return sum(not waiter.future.done() for lane in self._lanes.values() for _, waiter in lane)

    def number(self) -> int:
        """Position of a new call in its caller's queue; its retries keep it."""
        return next(self._numbers)

    def configure(self, limits: Limits | None) -> None:
        """Apply the limits of a caller; the newest ones count."""
        if limits is None or limits is self._configured:
            return
        self._configured = limits
        names = [f.name for f in fields(limits)]
        changes = {name: value for name in names if (value := getattr(limits, name)) is not None}
        self.limits = replace(self.limits, **changes)
        self._dispatch()

    def try_acquire(self, *, tokens: float, model: str) -> Permit | None:
        """Return a permit if no call waits and there is capacity; None if `acquire` must wait for one.

        Raises
        ------
        RateLimitError
            The service accepts no request for longer than the longest wait.
        """
        now = self._clock()
        self._refuse(model, now)
        if self._lanes or self._wait_s(tokens, now) != 0:
            return None
        return self._issue(tokens, now)

    async def acquire(self, lane: object, number: int, tokens: float, model: str) -> Permit:
        """Wait for a permit.

        Parameters
        ----------
        lane : hashable
            The caller; callers take turns.
        number : int
            From `number`.
        tokens : float
            Estimated tokens of the call.
        model : str
            Calls of a model are refused while the service accepts none for long.

        Raises
        ------
        RateLimitError
            The service accepts no request for longer than the longest wait.
        """
        import asyncio

        waiter = _Waiter(asyncio.get_running_loop().create_future(), tokens, model)
        heappush(self._lanes.setdefault(lane, []), (number, waiter))
        self._dispatch()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.cancelled():
                self._pass_done(lane)
                self._dispatch()
            elif waiter.future.exception() is None:  # the permit was issued at the same moment
                self.release(waiter.future.result())
            raise

    def release(self, permit: Permit, tokens: float | None = None) -> None:
        """Return a permit; `tokens` is the actual usage of the call, if known."""
        self.in_flight -= 1
        if tokens is not None and permit.counted:
            self._tokens += tokens - permit.tokens
            permit.tokens = tokens
        self._dispatch()

    def pause(self, wait_s: float, model: str, reason: Reason | None = None) -> None:
        """Pause sending, as requested by the service.

        If the pause is longer than the policy's limit, calls of that model fail at once instead. They
        are refused for as long as the limit; then the next call is sent again.

        Parameters
        ----------
        wait_s : float
            Seconds that the service asks to wait.
        model : str
            The model that was asked.
        reason : Reason, optional
            What the service said, for the calls that are refused meanwhile.
        """
        now, longest_s = self._clock(), retry.policy.max_hint_s
        if wait_s <= longest_s:
            if now + wait_s > self._pause.until:
                self._pause = Pause(now + wait_s, reason)
            return
        block = self._blocked[model] = Block(now + wait_s, reason, now + longest_s)
        for lane in self._lanes.values():
            for _, waiter in lane:
                if waiter.model == model and not waiter.future.done():
                    waiter.future.set_exception(block.error(now))
        self._dispatch()

    @property
    def pause_reason(self) -> Reason | None:
        """What the service said when it asked for the pause that is not over; None without one."""
        return self._pause.reason if self._clock() < self._pause.until else None

    def _refuse(self, model: str, now: float) -> None:
        if self._blocked and model in self._blocked:
            block = self._blocked[model]
            if now < block.refused_until:
                raise block.error(now)
            del self._blocked[model]

    def _pass_done(self, caller: object) -> None:
        """Remove a caller's first calls that no longer wait, and the caller if none is left."""
        lane = self._lanes.get(caller)
        while lane and lane[0][1].future.done():
            heappop(lane)
        if lane is not None and not lane:
            del self._lanes[caller]

    def _dispatch(self) -> None:
        """Issue permits while there is capacity; set a timer for the next one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._lanes:
            caller, lane = next(iter(self._lanes.items()))
            self._pass_done(caller)
            if not lane:
                continue
            waiter, now = lane[0][1], self._clock()
            wait_s = self._wait_s(waiter.tokens, now)
            if wait_s is None:  # `release` calls this again
                return
            if wait_s > 0:
                loop = waiter.future.get_loop()
                self._timer = loop.call_later(max(wait_s, _SHORTEST_WAIT_S), self._dispatch)
                return
            waiter.future.set_result(self._issue(waiter.tokens, now))
            self._lanes.move_to_end(caller)
            self._pass_done(caller)

    def _issue(self, tokens: float, now: float) -> Permit:
        self.in_flight += 1
        permit = Permit(now, tokens)
        limits = self.limits
        if limits.requests_per_minute is not None or limits.tokens_per_minute is not None:
            permit.counted = True
            self._sent.append(permit)
            self._tokens += tokens
        return permit

    def _wait_s(self, tokens: float, now: float) -> float | None:
        """Seconds until the next call may be sent; None: when another one ends."""
        limits = self.limits
        if limits.max_in_flight is not None and self.in_flight >= limits.max_in_flight:
            return None
        wait_s = max(0.0, self._pause.until - now)
        sent = self._sent
        while sent and sent[0].at <= now - self.minute_s:
            oldest = sent.popleft()
            oldest.counted = False
            self._tokens -= oldest.tokens
        if not sent:
            self._tokens = 0.0  # do not accumulate rounding errors
            return wait_s
        if limits.requests_per_minute is not None:
            over = len(sent) - int(min(limits.requests_per_minute, len(sent) + 1))
            if over >= 0:
                wait_s = max(wait_s, sent[over].at + self.minute_s - now)
        if limits.tokens_per_minute is not None:
            # A call that is larger than the limit is sent alone.
            excess = self._tokens + tokens - limits.tokens_per_minute
            for permit in sent:
                if excess <= 0:
                    break
                excess -= permit.tokens
                wait_s = max(wait_s, permit.at + self.minute_s - now)
        return wait_s


class LimiterRegistry:
    """The limiters of a session: one per API key and host. Loop thread.

    They live as long as the event loop of their queues.
    """

    def __init__(self) -> None:
        self._by_loop: WeakKeyDictionary[Any, dict[tuple[str, Secret], Limiter]] = (
            WeakKeyDictionary()
        )

    def get(self, loop: asyncio.AbstractEventLoop, base_url: str, api_key: Secret) -> Limiter:
        """Return the limiter shared by all calls with this key to this host."""
        limiters = self._by_loop.setdefault(loop, {})
        key = (urlsplit(base_url).netloc, api_key)
        limiter = limiters.get(key)
        if limiter is None:
            limiter = limiters[key] = Limiter()
        return limiter


def estimate(request: Request) -> float:
    """Estimated tokens of a call: a quarter of its characters, and its `max_tokens`."""
    tokens = 0.0
    for message in request.messages:
        tokens += len(message.text or "") / _CHARS_PER_TOKEN
        if not isinstance(message.content, str):
            parts = message.content or ()
            tokens += _PART_TOKENS * sum(not isinstance(part, str) for part in parts)
    allowed = request.params.get("max_tokens")
    return tokens + (_ANSWER_TOKENS if allowed is None else allowed)
