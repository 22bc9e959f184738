"""Calls whose answers come by another way than a request of their own: in a batch of their service.

`hand_over` does what comes before a call is sent, `arrived` what comes after it, hours later or in another
process: one call, one row, as if it had been sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from allos.engine.attempts import AttemptRun
from allos.engine.call import Call
from allos.engine.interceptors import After, Decision, Interceptor, decide
from allos.engine.limits import LimiterRegistry
from allos.engine.prepared_call import PreparedCall
from allos.engine.start import runtime_for_a_call, settle
from allos.errors import ProviderError
from allos.response import ProviderResponse
from allos.wire.base import Body, Reply, Wire

if TYPE_CHECKING:
    from allos.request import Request
    from allos.wire.clients import Client
    from allos.wire.connection import Connection
    from allos.wire.decoder import Decoder


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is kept of a call until its answer is there."""

    afters: Sequence[After]
    created_at: datetime


def hand_over(call: PreparedCall, interceptors: Sequence[Interceptor]) -> Call | HandedOver:
    """Run the interceptors of a call that is sent by somebody else.

    Returns
    -------
    Call or HandedOver
        A call where it ends here: it was refused, or answered from a recording.
    """
    decision = decide(call, interceptors)
    if decision.outcome is not None:
        return settle(runtime_for_a_call(), call, decision, None)
    return HandedOver(decision.afters, datetime.now(UTC))


def hand_over_again(
    call: PreparedCall, interceptors: Sequence[Interceptor], created_at: datetime
) -> Call | HandedOver:
    """As `hand_over`, for a call that another process has handed over: whether to send it is decided."""
    found = hand_over(call, [each for each in interceptors if not each.decides_sending])
    return replace(found, created_at=created_at) if isinstance(found, HandedOver) else found


def arrived(
    call: PreparedCall,
    handed: HandedOver,
    outcome: bytes | ProviderError | None,
    connection: Connection,
) -> Call:
    """Complete a call that was handed over. Any thread but the loop thread.

    Parameters
    ----------
    call : PreparedCall
    handed : HandedOver
    outcome : bytes, ProviderError or None
        Body of the answer; why there is none; None: it was cancelled.
    connection : Connection
        Of its service, whose key no error may show.
    """
    runtime = runtime_for_a_call()

    def with_facts(response: ProviderResponse) -> ProviderResponse:
        # What was measured is the reading of the answer; services bill no call that has failed.
        facts = {name: v for name, v in response.metadata.items() if name not in _MEASURED}
        facts["service_tier"] = "batch"
        facts["total_time_s"] = (datetime.now(UTC) - handed.created_at).total_seconds()
        if not isinstance(outcome, bytes):
            facts["cost_usd"] = 0.0
        return replace(response, metadata=facts, created_at=handed.created_at)

    afters = [*handed.afters, with_facts]
    if outcome is None:
        return settle(runtime, call, Decision(None, afters), None)
    call = replace(
        call,
        wire=_ArrivedWire(call.wire, outcome),
        request=replace(call.request, base_url=connection.base_url, max_attempts=1),
        limits=None,
        limiters=_UNLIMITED,
    )
    handle = Call(runtime)
    run = AttemptRun(handle, call, afters, connection, runtime.borrow(connection), None)
    runtime.loop.call_soon_threadsafe(run.begin)
    return handle


_MEASURED = frozenset({"latency_s", "time_to_first_token_s", "tokens_per_second", "queue_s"})
_UNLIMITED = LimiterRegistry()  # a cache of the process: nothing is sent, so nothing is limited


class _ArrivedWire(Wire):
    """Has the answer already."""

    is_real_time = False

    def __init__(self, wire: Wire, outcome: bytes | ProviderError) -> None:
        self.api, self.sdk, self.path = wire.api, wire.sdk, wire.path
        self._wire = wire
        self._outcome = outcome

    def body(self, request: Request) -> Body:
        return self._wire.body(request)

    def decoder(self, request: Request) -> Decoder:
        return self._wire.decoder(request)

    async def send(self, client: Client, request: Request, body: Body) -> Reply:
        if isinstance(self._outcome, ProviderError):
            raise self._outcome
        return self._wire.read(request, self._outcome, {})
