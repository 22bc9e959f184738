"""SDK clients: loaded on the caller's thread, one for each `Connection`, used on the loop thread.

Importing an SDK takes 0.5 to 1.1 s and would freeze every stream if the loop thread did it. Building
a client costs 25 ms of CPU for its TLS context, so all clients share one.
"""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    from allos.wire.base import Connection

_KEEPALIVE_S = 300.0
"""A person thinks between two cells; the SDKs' 5 s would cost a TLS handshake each time."""
_MAX_CONNECTIONS = 1000

_lock = threading.Lock()  # guards _context: built once, whichever thread comes first
_context: ssl.SSLContext | None = None


def _forget_after_fork() -> None:
    # Another thread may have held the lock when the process was copied.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def make(connection: Connection) -> Any:
    """Build the SDK's asynchronous client for a connection. Any thread but the loop's."""
    import httpx2

    sdk: Any = import_module(connection.sdk)
    http_client = sdk.DefaultAioHttpClient(
        verify=_tls(),
        limits=httpx2.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
        ),
        follow_redirects=False,
        trust_env=not connection.direct,
    )
    headers: dict[str, Any] = dict(connection.headers)
    if not connection.sdk_env:
        headers = {**_own(sdk, connection), **headers}
    build = sdk.AsyncAnthropic if connection.sdk == "anthropic" else sdk.AsyncOpenAI
    return build(
        api_key=connection.api_key.reveal(),
        base_url=connection.base_url,
        max_retries=0,
        default_headers=headers,
        http_client=http_client,
    )


def _own(sdk: Any, connection: Connection) -> dict[str, Any]:
    """Headers that keep what the SDK's environment holds for its own vendor from other hosts."""
    if connection.sdk == "anthropic":
        taken = _without_custom(sdk, "ANTHROPIC_CUSTOM_HEADERS")
    else:
        taken = {
            **_without_custom(sdk, "OPENAI_CUSTOM_HEADERS"),
            "OpenAI-Organization": sdk.Omit(),
            "OpenAI-Project": sdk.Omit(),
        }
    # Said here as well, since a custom header of that name would replace the SDK's.
    taken["Authorization"] = f"Bearer {connection.api_key.reveal()}"
    named = {name.lower() for name, _ in connection.headers}
    return {name: value for name, value in taken.items() if name.lower() not in named}


def _without_custom(sdk: Any, variable: str) -> dict[str, Any]:
    """Take back each header that the SDK reads from its environment variable."""
    names = [
        line.partition(":")[0].strip()
        for line in os.environ.get(variable, "").split("\n")
        if ":" in line
    ]
    return {name: sdk.Omit() for name in names if name.lower() != "authorization"}


def _tls() -> ssl.SSLContext:
    global _context
    with _lock:
        if _context is None:
            import httpx2

            _context = httpx2.create_ssl_context()
        return _context
