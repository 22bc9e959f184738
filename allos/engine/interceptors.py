"""Interceptors: they may answer or refuse a call before it is sent, and see its response.

Interceptors are nested, like middleware. `before` runs in the order of the list, on the caller's thread;
the callable that it returns runs after the call, in reverse order, on the loop thread. A response or an
error from `before` ends the call there, and only the outer interceptors see the response. So the log,
which is outermost, sees every call: replayed, refused or sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import NamedTuple

from allos.engine.prepared_call import PreparedCall
from allos.errors import AllosError
from allos.response import ProviderResponse

After = Callable[[ProviderResponse], ProviderResponse | Awaitable[ProviderResponse]]
"""Takes the response of its call and returns it, changed or not. Loop thread; must not block."""


class MustWait(Exception):
    """Raised by `before` on the loop thread, by an interceptor that has to wait after all."""


class Interceptor:
    """Base class of what runs around every call of a session."""

    can_answer_offline = False
    """Whether `before` may answer without a service: then a missing API key, base URL or model file is
    only an error when a request has to be sent."""

    decides_sending = False
    """Whether all that it does is to decide if a call is sent, so that it has no say in one that was."""

    observes_refused = False
    """Whether it also sees calls that were refused before they could be prepared."""

    @property
    def may_wait(self) -> bool:
        """Whether `before` may wait: for a file, another call, a person. Then it never runs on the loop thread.

        False where most calls need not wait: it then raises `MustWait` on the loop thread for one that has to.
        """
        return True

    def before(self, call: PreparedCall) -> ProviderResponse | After | None:
        """Inspect a call before its key, client and server are set up. Caller's thread; must be fast.

        Returns
        -------
        ProviderResponse, callable or None
            A response, which ends the call; or a callable for its response; or None.

        Raises
        ------
        AllosError
            The call is refused: its response carries this error, and nothing is sent.
        MustWait
            On the loop thread only: another thread is to start the call. What ran before it must not mind.
        """
        return None


class Decision(NamedTuple):
    """Result of running `before` of all interceptors."""

    outcome: ProviderResponse | AllosError | None
    """A response, an error, or None: the call is sent."""
    afters: Sequence[After]


def decide(call: PreparedCall, interceptors: Iterable[Interceptor]) -> Decision:
    """Run `before` of each interceptor. Caller's thread.

    Raises
    ------
    MustWait
        On the loop thread: one of them has to wait.
    """
    afters: list[After] = []
    for interceptor in interceptors:
        try:
            found = interceptor.before(call)
        except AllosError as exc:
            return Decision(exc, afters)
        except MustWait:
            raise
        except Exception as exc:  # noqa: BLE001 - outer interceptors must still see a response
            name = type(interceptor).__name__
            return Decision(AllosError(f"{name} failed: {type(exc).__name__}: {exc}"), afters)
        if isinstance(found, ProviderResponse):
            return Decision(found, afters)
        if found is not None:
            afters.append(found)
    return Decision(None, afters)


Report = Callable[[str, Exception], None]
"""Called with an error that does not affect the response."""


async def complete(
    response: ProviderResponse, afters: Sequence[After], report: Report
) -> tuple[ProviderResponse, bool]:
    """Run the callables after a call; also return whether the task was cancelled meanwhile. Loop thread."""
    import asyncio

    cancelled = False
    for after in reversed(afters):
        try:
            found = after(response)
            response = await found if isawaitable(found) else found
        except asyncio.CancelledError:  # outer interceptors must still see the response
            cancelled = True
        except Exception as exc:  # noqa: BLE001 - an interceptor's error must not lose the response
            report("an interceptor failed after a call", exc)
    return response, cancelled


def complete_ready(
    response: ProviderResponse, afters: Sequence[After], report: Report
) -> tuple[ProviderResponse, list[After]]:
    """Run the callables after a call as far as none is to be awaited; also return those left to run."""
    left = list(afters)
    while left:
        try:
            found = left[-1](response)
        except Exception as exc:  # noqa: BLE001 - as above
            report("an interceptor failed after a call", exc)
            left.pop()
            continue
        if not isinstance(found, ProviderResponse):
            left[-1] = partial(_return_awaitable, found)
            break
        response = found
        left.pop()
    return response, left


def _return_awaitable(
    awaitable: Awaitable[ProviderResponse], _: ProviderResponse
) -> Awaitable[ProviderResponse]:
    return awaitable


def complete_now(
    response: ProviderResponse, afters: Sequence[After], report: Report
) -> ProviderResponse:
    """Run the callables after a call without awaiting, since the loop may be closing."""
    for after in reversed(afters):
        try:
            found = after(response)
            if isinstance(found, ProviderResponse):
                response = found
            elif iscoroutine(found):
                found.close()
        except Exception as exc:  # noqa: BLE001 - as above
            report("an interceptor failed after a call", exc)
    return response
