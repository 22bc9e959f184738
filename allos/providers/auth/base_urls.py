"""Which base URL a service is called at: the caller's, that of a variable, or its own.

Pure: the environment is an argument, and nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from allos.errors import ConfigurationError, MissingBaseURLError
from allos.providers.auth.urls import ANY_ADDRESS, Host, checked_url, host_of, split_scheme
from allos.providers.catalog.service import Service

_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")


def base_url_of(service: Service, base_url: str | None, env: Mapping[str, str]) -> str:
    """Return the caller's base URL, else that of a variable, else the service's own.

    Raises
    ------
    ConfigurationError
        It is not valid, or a part of it is missing.
    """
    if base_url is not None and str(base_url).strip():
        return checked_url(base_url, "base_url")
    return _configured_url(service, env)


def first_set(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
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
    if name := first_set(env, service.base_url_env):
        return checked_url(env[name], name)
    if name := first_set(env, service.host_env):
        return checked_url(_url_from_host_variable(env[name].strip("'\" "), service.base_url), name)
    return None


def _url_from_host_variable(value: str, base_url: str) -> str:
    """Base URL from ``host``, ``host:port``, ``:port`` or a full URL, with the service's path.

    As Ollama reads its own variable: without a scheme the port defaults to the service's, with one to
    the scheme's; 0.0.0.0 is an address to listen on, so a client connects to this machine.
    """
    default = urlsplit(base_url)
    scheme, rest = split_scheme(value)
    authority, _, path = rest.partition("/")
    bare = authority.strip("[]")
    name, port = authority, ""
    if bare.count(":") > 1 and not re.search(r"\]:\d+$", authority):
        name = bare  # an IPv6 address without a port
    elif match := re.fullmatch(r"(.*):(\d*)", authority):
        name, port = match.group(1).strip("[]"), match.group(2)
    name = ANY_ADDRESS.get(name, name) or "127.0.0.1"
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
            value = split_scheme(value)[1]
        else:
            value = quote(value, safe="")
        url = url.replace(match.group(0), value)
    variables = " and ".join(_VARIABLE.findall(service.base_url))
    return checked_url(url, variables or f"base_url of {service.name!r}")


def own_host(service: Service, env: Mapping[str, str]) -> Host | None:
    """Host of the service's own base URL; None when it is unknown."""
    try:
        return host_of(_filled_url(service, env)) if service.base_url else None
    except ConfigurationError:
        # Only a part of the path may be missing: then the host is known.
        url = _VARIABLE.sub("x", service.base_url)
        return (
            host_of(url) if "{" not in urlsplit(service.base_url).netloc and "://" in url else None
        )


def own_hosts(service: Service, env: Mapping[str, str], own: Host | None) -> set[Host]:
    """Return the hosts that a service's key is for: its own one, and that of its variable."""
    try:
        named = _url_from_environment(service, env)
    except ConfigurationError:
        named = None  # not a valid URL, so no host; base_url= takes precedence over it
    hosts = {own} if own else set()
    return hosts | {host_of(named)} if named is not None else hosts
