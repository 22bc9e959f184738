"""Where rooms meet without knowing each other.

A *source* may answer a request instead of the service (that is replay). An *observer* sees every
finished response (that is the log). The engine walks both lists; `log/` and `session.py` fill them.
Both run on the loop thread, so they must be quick and must not block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allos.types import ProviderResponse, Request

Source = Callable[["Request"], "ProviderResponse | None"]
Observer = Callable[["ProviderResponse"], None]

sources: list[Source] = []
"""Asked in order before the service; the first answer that is not None is taken."""

observers: list[Observer] = []
"""Told of every response: ok, failed and cancelled ones alike."""
