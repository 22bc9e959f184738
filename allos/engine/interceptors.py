"""The one seam of a call: what may answer or refuse it before it is sent, and what sees its response.

Interceptors nest like the layers of an onion. `before` runs in the order of the list, on the caller's
thread; what it returns runs after the call, in reverse order, on the loop thread, bound to its own
call. A response or an error from `before` ends the call there, and only the layers outside of it see
the response. So the log, outermost, sees every call: answered from a recording, refused, or sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from inspect import isawaitable, iscoroutine
from typing import NamedTuple

from allos.engine.prepared_call import PreparedCall
from allos.errors import AllosError
from allos.response import ProviderResponse

After = Callable[[ProviderResponse], ProviderResponse | Awaitable[ProviderResponse]]
"""Given the response of its call, returns it, completed or as it was. Loop thread; must not block."""


class Interceptor:
    """One layer around every call of a session."""

    can_answer_offline = False
    """Whether `before` may answer without a service: then a missing key, address or model file is an
    error only when a call has to go out."""

    observes_refused = False
    """Whether it also sees calls that were refused before they could be prepared."""

    def before(self, call: PreparedCall) -> ProviderResponse | After | None:
        """Look at a call before key, client and server are. Caller's thread; must be quick.

        Returns
        -------
        ProviderResponse, callable or None
            An answer, which ends the call; or what to do with its response; or nothing.

        Raises
        ------
        AllosError
            The call is refused: its response carries this error, and nothing is sent.
        """
        return None


class Decision(NamedTuple):
    """What the interceptors say of a call."""

    outcome: ProviderResponse | AllosError | None
    """An answer, a refusal, or None: it is sent."""
    afters: Sequence[After]


def decide(call: PreparedCall, interceptors: Iterable[Interceptor]) -> Decision:
    """Ask each interceptor in turn. Caller's thread."""
    afters: list[After] = []
    for interceptor in interceptors:
        try:
            found = interceptor.before(call)
        except AllosError as exc:
            return Decision(exc, afters)
        except Exception as exc:  # noqa: BLE001 - what surrounds this layer must still be undone
            name = type(interceptor).__name__
            return Decision(AllosError(f"{name} failed: {type(exc).__name__}: {exc}"), afters)
        if isinstance(found, ProviderResponse):
            return Decision(found, afters)
        if found is not None:
            afters.append(found)
    return Decision(None, afters)


Report = Callable[[str, Exception], None]
"""Told of a fault that costs nobody an answer."""


async def complete(
    response: ProviderResponse, afters: Sequence[After], report: Report
) -> tuple[ProviderResponse, bool]:
    """Run what follows a call; also whether the task was cancelled meanwhile. Loop thread."""
    import asyncio

    cancelled = False
    for after in reversed(afters):
        try:
            found = after(response)
            response = await found if isawaitable(found) else found
        except asyncio.CancelledError:  # the layers outside must see the response all the same
            cancelled = True
        except Exception as exc:  # noqa: BLE001 - who watches never costs the answer
            report("what follows a call failed", exc)
    return response, cancelled


def complete_now(
    response: ProviderResponse, afters: Sequence[After], report: Report
) -> ProviderResponse:
    """Run what follows a call without waiting for anything, where the loop may be about to end."""
    for after in reversed(afters):
        try:
            found = after(response)
            if isinstance(found, ProviderResponse):
                response = found
            elif iscoroutine(found):
                found.close()
        except Exception as exc:  # noqa: BLE001 - as above
            report("what follows a call failed", exc)
    return response
