"""Base URLs of services, proxies, and whether services respond."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future

from allos.errors import AllosError, ConfigurationError
from allos.providers import ProviderRegistry
from allos.providers.auth import endpoints, key_store
from allos.providers.auth.urls import display_url, is_loopback
from allos.providers.catalog import services
from allos.providers.catalog.service import Service
from allos.runs.checks.in_time import in_thread
from allos.runs.finding import Finding

_ONLINE_S = 5.0


def hosts(online: bool) -> Iterator[Finding]:
    """Base URLs of services; with `online`, whether they respond."""
    env = key_store.Environment()
    pending: dict[str, Future[Finding]] = {}
    for service in hosted_services():
        named = next(
            (n for n in service.base_url_env + service.host_env if env.get(n, "").strip()), None
        )
        has_key = any(env.get(name, "").strip() for name in service.key_env)
        if named is None and not has_key and not key_store.find_cached_key(service, service.name):
            continue
        try:
            endpoint = endpoints.resolve(service, env=env, find_key=key_store.find_cached_key)
        except ConfigurationError as exc:
            if "No key for" not in str(exc):
                yield Finding("hosts", "problem", str(exc))
            continue
        url, why = display_url(endpoint.base_url), f" ({named})" if named else ""
        plain = url.startswith("http://") and not is_loopback(_host_name(url))
        if plain and not endpoint.placeholder:
            yield Finding(
                "hosts",
                "problem",
                f"{service.name}: {url}{why} is not encrypted, and the API key would be sent there.",
                "Use https.",
            )
        else:
            yield Finding("hosts", "note" if named else "ok", f"{service.name}: {url}{why}.")
        if online and service.list_models:
            pending[service.name] = in_thread(lambda service=service: _check_service(service))  # type: ignore[misc]  # bound at once
    for name, future in pending.items():
        try:
            yield future.result(_ONLINE_S + 1)
        except TimeoutError:
            yield Finding("hosts", "problem", f"{name}: no response within {_ONLINE_S:g} s.")
    yield from _proxies()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (value := env.get(name, "").strip()) and not os.path.exists(value):
            yield Finding(
                "hosts", "problem", f"{name} names {value!r}, which does not exist.", "Unset it."
            )


def _proxies() -> Iterator[Finding]:
    """Proxies that requests go through, and whether they can be used."""
    from allos.wire import proxies

    found = map(proxies.find, ("https://models.invalid", "http://models.invalid"))
    for proxy in {proxy.source: proxy for proxy in found if proxy is not None}.values():
        try:
            proxy.check()
        except ConfigurationError as exc:
            yield Finding("hosts", "problem", str(exc).removesuffix(" Nothing was sent."))
        else:
            yield Finding(
                "hosts", "note", f"Requests use the proxy {proxy.shown} ({proxy.source})."
            )


def hosted_services() -> list[Service]:
    """Services that are not the embedded model."""
    return [each for each in services.all_services() if not each.embedded]


def _check_service(service: Service) -> Finding:
    try:
        provider = ProviderRegistry.get_provider(service.name, model="any", timeout_s=_ONLINE_S)
        count = len(provider.list_models())
    except AllosError as exc:
        return Finding("hosts", "problem", str(exc))
    return Finding("hosts", "ok", f"{service.name} responds and lists {count:,} models.")


def _host_name(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""
