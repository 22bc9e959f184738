"""Where a provider's calls go, and with which key."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from allos import wire
from allos.engine import can_answer_offline, runtime
from allos.errors import MissingBaseURLError, MissingKeyError
from allos.providers import validation
from allos.providers.auth import endpoints, key_store
from allos.providers.catalog.service import Service
from allos.secret import Secret
from allos.wire.base import Wire
from allos.wire.connection import Connection


class Route:
    """The way from one provider to its service, or to the embedded server.

    A key or an address may be missing while recorded answers are at hand; then it is looked up again
    when a call has to go out.

    Parameters
    ----------
    service : Service
        The row.
    model : str
        The service's own name of the model.
    base_url, api_key, api
        As in `allos.providers.provider.Provider`.
    headers : mapping
        Further headers of every request.

    Raises
    ------
    ConfigurationError
        A key or an address is missing or wrong.
    """

    def __init__(
        self,
        service: Service,
        model: str,
        *,
        base_url: str | None,
        api_key: Secret | None,
        api: str | None,
        headers: Mapping[str, str],
    ) -> None:
        self.service, self.name, self.model = service, service.name, model
        self._given_url = base_url
        env = key_store.Environment()
        try:
            self.endpoint = endpoints.resolve(
                service, base_url=base_url, api_key=api_key, api=api, env=env, look=key_store.look
            )
        except (MissingKeyError, MissingBaseURLError):
            if not can_answer_offline():
                raise
            self.endpoint = endpoints.unresolved(service, base_url=base_url, api=api, env=env)
        # Only now, so that no frame of an error above holds what stands in them.
        self._headers = validation.header_pairs(headers)
        waits = service.embedded or self.endpoint.key_source == "missing"
        self._connection = None if waits else self._connect()

    @property
    def base_url(self) -> str:
        """Address of the service; empty for the embedded model until it runs."""
        return self._connection.base_url if self._connection else self.endpoint.base_url

    @property
    def is_generic_endpoint(self) -> bool:
        """Whether the code itself names the address, and nothing else says what is there.

        Equal requests are equal on every machine, so that no other address is part of them.
        """
        given = self._given_url
        return self.service.generic and given is not None and bool(str(given).strip())

    @property
    def custom_base_url(self) -> str | None:
        """Address, where it is not the service's own: tables of the service say nothing there."""
        own = not (self.endpoint.foreign or self.service.generic)
        return None if own else self.endpoint.base_url

    @property
    def price_id(self) -> str | None:
        """The service's id in the price tables; None where they do not hold."""
        return None if self.endpoint.foreign else self.service.price_id

    @property
    def is_started(self) -> bool:
        """Whether it is known where calls go: of the embedded model only while its server runs."""
        return self._connection is not None

    def ready(self, note: str = "") -> Connection:
        """Return the connection, with the embedded server up. May take a second; not on the loop.

        `note` goes behind what is missing.
        """
        if self.service.embedded:
            from allos import local

            server = local.serve(self.model)
            url = self._wire.base_url(server.base_url)
            self._connection = self._connect(url, server.secret)
        if self._connection is None:  # its key or address was missing; now it is needed
            self.endpoint = self._resolved(note)
            self._connection = self._connect()
        return self._connection

    async def aready(self) -> None:
        """Do what would block the caller's event loop (imports, starting a server) in a thread."""
        import asyncio

        await asyncio.to_thread(lambda: runtime.get().client(self.ready()))

    def unstarted(self) -> Connection:
        """Return where the embedded model's calls would go, without starting its server."""
        return self._connect(self._wire.base_url("http://127.0.0.1:0/v1"))

    def close(self) -> None:
        """Close the connection, as soon as no call uses it; the next call opens a new one."""
        started = runtime.running()
        if started is not None and self._connection is not None:
            started.release(self._connection)

    @property
    def _wire(self) -> Wire:
        return wire.get(self.endpoint.api)

    def _connect(self, base_url: str | None = None, api_key: Secret | None = None) -> Connection:
        endpoint = self.endpoint
        url = base_url or endpoint.base_url
        sdk = self._wire.sdk
        key = api_key or endpoint.api_key
        return Connection(
            sdk=sdk,
            base_url=url,
            api_key=key if key is not None else Secret(endpoints.PLACEHOLDER),
            headers=self._headers,
            sdk_env=self.service.sdk_home == sdk.name and not endpoint.foreign,
            direct=endpoints.is_loopback(urlsplit(url).hostname or ""),
        )

    def _resolved(self, note: str) -> endpoints.Endpoint:
        try:
            return endpoints.resolve(
                self.service,
                base_url=self._given_url,
                api=self.endpoint.api,
                env=key_store.Environment(),
                look=key_store.look,
            )
        except (MissingKeyError, MissingBaseURLError) as exc:
            missing = type(exc)(f"{exc}{note}")
        # Out here, so that no frame with the environment goes along.
        raise missing
