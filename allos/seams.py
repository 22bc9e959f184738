"""Where rooms meet without knowing each other.

A *source* may answer a request instead of the service (that is replay); it is asked on the caller's
thread, which may be that of an event loop. An *observer* sees every finished response (that is the
log), on the loop thread. Both must be quick and must not block. A *prelude* runs once, on the caller's thread, before the next call starts. A *background*
listener is told of every run that nobody waits for. An *approval* says whether a tool may run, where
the caller did not say. The engine and `runs/` walk the lists; `log/`,
`session.py` and `notebook/` fill them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.messages import ToolCall
    from allos.request import Request
    from allos.response import ProviderResponse

Source = Callable[["Request"], "ProviderResponse | None"]
Observer = Callable[["ProviderResponse"], None]

sources: list[Source] = []
"""Asked in order before the service; the first answer that is not None is taken. An AllosError of a
source ends the call before anything is sent."""

answers_at_hand = False
"""Whether sources may answer without a service: then a missing key, address or model file is an error
only when a call has to go out."""

preludes: list[Callable[[], None]] = []
"""Run and forgotten before the next call starts: what loading the extension puts off."""

background: list[Callable[[Any], None]] = []
"""Told of every comparison before its first call: the notebook stops what a cell had started."""

approvals: list[Callable[[ToolCall], bool | None]] = []
"""Asked in order, on the caller's thread, whether a tool may run; None: there is nobody to ask."""

observers: list[Observer] = []
"""Told of every response: ok, failed and cancelled ones alike."""


def run_preludes() -> None:
    """Run what was put off until the first call. Caller's thread."""
    while preludes:
        preludes.pop(0)()
