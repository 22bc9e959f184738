"""One call, from request to response: interceptors, loop thread, attempts, limits, timeouts, cancellation."""

from __future__ import annotations

from allos.engine.call import Call
from allos.engine.handed_over import HandedOver, arrived, hand_over, hand_over_again
from allos.engine.interceptors import After, Interceptor, MustWait
from allos.engine.prepared_call import BilledService, PreparedCall
from allos.engine.start import OnEvents, astart, can_answer_offline, refuse, start, start_on_loop

__all__ = [
    "After",
    "BilledService",
    "Call",
    "HandedOver",
    "Interceptor",
    "MustWait",
    "OnEvents",
    "PreparedCall",
    "arrived",
    "astart",
    "can_answer_offline",
    "hand_over",
    "hand_over_again",
    "refuse",
    "start",
    "start_on_loop",
]
