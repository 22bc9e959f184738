"""Which address a call goes to, and which key may go there.

The one rule: a key from the environment goes only to its service's own host, or to the host that
the user put into ``<NAME>_BASE_URL``; a key that was set (`allos.set_key`) goes only to the host it was
set for. Any other host named by ``base_url=`` gets the key passed as ``api_key=``, or none.

Pure: the environment and the keys that were set are arguments, and nothing is sent.
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
"""Stands for a key at servers that check none; the SDKs insist on one."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")


class StoredKey(NamedTuple):
    """A key that somebody set earlier."""

    key: Secret
    source: str
    """Where it was found: ``"process"``, ``"keyring"``, ``"colab"``."""


KeyLookup = Callable[[Service, str], StoredKey | None]
"""Looks a service's key up by the account that it was set for, see `account`."""


class Host(NamedTuple):
    """What must be equal for two addresses to be the same place."""

    scheme: str
    name: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider's calls go, and with which key."""

    base_url: str
    """Address without a trailing slash; empty for the embedded model."""
    api: Api
    """The API to speak there."""
    api_key: Secret | None
    """The key; None for the embedded model, whose server makes its own."""
    key_source: str
    """``"argument"``, the variable's name, ``"process"``, ``"keyring"``, ``"colab"``,
    ``"placeholder"``, ``"embedded"`` or ``"missing"``."""
    foreign: bool = False
    """The host is neither the service's own nor that of ``<NAME>_BASE_URL``."""
    placeholder: bool = False
    """`api_key` is no key, only what is sent where none is needed."""
    withheld: str | None = None
    """A variable that holds a key, which was not sent because the host is foreign."""


