"""One call, from request to response: interceptors, loop thread, attempts, limits, timeouts, cancellation."""

from __future__ import annotations

from allos.engine.call import Call
from allos.engine.interceptors import After, Interceptor
from allos.engine.prepared_call import BilledService, PreparedCall
from allos.engine.start import OnEvents, astart, can_answer_offline, refuse, start

__all__ = [
    "After",
    "BilledService",
    "Call",
    "Interceptor",
    "OnEvents",
    "PreparedCall",
    "astart",
    "can_answer_offline",
    "refuse",
    "start",
]
