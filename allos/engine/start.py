"""Start a call: run the interceptors, connect, submit it to the loop thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from allos import _process, wire
from allos.engine.attempts import AttemptRun
from allos.engine.call import Call
from allos.engine.interceptors import Decision, Interceptor, decide
from allos.engine.prepared_call import BilledService, PreparedCall
from allos.engine.runtime import Runtime, get
from allos.engine.settled import SettledRun
from allos.errors import AllosError, ConfigurationError
from allos.events import Event
from allos.request import Request
from allos.response import ProviderResponse
from allos.wire.base import Body

if TYPE_CHECKING:
    from allos.engine.runtime import SharedClient
    from allos.wire.connection import Connection

OnEvents = Callable[[Sequence[Event]], None]
"""Called with the events of each chunk, on the loop thread."""


def start(
    call: PreparedCall,
    interceptors: Sequence[Interceptor],
    on_events: OnEvents | None = None,
) -> Call:
    """Start a call and return at once.

    Parameters
    ----------
    call : PreparedCall
    interceptors : sequence of Interceptor
        Interceptors of the call, outermost first.
    on_events : callable or None
        Called with events as they arrive. Streams only.

    Returns
    -------
    Call
        Also for a refused call: its response has the error, and is a row of the log.

    Raises
    ------
    ConfigurationError
        Called on the loop thread.
    """
    return _start(runtime_for_a_call(), call, interceptors, on_events)


def start_on_loop(call: PreparedCall, interceptors: Sequence[Interceptor]) -> Call:
    """As `start`, on the loop thread: nothing may wait, neither an interceptor nor the connection.

    A call that starts while another one ends is sent at once, before any other callback of the loop.

    Raises
    ------
    MustWait
        An interceptor has to wait after all; nothing was sent.
    """
    return _start(get(), call, interceptors, None)


def _start(
    runtime: Runtime,
    call: PreparedCall,
    interceptors: Sequence[Interceptor],
    on_events: OnEvents | None,
) -> Call:
    decision = decide(call, interceptors)
    if decision.outcome is not None:
        return settle(runtime, call, decision, on_events)
    try:
        connection = call.connect()
        shared = runtime.borrow(connection)
    except AllosError as exc:
        return settle(runtime, call, Decision(exc, decision.afters), on_events)
    except BaseException:  # KeyboardInterrupt, most likely
        settle(runtime, call, Decision(None, decision.afters), on_events)
        raise
    return _send(runtime, call, decision, connection, shared, on_events)


async def astart(
    call: PreparedCall,
    interceptors: Sequence[Interceptor],
    on_events: OnEvents | None = None,
) -> Call:
    """As `start`, without blocking the caller's event loop by imports or by starting a server."""
    import asyncio

    runtime = runtime_for_a_call()
    decision = decide(call, interceptors)
    if decision.outcome is not None:
        return settle(runtime, call, decision, on_events)

    def connect() -> tuple[Connection, SharedClient]:
        connection = call.connect()
        return connection, runtime.borrow(connection)

    def give_back(done: asyncio.Task[tuple[Connection, SharedClient]]) -> None:
        if not done.cancelled() and done.exception() is None:
            runtime.give_back(done.result()[1])

    connecting = asyncio.ensure_future(asyncio.to_thread(connect))
    try:
        connection, shared = await asyncio.shield(connecting)
    except AllosError as exc:
        return settle(runtime, call, Decision(exc, decision.afters), on_events)
    except BaseException:
        connecting.add_done_callback(give_back)  # its thread goes on
        settle(runtime, call, Decision(None, decision.afters), on_events)
        raise
    return _send(runtime, call, decision, connection, shared, on_events)


def refuse(request: Request, error: AllosError | None) -> Call:
    """Return the call of a request that could not be prepared; its response has the error.

    Without an error it was cancelled before. Interceptors with `observes_refused` see it, so it is a row
    of the log. Does not block, so it may also be called on the loop thread.
    """
    session = _process.current_session()
    observers = [layer for layer in session.interceptors if layer.observes_refused]
    call = PreparedCall(
        request=request,
        body=Body({}, ()),
        wire=wire.get(request.api),
        connect=_never,
        limiters=session.limiters,
        billing=BilledService(
            provider=request.provider, model=request.model, base_url=request.base_url
        ),
    )
    decision = decide(call, observers)
    return settle(get(), call, Decision(error, decision.afters), None)


def _never() -> NoReturn:
    raise AssertionError("a refused call is never sent")


def can_answer_offline() -> bool:
    """Whether calls may be replayed, so that a missing API key or model file is not an error yet."""
    return any(layer.can_answer_offline for layer in _process.current_session().interceptors)


def runtime_for_a_call() -> Runtime:
    """Return the runtime; raises on the loop thread."""
    runtime = get()
    if runtime.is_loop_thread:
        raise ConfigurationError(
            "a call cannot be started on allos's own loop thread; start it from your own thread"
        )
    return runtime


def settle(
    runtime: Runtime, call: PreparedCall, decision: Decision, on_events: OnEvents | None
) -> Call:
    """Return the call that ends without being sent: answered, refused, or cancelled."""
    is_answered = isinstance(decision.outcome, ProviderResponse)
    handle = Call(runtime, from_replay=is_answered, is_sent=False)
    run = SettledRun(handle, call, decision, on_events)
    runtime.loop.call_soon_threadsafe(run.begin)
    return handle


def _send(
    runtime: Runtime,
    call: PreparedCall,
    decision: Decision,
    connection: Connection,
    shared: SharedClient,
    on_events: OnEvents | None,
) -> Call:
    if connection.base_url != call.request.base_url:  # known only once the server runs
        call = replace(call, request=replace(call.request, base_url=connection.base_url))
    handle = Call(runtime)
    run = AttemptRun(handle, call, decision.afters, connection, shared, on_events)
    if runtime.is_loop_thread:
        run.begin()
    else:
        # It copies the caller's context, and with it the provenance.
        runtime.loop.call_soon_threadsafe(run.begin)
    return handle
