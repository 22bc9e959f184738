"""Connection of a provider to its service: base URL, API key, API and headers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from urllib.parse import urlsplit

from allos import wire
from allos.engine import can_answer_offline, runtime
from allos.errors import MissingBaseURLError, MissingKeyError
from allos.providers import validation
from allos.providers.auth import endpoints, environment_secrets, key_store
from allos.providers.auth.urls import is_loopback
from allos.providers.catalog.service import Service
from allos.secret import Secret
from allos.wire.base import Wire
from allos.wire.connection import Connection


class Route:
    """Connection of one provider to its service, or to the embedded server.

    The API key or base URL may be missing while answers are replayed; then it is looked up again when a
    request has to be sent.

    Parameters
    ----------
    service : Service
    model : str
        The service's own name of the model.
    base_url, api_key, api
        As in `allos.providers.provider.Provider`.
    headers : mapping
        Further headers of every request.

    Raises
    ------
    ConfigurationError
        The API key or base URL is missing or not valid.
    """

    def __init__(
        self,
        service: Service,
        model: str,
        *,
        base_url: str | None,
        api_key: Secret | None,
        api: str | None,
        headers: Mapping[str, str | Secret],
    ) -> None:
        self.service, self.name = service, service.name
        self._given_url = base_url
        env = key_store.Environment()
        environment_secrets.refresh(env)
        try:
            self.endpoint = endpoints.resolve(
                service,
                base_url=base_url,
                api_key=api_key,
                api=api,
                env=env,
                find_key=key_store.find_key,
            )
        except (MissingKeyError, MissingBaseURLError):
            if not can_answer_offline():
                raise
            self.endpoint = endpoints.unresolved(service, base_url=base_url, api=api, env=env)
        self.model = self._model(model)
        # Only now, so that no frame of an error above contains their values.
        self._headers = validation.header_pairs(headers)
        is_deferred = service.embedded or self.endpoint.key_source == "missing"
        self._connection = None if is_deferred else self._connect()

    def _model(self, requested: str) -> str:
        """Model that is called: the one that the URL names, or else the requested one."""
        named = self.endpoint.model
        if named is not None and named != requested:
            warnings.warn(
                f"{self.endpoint.model_source} names the model {named!r}: it is called, and not "
                f"{requested!r}. Remove its path from the URL to call several models.",
                UserWarning,
                stacklevel=5,
            )
        return named or requested

    @property
    def base_url(self) -> str:
        """Base URL of the service; empty for the embedded model until it runs."""
        return self._connection.base_url if self._connection else self.endpoint.base_url

    @property
    def is_generic_endpoint(self) -> bool:
        """Whether a generic service is used with a base URL given in code.

        Only then the base URL is a part of the request's hash: requests must hash equally on every
        machine, and environment variables differ.
        """
        base_url = self._given_url
        return self.service.generic and base_url is not None and bool(str(base_url).strip())

    @property
    def custom_base_url(self) -> str | None:
        """Base URL unless it is the service's own; the service's tables do not apply to it."""
        is_own = not (self.endpoint.is_custom_host or self.service.generic)
        return None if is_own else self.endpoint.base_url

    @property
    def price_id(self) -> str | None:
        """The service's id in the price tables; None where they do not apply."""
        return None if self.endpoint.is_custom_host else self.service.price_id

    @property
    def is_started(self) -> bool:
        """Whether the connection is known; for the embedded model only once its server runs."""
        return self._connection is not None

    def ready(self, note: str = "") -> Connection:
        """Return the connection, starting the embedded server. May take a second; not on the loop thread.

        `note` is appended to the error for a missing key or base URL.
        """
        if self.service.embedded:
            from allos import local

            server = local.serve(self.model)
            url = self._wire.base_url(server.base_url)
            self._connection = self._connect(url, server.secret)
        if self._connection is None:  # its key or base URL was missing; now it is needed
            self.endpoint = self._resolve_endpoint(note)
            self._connection = self._connect()
        return self._connection

    @property
    def is_ready(self) -> bool:
        """Whether `ready` and the connection's client wait for nothing. Any thread."""
        loop_runtime = runtime.running()
        return (
            not self.service.embedded
            and self._connection is not None
            and loop_runtime is not None
            and loop_runtime.has_client(self._connection)
        )

    async def aready(self) -> None:
        """Do what would block the caller's event loop (imports, starting a server) in a thread."""
        import asyncio

        await asyncio.to_thread(lambda: runtime.get().client(self.ready()))

    def unstarted(self) -> Connection:
        """Return a connection to the embedded model for a dry run, without starting its server."""
        return self._connect(self._wire.base_url("http://127.0.0.1:0/v1"))

    def close(self) -> None:
        """Close the connection, as soon as no call uses it; the next call opens a new one."""
        loop_runtime = runtime.running()
        if loop_runtime is not None and self._connection is not None:
            loop_runtime.release(self._connection)

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
            sdk_env=self.service.sdk_home == sdk.name and not endpoint.is_custom_host,
            direct=is_loopback(urlsplit(url).hostname or ""),
            query=endpoint.query,
        )

    def _resolve_endpoint(self, note: str) -> endpoints.Endpoint:
        try:
            return endpoints.resolve(
                self.service,
                base_url=self._given_url,
                api=self.endpoint.api,
                env=key_store.Environment(),
                find_key=key_store.find_key,
            )
        except (MissingKeyError, MissingBaseURLError) as exc:
            missing = type(exc)(f"{exc}{note}")
        # Raised here, so that its traceback has no frame with the environment.
        raise missing
