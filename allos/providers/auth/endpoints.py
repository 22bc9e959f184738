"""Which base URL a call uses, and which API key may be sent there.

The one rule: a key from the environment is only sent to its service's own host, or to the host that
the user put into ``<NAME>_BASE_URL``; a key set with `allos.set_key` is only sent to the host it was
set for. Any other host given as ``base_url=`` gets the key passed as ``api_key=``, or none.

Pure: the environment and the stored keys are arguments, and nothing is sent.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from allos import wire
from allos.errors import ConfigurationError, MissingBaseURLError, MissingKeyError
from allos.profiles import Api
from allos.providers.catalog.service import Service
from allos.secret import Secret

PLACEHOLDER = "not-needed"
"""Sent instead of an API key to servers that do not check it; the SDKs require one."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")


class StoredKey(NamedTuple):
    """An API key that was set earlier."""

    key: Secret
    source: str
    """Where it was found: ``"process"``, ``"keyring"``, ``"colab"``."""


KeyLookup = Callable[[Service, str], StoredKey | None]
"""Returns a service's key, given the service and the account that the key was set for, see `account`."""


class Host(NamedTuple):
    """Scheme, host name and port: URLs with equal ones have the same origin."""

    scheme: str
    name: str
    port: int


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
    explicit = base_url is not None and bool(str(base_url).strip())
    url = _resolve_url(service, base_url, env)
    host = _host(url)
    own = _row_host(service, env)
    is_custom_host = (
        explicit
        and host not in _own_hosts(service, env, own)
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
    variable = _first_set(env, service.key_env)
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
    return _account(service, _host(_resolve_url(service, base_url, env)))


def checked_key(value: str | Secret | None, source: str) -> Secret | None:
    """Return a key as a `Secret`, without surrounding whitespace; None when it is blank.

    Raises
    ------
    ConfigurationError
        It cannot be sent in a header; the message names `source`.
    """
    return _parse_key(value, source)


def origin(url: str) -> str:
    """Scheme, host and port of a URL, normalized for comparison.

    Raises
    ------
    ConfigurationError
        It is not a valid http or https URL.

    Examples
    --------
    >>> origin("http://127.0.0.1:8000/v1"), origin("https://API.example/v1")
    ('http://localhost:8000', 'https://api.example')
    """
    return _origin_of(_host(_checked_url(url, "the URL")))


def is_loopback(name: str) -> bool:
    """Whether a host name means this machine: localhost, 127.0.0.0/8, ::1, 0.0.0.0.

    Compares the name only; makes no DNS query.

    Examples
    --------
    >>> is_loopback("127.0.0.2"), is_loopback("localhost.example.com")
    (True, False)
    """
    if name in _LOOPBACK_NAMES or name in _ANY_ADDRESS:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def display_url(url: str) -> str:
    """URL for logs and messages: no user name, no password, no query.

    Examples
    --------
    >>> display_url("https://me:pw@example.com/v1?token=x")
    'https://example.com/v1'
    """
    scheme, rest = _scheme(url.strip())
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    authority, tail = rest[:end], rest[end:]
    if "@" in tail:
        # A password may contain / ? or #, so what follows may be a part of it.
        return f"{scheme}(hidden)"
    return scheme + authority.rpartition("@")[2] + re.split(r"[?#]", tail, maxsplit=1)[0]


def _scheme(url: str) -> tuple[str, str]:
    """Scheme with ``://``, empty when there is none, and the rest of a URL."""
    scheme, separator, rest = url.partition("://")
    return (scheme + separator, rest) if separator else ("", url)


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


def _resolve_url(service: Service, base_url: str | None, env: Mapping[str, str]) -> str:
    if base_url is not None and str(base_url).strip():
        return _checked_url(base_url, "base_url")
    return _configured_url(service, env)


def _account(service: Service, host: Host) -> str:
    # Without the environment: a host that it fills in is a part of the account, which binds the key to it.
    return service.name if host == _row_host(service, {}) else f"{service.name}@{_origin_of(host)}"


def _first_set(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """First variable that is set and not blank."""
    return next((name for name in names if env.get(name, "").strip()), None)


def _configured_url(service: Service, env: Mapping[str, str]) -> str:
    """Base URL from the environment, else the service's own."""
    url = _url_from_environment(service, env)
    if url is not None:
        return url
    if service.generic:
        raise MissingBaseURLError(
            f"{service.name!r} needs a base URL: pass base_url=, or set {service.base_url_env[0]}."
        )
    return _filled_url(service, env)


def _url_from_environment(service: Service, env: Mapping[str, str]) -> str | None:
    if name := _first_set(env, service.base_url_env):
        return _checked_url(env[name], name)
    if name := _first_set(env, service.host_env):
        return _checked_url(
            _url_from_host_variable(env[name].strip("'\" "), service.base_url), name
        )
    return None


def _url_from_host_variable(value: str, base_url: str) -> str:
    """Base URL from ``host``, ``host:port``, ``:port`` or a full URL, with the service's path.

    As Ollama reads its own variable: without a scheme the port defaults to the service's, with one to
    the scheme's; 0.0.0.0 is an address to listen on, so a client connects to this machine.
    """
    default = urlsplit(base_url)
    scheme, rest = _scheme(value)
    authority, _, path = rest.partition("/")
    bare = authority.strip("[]")
    name, port = authority, ""
    if bare.count(":") > 1 and not re.search(r"\]:\d+$", authority):
        name = bare  # an IPv6 address without a port
    elif match := re.fullmatch(r"(.*):(\d*)", authority):
        name, port = match.group(1).strip("[]"), match.group(2)
    name = _ANY_ADDRESS.get(name, name) or "127.0.0.1"
    name = f"[{name}]" if ":" in name and "@" not in name else name
    if not port and not scheme:
        port = str(default.port)
    path = path.strip("/")
    path = f"/{path}" if path else ""
    if not path.endswith(default.path):
        path += default.path
    return f"{scheme or default.scheme + '://'}{name}{':' if port else ''}{port}{path}"


def _filled_url(service: Service, env: Mapping[str, str]) -> str:
    """The service's base URL, its ``{NAME}`` parts filled in from the environment."""
    url = service.base_url
    for match in _VARIABLE.finditer(service.base_url):
        name = match.group(1)
        value = env.get(name, "").strip().rstrip("/")
        if not value:
            raise MissingBaseURLError(
                f"{service.name!r} needs {name} in the environment, or base_url=. Nothing was sent."
            )
        before, after = service.base_url[: match.start()], service.base_url[match.end() :]
        if not before:  # the value is a complete URL, which may already end with what follows
            value = value.removesuffix(after)
        elif before.endswith("://"):  # the value is a host; people paste the URL
            value = _scheme(value)[1]
        else:
            value = quote(value, safe="")
        url = url.replace(match.group(0), value)
    variables = " and ".join(_VARIABLE.findall(service.base_url))
    return _checked_url(url, variables or f"base_url of {service.name!r}")


def _row_host(service: Service, env: Mapping[str, str]) -> Host | None:
    """Host of the service's own base URL; None when it is unknown."""
    try:
        return _host(_filled_url(service, env)) if service.base_url else None
    except ConfigurationError:
        # Only a part of the path may be missing: then the host is known.
        url = _VARIABLE.sub("x", service.base_url)
        return _host(url) if "{" not in urlsplit(service.base_url).netloc and "://" in url else None


def _own_hosts(service: Service, env: Mapping[str, str], own: Host | None) -> set[Host]:
    try:
        named = _url_from_environment(service, env)
    except ConfigurationError:
        named = None  # not a valid URL, so no host; base_url= takes precedence over it
    hosts = {own} if own else set()
    return hosts | {_host(named)} if named is not None else hosts


def _is_any_host_allowed(service: Service, env: Mapping[str, str]) -> bool:
    """Whether the service's key may be sent to any host that the caller names."""
    return service.generic and _first_set(env, service.base_url_env) is None


def _parse_key(value: str | Secret | None, source: str) -> Secret | None:
    if value is None:
        return None
    if not isinstance(value, str | Secret):
        raise ConfigurationError(f"{source} must be a string, got {type(value).__name__}.")
    text = (value.reveal() if isinstance(value, Secret) else value).strip()
    if not re.fullmatch(r"[!-~]*", text):
        raise ConfigurationError(
            f"The key in {source} contains whitespace or a non-ASCII character: "
            "copy it again. Nothing was sent."
        )
    return Secret(text) if text else None


def _checked_url(value: str, source: str) -> str:
    """Return a user's base URL, normalized; `source` says where it comes from.

    Raises
    ------
    ConfigurationError
        It is not a valid http or https URL, or has a part that would be lost or would leak.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be a string, got {type(value).__name__}.")
    return _checked_url_cached(value, source)


# A pure cache: called with the same few URLs before every call. URLs that are refused, for example since
# they contain a password, are not cached.
@lru_cache(maxsize=256)
def _checked_url_cached(value: str, source: str) -> str:
    value = value.strip()
    label = f"{source} {display_url(value)!r}"  # never the value: it may contain a password
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise ConfigurationError(
            f"{label} contains whitespace, a backslash or a control character."
        )
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{label} is not a valid URL.") from None
    if "@" in parts.netloc or (parts.scheme not in _DEFAULT_PORTS and "@" in value):
        raise ConfigurationError(
            f"{label} contains a user name or password, which would end up in logs: "
            "pass api_key= or headers= instead."
        )
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ConfigurationError(f"{label} must start with http:// or https:// and contain a host.")
    if "?" in value or "#" in value:
        raise ConfigurationError(f"{label} must not have a query or fragment: remove it.")
    path = parts.path.rstrip("/")
    if operation := _operation_at_end(path):
        raise ConfigurationError(
            f"{label} must not end with {operation!r}, which is added to each request: remove it."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _operation_at_end(path: str) -> str | None:
    """Path of an API's endpoint that a base URL ends with, where the URL of a request was copied."""
    if not path or re.search(r"/v\d\w*$", path):  # nearly every base URL; it needs no import
        return None
    operations = [wire.get(api).path.removeprefix("/v1") for api in wire.names()]
    return next((each for each in (*operations, "/completions") if path.endswith(each)), None)


# A pure cache, as above.
@lru_cache(maxsize=256)
def _host(url: str) -> Host:
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = _DEFAULT_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    # The usual names of this machine are one host; other loopback addresses stay distinct.
    return Host(parts.scheme, "localhost" if name in _LOOPBACK_NAMES else name, port)


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
    own = _row_host(service, env)
    places = [_origin_of(own)] if own else []
    places.append(f"the host of {service.base_url_env[0]}")
    return (
        f"No key for {service.name!r} at {_origin_of(host)}: {variables} is only sent to "
        f"{' or '.join(places)}. Pass api_key= (any string where it is not checked). Nothing was sent."
    )


def _origin_of(host: Host) -> str:
    name = f"[{host.name}]" if ":" in host.name else host.name
    port = "" if host.port == _DEFAULT_PORTS[host.scheme] else f":{host.port}"
    return f"{host.scheme}://{name}{port}"
