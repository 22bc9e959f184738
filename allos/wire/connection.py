"""Where an API is called, with which key, and what sends its requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from allos import redaction
from allos.secret import Secret


class SDK(Protocol):
    """What an API's requests are sent with; see `allos.wire.stainless.StainlessSDK`."""

    @property
    def name(self) -> str:
        """Name that a service's row gives in `sdk_home`."""

    def http_client(self, **options: Any) -> Any:
        """Make the asynchronous HTTP client, with options as of `httpx2.AsyncClient`."""

    def headers(self, connection: Connection) -> list[tuple[bytes, bytes]]:
        """Return the headers of every request on a connection, the key among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to call and with which key; one HTTP client is kept for each."""

    sdk: SDK
    """Makes the headers and the HTTP client."""
    base_url: str
    api_key: Secret
    headers: tuple[tuple[str, str | Secret], ...] = field(default=(), repr=False)
    """Extra headers of the user; what looks like a credential is a `Secret`, and none is shown."""
    sdk_env: bool = False
    """Whether the SDK's own environment settings (organization, project, custom headers) apply:
    only on the host of the SDK's own vendor."""
    direct: bool = False
    """Bypass proxies (loopback hosts)."""
    query: str = ""
    """Query of every request."""

    def redact(self, text: str) -> str:
        """Return an error's text without the key, any other secret, or what looks like one."""
        return redaction.current().fact(self.api_key.redact(text))
