"""Which base URL a call uses, and which API key may be sent there.

The one rule: a key from the environment is only sent to its service's own host, or to the host that
the user put into ``<NAME>_BASE_URL``; a key set with `allos.set_key` is only sent to the host it was
set for. Any other host given as ``base_url=`` gets the key passed as ``api_key=``, or none.

Pure: the environment and the stored keys are arguments, and nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from allos import wire
from allos.errors import ConfigurationError, MissingBaseURLError, MissingKeyError
from allos.profiles import Api
from allos.providers.auth.base_urls import base_url_of, first_set, own_host, own_hosts
from allos.providers.auth.urls import Host, host_of, is_loopback, origin_of
from allos.providers.catalog.service import Service
from allos.secret import Secret, reveal

PLACEHOLDER = "not-needed"
"""Sent instead of an API key to servers that do not check it; the SDKs require one."""


class StoredKey(NamedTuple):
    """An API key that was set earlier."""

    key: Secret
    source: str
    """Where it was found: ``"process"``, ``"keyring"``, ``"colab"``."""


KeyLookup = Callable[[Service, str], StoredKey | None]
"""Returns a service's key, given the service and the account that the key was set for, see `account`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Base URL, API and API key of a provider."""

    base_url: str
    """Without a trailing slash; empty for the embedded model."""
    api: Api
    """The API to use there."""
    api_key: Secret | None
    """The API key; None for the embedded model, whose server generates its own."""
    key_source: str
    """``"argument"``, the variable's name, ``"process"``, ``"keyring"``, ``"colab"``,
    ``"placeholder"``, ``"embedded"`` or ``"missing"``."""
    is_custom_host: bool = False
    """The host is neither the service's own nor that of ``<NAME>_BASE_URL``."""
    placeholder: bool = False
    """`api_key` is not a real key, only what is sent where none is needed."""
    withheld: str | None = None
    """Environment variable with a key that must not be sent to this custom host."""
    model: str | None = None
    """The model that the URL names (of Azure, a deployment): it is called, whatever model is asked."""
    model_source: str = ""
    """The argument or variable with that URL."""
    query: str = ""
    """Query of every request."""


def resolve(
    service: Service,
    *,
    base_url: str | None = None,
    api_key: str | Secret | None = None,
    api: str | None = None,
    env: Mapping[str, str],
    find_key: KeyLookup | None = None,
) -> Endpoint:
    """Find the base URL, the API key and the API of one provider.

    Parameters
    ----------
    service : Service
    base_url : str, optional
        Base URL given by the caller. Precedence: this, ``<NAME>_BASE_URL``, the service's default.
    api_key : str or Secret, optional
        Key given by the caller; it is sent to any host. Blank counts as missing.
    api : str, optional
        ``"responses"``, ``"chat"``, ``"messages"`` or a registered API; by default the service's own.
    env : mapping
        Environment variables. Blank values count as unset.
    find_key : callable, optional
        Returns a stored key; called last, with the account of this host only.

    Returns
    -------
    Endpoint

    Raises
    ------
    MissingKeyError
        The service needs a key, and there is none that may be sent to that host.
    ConfigurationError
        The base URL or the API is not valid, or a part of the base URL is missing.

    Examples
    --------
    >>> from allos.providers.catalog.services import find
    >>> resolve(find("groq"), env={"GROQ_API_KEY": "gsk-1234"}).key_source
    'GROQ_API_KEY'
    >>> proxy = resolve(find("openai"), base_url="http://localhost:8080/v1", env={})
    >>> proxy.api, proxy.placeholder
    ('chat', True)
    """
    if service.embedded:
        return _embedded(service, base_url, api)
    if not service.pasted_path:
        return _resolve(service, base_url, api_key, api, env, find_key)
    from allos.providers.auth.pasted_urls import take_over

    pasted = take_over(service, base_url, env)
    found = _resolve(service, pasted.base_url, api_key, api, pasted.env, find_key)
    return replace(found, model=pasted.model, model_source=pasted.source, query=pasted.query)


def _resolve(
    service: Service,
    base_url: str | None,
    api_key: str | Secret | None,
    api: str | None,
    env: Mapping[str, str],
    find_key: KeyLookup | None,
) -> Endpoint:
    explicit = base_url is not None and bool(str(base_url).strip())
    url = base_url_of(service, base_url, env)
    host = host_of(url)
    own = own_host(service, env)
    is_custom_host = (
        explicit
        and host not in own_hosts(service, env, own)
        and not _is_any_host_allowed(service, env)
    )
    chosen_api = _api(service, api, is_custom_host=is_custom_host, is_own_host=host == own)
    url = wire.get(chosen_api).base_url(url)

    if passed := _parse_key(api_key, "api_key"):
        return Endpoint(
            base_url=url,
            api=chosen_api,
            api_key=passed,
            key_source="argument",
            is_custom_host=is_custom_host,
        )
    variable = first_set(env, service.key_env)
    if variable and not is_custom_host:
        key = _parse_key(env[variable], variable)
        return Endpoint(base_url=url, api=chosen_api, api_key=key, key_source=variable)
    if find_key is not None and (stored := find_key(service, _account(service, host))):
        return Endpoint(
            base_url=url,
            api=chosen_api,
            api_key=stored.key,
            key_source=stored.source,
            is_custom_host=is_custom_host,
        )
    # A server on this machine rarely checks keys; a service's own host does.
    is_local_server = is_loopback(host.name) and (service.generic or (explicit and host != own))
    if service.key_required and not is_local_server:
        raise MissingKeyError(
            _missing_key_message(service, env, host, is_custom_host=is_custom_host)
        )
    return Endpoint(
        base_url=url,
        api=chosen_api,
        api_key=Secret(PLACEHOLDER),
        key_source="placeholder",
        is_custom_host=is_custom_host,
        placeholder=True,
        withheld=variable,
    )