def resolve(
    service: Service,
    *,
    base_url: str | None = None,
    api_key: str | Secret | None = None,
    api: str | None = None,
    env: Mapping[str, str],
    look: KeyLookup | None = None,
) -> Endpoint:
    """Find the address, the key and the API of one provider.

    Parameters
    ----------
    service : Service
        The row.
    base_url : str, optional
        Address that the caller named. Order: this, ``<NAME>_BASE_URL``, the row.
    api_key : str or Secret, optional
        Key that the caller passed; it goes to whatever address there is. Blank counts as missing.
    api : str, optional
        ``"responses"``, ``"chat"``, ``"messages"`` or a registered API, when it is not the row's own
        choice.
    env : mapping
        The environment. Blank values count as unset.
    look : callable, optional
        Looks for a key that was set; asked last, and only by the account of this very host.

    Returns
    -------
    Endpoint

    Raises
    ------
    MissingKeyError
        The service needs a key and there is none that may go to that host.
    ConfigurationError
        The address or the API is wrong, or a part of the address is missing.

    Examples
    --------
    >>> from allos.providers.catalog.services import find
    >>> resolve(find("groq"), env={"GROQ_API_KEY": "gsk-1234"}).key_source
    'GROQ_API_KEY'
    >>> here = resolve(find("openai"), base_url="http://localhost:8080/v1", env={})
    >>> here.api, here.placeholder
    ('chat', True)
    """
    if service.embedded:
        return _embedded(service, base_url, api)
    explicit = base_url is not None and bool(str(base_url).strip())
    url = _address(service, base_url, env)
    host = _host(url)
    own = _row_host(service, env)
    foreign = explicit and host not in _own_hosts(service, env, own) and not _unbound(service, env)
    speaks = _api(service, api, foreign=foreign, at_home=host == own)
    url = wire.get(speaks).base_url(url)

    if passed := _key(api_key, "api_key"):
        return Endpoint(
            base_url=url, api=speaks, api_key=passed, key_source="argument", foreign=foreign
        )
    variable = _set(env, service.key_env)
    if variable and not foreign:
        held = _key(env[variable], variable)
        return Endpoint(base_url=url, api=speaks, api_key=held, key_source=variable)
    if look is not None and (kept := look(service, _account(service, host))):
        return Endpoint(
            base_url=url, api=speaks, api_key=kept.key, key_source=kept.source, foreign=foreign
        )
    # A server that the caller put on this machine rarely checks keys; a service's own address does.
    at_hand = is_loopback(host.name) and (service.generic or (explicit and host != own))
    if service.key_required and not at_hand:
        raise MissingKeyError(_missing(service, env, host, foreign=foreign))
    return Endpoint(
        base_url=url,
        api=speaks,
        api_key=Secret(PLACEHOLDER),
        key_source="placeholder",
        foreign=foreign,
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
    """Endpoint of a provider whose key or address is missing: its API is known, and no key is there.

    For answers that need no service. Nothing may be sent with it: before a call goes out,
    `resolve` has to be asked again.

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
        # With any key at all, so that the address and the API come out as they would.
        found = resolve(service, base_url=base_url, api_key=PLACEHOLDER, api=api, env=env)
    except MissingBaseURLError:
        speaks = _api(service, api, foreign=False, at_home=not service.generic)
        found = Endpoint(base_url="", api=speaks, api_key=None, key_source="missing")
    return replace(found, api_key=None, key_source="missing")


def account(service: Service, *, base_url: str | None = None, env: Mapping[str, str]) -> str:
    """Name under which a key is kept: the service, and the host where it is not the row's own.

    A key that was set for one host is never found for another one, whatever an address or a
    variable says later.

    Raises
    ------
    ConfigurationError
        The address is wrong or missing.

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
    return _account(service, _host(_address(service, base_url, env)))


def checked_key(value: str | Secret | None, source: str) -> Secret | None:
    """Return a key as a `Secret`, without the blanks around it; None when there is none.

    Raises
    ------
    ConfigurationError
        It cannot stand in a header; `source` says where it came from.
    """
    return _key(value, source)


def origin(url: str) -> str:
    """Scheme, host and port of an address, as they are compared.

    Raises
    ------
    ConfigurationError
        It is no web address.

    Examples
    --------
    >>> origin("http://127.0.0.1:8000/v1"), origin("https://API.example/v1")
    ('http://localhost:8000', 'https://api.example')
    """
    return _shown(_host(_clean(url, "the address")))


def is_loopback(name: str) -> bool:
    """Whether a host's name means this very machine: localhost, 127.0.0.0/8, ::1, 0.0.0.0.

    Only by the letters; no name is looked up.

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
    """Address for logs and messages: no user name, no password, no query.

    Examples
    --------
    >>> display_url("https://me:pw@example.com/v1?token=x")
    'https://example.com/v1'
    """
    scheme, rest = _scheme(url.strip())
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    authority, tail = rest[:end], rest[end:]
    if "@" in tail:
        # A password may hold / ? or #, so what follows cannot be told from a secret.
        return f"{scheme}(hidden)"
    return scheme + authority.rpartition("@")[2] + re.split(r"[?#]", tail, maxsplit=1)[0]


def _scheme(url: str) -> tuple[str, str]:
    """Split ``http://`` off; empty when there is none."""
    scheme, separator, rest = url.partition("://")
    return (scheme + separator, rest) if separator else ("", url)


def _embedded(service: Service, base_url: str | None, api: str | None) -> Endpoint:
    if base_url is not None and str(base_url).strip():
        raise ConfigurationError(
            f"{service.name!r} is the embedded model and takes no base_url. "
            "For a server of your own name 'chat_completions' with that base_url."
        )
    speaks = _api(service, api, foreign=False, at_home=True)
    return Endpoint(base_url="", api=speaks, api_key=None, key_source="embedded")


def _api(service: Service, wanted: str | None, *, foreign: bool, at_home: bool) -> Api:
    if wanted is None:
        return service.foreign_api if foreign and service.foreign_api else service.api
    wire.check_name(wanted)
    # What a local server speaks depends on its version, and a proxy may speak anything.
    if at_home and not service.local and wanted not in service.speaks:
        known = " and ".join(repr(name) for name in service.speaks)
        raise ConfigurationError(f"{service.name!r} speaks {known}, not {wanted!r}.")
    return wanted


def _address(service: Service, base_url: str | None, env: Mapping[str, str]) -> str:
    if base_url is not None and str(base_url).strip():
        return _clean(base_url, "base_url")
    return _configured(service, env)


def _account(service: Service, host: Host) -> str:
    # By the row alone: a host that the environment fills in is named, so that the key stays there.
    return service.name if host == _row_host(service, {}) else f"{service.name}@{_shown(host)}"


def _set(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """First variable that holds more than blanks."""
    return next((name for name in names if env.get(name, "").strip()), None)


def _configured(service: Service, env: Mapping[str, str]) -> str:
    """Address by the environment, else by the row."""
    named = _from_variable(service, env)
    if named is not None:
        return named
    if service.generic:
        raise MissingBaseURLError(
            f"{service.name!r} needs an address: pass base_url=, or set {service.base_url_env[0]}."
        )
    return _filled(service, env)


def _from_variable(service: Service, env: Mapping[str, str]) -> str | None:
    if name := _set(env, service.base_url_env):
        return _clean(env[name], name)
    if name := _set(env, service.host_env):
        return _clean(_loose(env[name].strip("'\" "), service.base_url), name)
    return None


def _loose(value: str, base_url: str) -> str:
    """Address from ``host``, ``host:port``, ``:port`` or a full one, with the row's path.

    As Ollama reads its own variable: without a scheme the row's port is meant, with one the
    scheme's; 0.0.0.0 is where a server listens, so a client goes to this machine.
    """
    home = urlsplit(base_url)
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
        port = str(home.port)
    path = path.strip("/")
    path = f"/{path}" if path else ""
    if not path.endswith(home.path):
        path += home.path
    return f"{scheme or home.scheme + '://'}{name}{':' if port else ''}{port}{path}"


def _filled(service: Service, env: Mapping[str, str]) -> str:
    """Fill in the ``{NAME}`` parts of the row's address."""
    url = service.base_url
    for match in _VARIABLE.finditer(service.base_url):
        name = match.group(1)
        value = env.get(name, "").strip().rstrip("/")
        if not value:
            raise MissingBaseURLError(
                f"{service.name!r} needs {name} in the environment, or base_url=. Nothing was sent."
            )
        before, after = service.base_url[: match.start()], service.base_url[match.end() :]
        if not before:  # the value is a whole address; it may already hold what follows
            value = value.removesuffix(after)
        elif before.endswith("://"):  # the value is a host; people paste the address
            value = _scheme(value)[1]
        else:
            value = quote(value, safe="")
        url = url.replace(match.group(0), value)
    variables = " and ".join(_VARIABLE.findall(service.base_url))
    return _clean(url, variables or f"base_url of {service.name!r}")


def _row_host(service: Service, env: Mapping[str, str]) -> Host | None:
    """Find the service's own host; None while it is unknown."""
    try:
        return _host(_filled(service, env)) if service.base_url else None
    except ConfigurationError:
        # Only the path is missing: the host is known all the same.
        url = _VARIABLE.sub("x", service.base_url)
        return _host(url) if "{" not in urlsplit(service.base_url).netloc and "://" in url else None


def _own_hosts(service: Service, env: Mapping[str, str], own: Host | None) -> set[Host]:
    try:
        named = _from_variable(service, env)
    except ConfigurationError:
        named = None  # an unreadable variable names no host, and base_url= goes before it
    hosts = {own} if own else set()
    return hosts | {_host(named)} if named is not None else hosts


def _unbound(service: Service, env: Mapping[str, str]) -> bool:
    """Whether the row's key is for whatever address the caller names."""
    return service.generic and _set(env, service.base_url_env) is None


def _key(value: str | Secret | None, source: str) -> Secret | None:
    if value is None:
        return None
    if not isinstance(value, str | Secret):
        raise ConfigurationError(f"{source} must be text, not {type(value).__name__}.")
    text = (value.reveal() if isinstance(value, Secret) else value).strip()
    if not re.fullmatch(r"[!-~]*", text):
        raise ConfigurationError(
            f"The key in {source} holds a blank, a line break or a letter outside ASCII: "
            "copy it again. Nothing was sent."
        )
    return Secret(text) if text else None


def _clean(value: str, source: str) -> str:
    """Check an address that a person wrote; `source` names where it stands.

    Raises
    ------
    ConfigurationError
        It is no http address, or holds a part that would be lost or would leak.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be text, not {type(value).__name__}.")
    return _cleaned(value, source)


# Asked for the same few addresses before every call; one that is refused, since it holds a password
# say, is not kept.
@lru_cache(maxsize=256)
def _cleaned(value: str, source: str) -> str:
    value = value.strip()
    shown = f"{source} {display_url(value)!r}"  # never the value: it may hold a password
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise ConfigurationError(f"{shown} holds a blank, a backslash or a control character.")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{shown} is not a web address.") from None
    if "@" in parts.netloc or (parts.scheme not in _DEFAULT_PORTS and "@" in value):
        raise ConfigurationError(
            f"{shown} holds a user name or password, which would end up in logs: "
            "pass api_key= or headers= instead."
        )
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ConfigurationError(f"{shown} must start with http:// or https:// and name a host.")
    if "?" in value or "#" in value:
        raise ConfigurationError(
            f"{shown} has a query or fragment behind it, which the API's path would cut off: "
            "leave it out."
        )
    path = parts.path.rstrip("/")
    if operation := _operation_at_end(path):
        raise ConfigurationError(f"{shown}: leave {operation!r} off, it is added per call.")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _operation_at_end(path: str) -> str | None:
    """Path of a call that an address ends with, as where the URL of a request was copied."""
    if not path or re.search(r"/v\d\w*$", path):  # nearly every address; it needs no import
        return None
    operations = [wire.get(api).path.removeprefix("/v1") for api in wire.names()]
    return next((each for each in (*operations, "/completions") if path.endswith(each)), None)


@lru_cache(maxsize=256)
def _host(url: str) -> Host:
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = _DEFAULT_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    # The usual names of this machine are one place; other loopback addresses stay apart.
    return Host(parts.scheme, "localhost" if name in _LOOPBACK_NAMES else name, port)


def _missing(service: Service, env: Mapping[str, str], host: Host, *, foreign: bool) -> str:
    *others, last = service.key_env or ("",)
    variables = f"{', '.join(others)} or {last}" if others else last
    if not foreign:
        ways = [f"set {variables} in the environment"] if last else []
        ways.append(f"run %allos key {service.name}")
        return (
            f"No key for {service.name!r}: {', '.join(ways)}, or pass api_key=. Nothing was sent."
        )
    own = _row_host(service, env)
    places = [_shown(own)] if own else []
    places.append(f"the host of {service.base_url_env[0]}")
    return (
        f"No key for {service.name!r} at {_shown(host)}: {variables} goes only to "
        f"{' or '.join(places)}. Pass api_key= (any text where none is checked). Nothing was sent."
    )


def _shown(host: Host) -> str:
    name = f"[{host.name}]" if ":" in host.name else host.name
    port = "" if host.port == _DEFAULT_PORTS[host.scheme] else f":{host.port}"
    return f"{host.scheme}://{name}{port}"
