"""The SDKs of OpenAI and Anthropic, both made by the generator Stainless: their headers, their client.

Who calls, and as what, is for the SDK to say: it writes the headers of one request, which goes
nowhere, and every call of the connection sends them. To let it build each request anew costs as much
CPU as all the rest of a call (`tests/perf/bench_call.py`).
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from allos import _process
from allos.secret import reveal

if TYPE_CHECKING:
    import httpx2

    from allos.wire.connection import Connection

# Process resources: modules are imported once for all sessions.
_import_lock = threading.Lock()
"""Two SDKs that are imported at once wait for each other's modules, and Python resolves that by
handing out half of one."""
_package_locks: dict[str, threading.Lock] = {}
"""By SDK, so that a call whose SDK is there does not wait for the import of another one."""
_packages: dict[str, Any] = {}

_OF_ONE_REQUEST = re.compile(
    rb"host|connection|content-length|accept-encoding|x-stainless-(?!lang|package|os|arch|runtime).*"
)


def _renew_locks() -> None:
    # Another thread may have held them when the process was forked.
    global _import_lock
    _import_lock = threading.Lock()
    _package_locks.clear()


_process.on_fork(after_in_child=_renew_locks)


@dataclass(frozen=True, slots=True, kw_only=True)
class StainlessSDK:
    """One SDK: what it is called, and which of its settings are for its own vendor alone."""

    name: str
    """Of the package."""
    client: str
    """Its client class."""
    custom_headers_env: str
    """Environment variable with further headers."""
    account_headers: tuple[str, ...] = ()
    """Headers that it fills in from its environment: organization, project."""

    def http_client(self, **options: Any) -> Any:
        """Make the HTTP client that the SDK recommends for many calls at once."""
        return _package(self.name).DefaultAioHttpClient(**options)

    def headers(self, connection: Connection) -> list[tuple[bytes, bytes]]:
        """Return the headers that the SDK sends on a connection."""
        import httpx2

        sdk = _package(self.name)
        headers: dict[str, Any] = {name: reveal(value) for name, value in connection.headers}
        if not connection.sdk_env:
            headers = {**self._without_environment(sdk, connection), **headers}
        written: list[tuple[bytes, bytes]] = []

        def keep_headers(request: httpx2.Request) -> httpx2.Response:
            written.extend(request.headers.raw)
            raise httpx2.ConnectError("not sent")  # no answer, so that no log mentions one

        with httpx2.Client(
            transport=httpx2.MockTransport(keep_headers), trust_env=False
        ) as nowhere:
            client = getattr(sdk, self.client)(
                api_key=connection.api_key.reveal(),
                base_url=connection.base_url,
                max_retries=0,
                default_headers=headers,
                http_client=nowhere,
            )
            try:
                client.post("/", cast_to=httpx2.Response, body={})
            except Exception:
                if not written:
                    raise
        return [pair for pair in written if not _OF_ONE_REQUEST.fullmatch(pair[0].lower())]

    def _without_environment(self, sdk: Any, connection: Connection) -> dict[str, Any]:
        """Headers that keep what the SDK's environment holds for its vendor from other hosts."""
        custom = [
            line.partition(":")[0].strip()
            for line in os.environ.get(self.custom_headers_env, "").split("\n")
            if ":" in line
        ]
        headers: dict[str, Any] = {name: sdk.Omit() for name in (*custom, *self.account_headers)}
        headers = {
            name: value for name, value in headers.items() if name.lower() != "authorization"
        }
        # Set here as well, since a custom header of that name would replace the SDK's.
        headers["Authorization"] = f"Bearer {connection.api_key.reveal()}"
        own = {name.lower() for name, _ in connection.headers}
        return {name: value for name, value in headers.items() if name.lower() not in own}


def _package(name: str) -> Any:
    with _package_locks.setdefault(name, threading.Lock()):
        if name not in _packages:
            with _import_lock:
                _packages[name] = import_module(name)
        return _packages[name]