def unresolved(
    service: Service,
    *,
    base_url: str | None = None,
    api: str | None = None,
    env: Mapping[str, str],
) -> Endpoint:
    """Endpoint of a provider whose API key or base URL is missing; only its API is known.

    For replayed answers, which need no service. Nothing may be sent with it: before a request is
    sent, `resolve` has to be called again.

    Parameters
    ----------
    service, base_url, api, env
        As in `resolve`.

    Examples
    --------
    >>> from allos.providers.catalog.services import find
    >>> unresolved(find("groq"), env={}).key_source
    'missing'
    """
    try:
        # With any key, so that the base URL and the API are resolved as usual.
        found = resolve(service, base_url=base_url, api_key=PLACEHOLDER, api=api, env=env)
    except MissingBaseURLError:
        chosen_api = _api(service, api, is_custom_host=False, is_own_host=not service.generic)
        found = Endpoint(base_url="", api=chosen_api, api_key=None, key_source="missing")
    return replace(found, api_key=None, key_source="missing")


def account(service: Service, *, base_url: str | None = None, env: Mapping[str, str]) -> str:
    """Name under which a key is stored: the service, and the host unless it is the service's own.

    A key that was set for one host is never found for another one, even when a base URL or an
    environment variable changes later.

    Raises
    ------
    ConfigurationError
        The base URL is not valid or missing.

    Examples
    --------
    >>> from allos.providers.catalog.services import find
    >>> account(find("groq"), env={})
    'groq'
    >>> account(find("groq"), env={"GROQ_BASE_URL": "http://localhost:4000/v1"})
    'groq@http://localhost:4000'
    """
    if service.embedded:
        raise ConfigurationError(f"{service.name!r} is the embedded model and needs no key.")
    if service.pasted_path:
        from allos.providers.auth.pasted_urls import take_over

        base_url, env, *_ = take_over(service, base_url, env)
    return _account(service, host_of(base_url_of(service, base_url, env)))


def checked_key(value: str | Secret | None, source: str) -> Secret | None:
    """Return a key as a `Secret`, without surrounding whitespace; None when it is blank.

    Raises
    ------
    ConfigurationError
        It cannot be sent in a header; the message names `source`.
    """
    return _parse_key(value, source)


def _embedded(service: Service, base_url: str | None, api: str | None) -> Endpoint:
    if base_url is not None and str(base_url).strip():
        raise ConfigurationError(
            f"{service.name!r} is the embedded model and does not accept base_url. "
            "For your own server use the provider 'chat_completions' with that base_url."
        )
    chosen_api = _api(service, api, is_custom_host=False, is_own_host=True)
    return Endpoint(base_url="", api=chosen_api, api_key=None, key_source="embedded")


def _api(service: Service, wanted: str | None, *, is_custom_host: bool, is_own_host: bool) -> Api:
    if wanted is None:
        return service.foreign_api if is_custom_host and service.foreign_api else service.api
    wire.check_name(wanted)
    # The APIs of a local server depend on its version, and a proxy may support any.
    if is_own_host and not service.local and wanted not in service.supported_apis:
        known = " and ".join(repr(name) for name in service.supported_apis)
        raise ConfigurationError(f"{service.name!r} supports {known}, not {wanted!r}.")
    return wanted


def _account(service: Service, host: Host) -> str:
    # Without the environment: a host that it fills in is a part of the account, which binds the key to it.
    return service.name if host == own_host(service, {}) else f"{service.name}@{origin_of(host)}"


def _is_any_host_allowed(service: Service, env: Mapping[str, str]) -> bool:
    """Whether the service's key may be sent to any host that the caller names."""
    return service.generic and first_set(env, service.base_url_env) is None


def _parse_key(value: str | Secret | None, source: str) -> Secret | None:
    if value is None:
        return None
    if not isinstance(value, str | Secret):
        raise ConfigurationError(f"{source} must be a string, got {type(value).__name__}.")
    value = Secret(reveal(value).strip())  # also in this frame, which a traceback may show
    if not re.fullmatch(r"[!-~]*", reveal(value)):
        raise ConfigurationError(
            f"The key in {source} contains whitespace or a non-ASCII character: "
            "copy it again. Nothing was sent."
        )
    return value or None


def _missing_key_message(
    service: Service, env: Mapping[str, str], host: Host, *, is_custom_host: bool
) -> str:
    *others, last = service.key_env or ("",)
    variables = f"{', '.join(others)} or {last}" if others else last
    if not is_custom_host:
        ways = [f"set {variables} in the environment"] if last else []
        ways.append(f"run %allos key {service.name}")
        return (
            f"No key for {service.name!r}: {', '.join(ways)}, or pass api_key=. Nothing was sent."
        )
    own = own_host(service, env)
    places = [origin_of(own)] if own else []
    places.append(f"the host of {service.base_url_env[0]}")
    return (
        f"No key for {service.name!r} at {origin_of(host)}: {variables} is only sent to "
        f"{' or '.join(places)}. Pass api_key= (any string where it is not checked). Nothing was sent."
    )
