"""The services that allos knows by name: one row of `services.toml` each.

Standard library only, and the file is read when the first service is looked up. Rows that are added
at run time, see `registration` and `entry_points`, stand beside the file's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from allos import wire
from allos.errors import ConfigurationError, did_you_mean
from allos.profiles import ModelProfile, ServiceProfile
from allos.providers.catalog import entry_points
from allos.providers.catalog.service import Build, Deprecation, ModelName, Service

RESERVED: frozenset[str] = frozenset(
    {"models", "providers", "log", "last", "stop", "key", "help"}
    | {"config", "doctor", "replay", "chats", "compare"}
)
"""Words that ``%allos`` reads as sub-commands; no service may be called one of them."""


@cache
def load() -> Mapping[str, Service]:
    """Every service by its name, in the order of the file.

    Examples
    --------
    >>> load()["groq"].key_env
    ('GROQ_API_KEY',)
    """
    return MappingProxyType({service.name: service for service in _parse(_table())})


@cache
def _table() -> Mapping[str, Any]:
    import tomllib
    from pathlib import Path

    return tomllib.loads(Path(__file__).with_name("services.toml").read_text(encoding="utf-8"))


@cache
def _by_any_name() -> Mapping[str, Service]:
    return {
        name: service for service in load().values() for name in (service.name, *service.aliases)
    }


def retired() -> Mapping[str, str]:
    """Names of services that are gone, and what to tell who asks for one."""
    table: Mapping[str, str] = _table()["retired"]
    return table


def retired_models(service: str) -> Mapping[str, Deprecation]:
    """Models of a service that are gone or announced to go, by name.

    Examples
    --------
    >>> retired_models("groq")["llama-3.1-8b-instant"].replacement
    'openai/gpt-oss-20b'
    """
    return _retired_models().get(service, {})


@cache
def _retired_models() -> Mapping[str, Mapping[str, Deprecation]]:
    return {
        service: {
            model: Deprecation(**{key: value for key, value in group.items() if key != "models"})
            for group in groups
            for model in group["models"]
        }
        for service, groups in _table()["retired_models"].items()
    }


def every() -> list[Service]:
    """All services: those of the file in its order, then those that were added."""
    return [*load().values(), *{row.name: row for row in _added.values()}.values()]


def names() -> list[str]:
    """Names and aliases of all services, sorted.

    Examples
    --------
    >>> [name for name in names() if name.startswith("ollama")]
    ['ollama', 'ollama_cloud', 'ollama_compat']
    """
    return sorted({**_by_any_name(), **_added})


def find(name: str) -> Service:
    """Look a service up by its name or alias.

    Parameters
    ----------
    name : str
        As in `names`.

    Raises
    ------
    ConfigurationError
        There is no such service (any more); the message offers the closest name.

    Examples
    --------
    >>> find("ollama_compat").name
    'ollama'
    """
    if not isinstance(name, str):
        raise ConfigurationError(
            f"A provider is named by a text, as in 'groq', not by {type(name).__name__}."
        )
    found = _by_any_name().get(name) or _added.get(name)
    if found is not None:
        return found
    gone = retired()
    if name in gone:
        raise ConfigurationError(gone[name])
    load_installed()
    if name in _added:
        return _added[name]
    known = names()
    raise ConfigurationError(
        f"Unknown provider {name!r}.{did_you_mean(str(name).lower(), known)} "
        f"%allos providers, or ProviderRegistry.list_providers(), lists all {len(known)}."
    )


# ---- rows that are added at run time -------------------------------------------------------------

_added: dict[str, Service] = {}
"""By name and alias. Each write is one step, so readers need no lock."""
_origins: dict[str, str] = {}
"""Which module a row came from: the same one may replace it, as a cell does that is run again."""
_builds: dict[str, Build] = {}


def add(service: Service, *, origin: str, build: Build | None = None) -> Service:
    """Take in a row, and what builds its providers where that is not `Provider`.

    Parameters
    ----------
    service : Service
    origin : str
        Name of the module that adds it.
    build : callable or None
        Given the row and the keywords of `get_provider`; returns a provider.

    Raises
    ------
    ConfigurationError
        Its name is reserved, taken, or no name; or it wants the key of another service.
    """
    # A single name needs no tuple around it; letter by letter no variable would be found.
    single: dict[str, Any] = {
        field: (value,)
        for field in ("key_env", "aliases", "apis", "base_url_env", "host_env")
        if isinstance(value := getattr(service, field), str)
    }
    service = replace(service, **single)
    for api in (service.api, *service.apis, service.foreign_api):
        if api is not None and api not in wire.names():
            known = ", ".join(map(repr, wire.names()))
            raise ConfigurationError(
                f"Provider {service.name!r}: unknown api {api!r}: expected one of {known}."
            )
    own = f"{service.name.upper()}_BASE_URL"
    if own not in service.base_url_env:
        service = replace(service, base_url_env=(own, *service.base_url_env))
    for name in (service.name, *service.aliases):
        _check_name(name, origin)
    for row in load().values():
        if not row.local and (theirs := set(row.key_env) & set(service.key_env)):
            raise ConfigurationError(
                f"Provider {service.name!r} cannot use {min(theirs)}: that is the key of "
                f"{row.name!r}, which goes nowhere else. Name a variable of its own."
            )
    if service.embedded:
        raise ConfigurationError(f"Provider {service.name!r} cannot be embedded: only allos's own.")
    for name in (service.name, *service.aliases):
        _added[name], _origins[name] = service, origin
    if build is None:
        _builds.pop(service.name, None)
    else:
        _builds[service.name] = build
    return service


def load_installed() -> None:
    """Load the installed packages that bring providers, each once; see `entry_points`."""
    entry_points.load(add, lambda: {name for row in every() for name in (row.name, *row.aliases)})


def build_of(service: Service) -> Build | None:
    """What builds the providers of a row that was added; None is `Provider` itself."""
    return _builds.get(service.name) if service.name in _added else None


def remove(name: str) -> None:
    """Take a row out again that was added, with its aliases."""
    service = _added.get(name)
    if service is not None:
        for known in (service.name, *service.aliases):
            _added.pop(known, None)
            _origins.pop(known, None)
        _builds.pop(service.name, None)


def _check_name(name: Any, origin: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigurationError(
            f"A provider cannot be called {name!r}: a name is lower-case letters, digits and _, "
            "and starts with a letter."
        )
    if name in RESERVED:
        raise ConfigurationError(f"A provider cannot be called {name!r}: it is a sub-command.")
    if name in _by_any_name() or name in retired():
        raise ConfigurationError(
            f"A provider cannot be called {name!r}: allos has one by that name."
        )
    if name in _added and _origins[name] != origin:
        raise ConfigurationError(
            f"A provider cannot be called {name!r}: {_origins[name]} has taken that name."
        )


def row(name: str, fields: Mapping[str, Any]) -> Service:
    """Return a row from fields as in `services.toml`.

    Raises
    ------
    ConfigurationError
        A field does not exist.
    """
    if not isinstance(name, str):
        raise ConfigurationError(
            f"register takes a Service or the name of one, not {type(name).__name__}."
        )
    try:
        return _service(name, fields, "")
    except TypeError as exc:
        raise ConfigurationError(f"Provider {name!r}: {exc}.") from None


def split(name_with_model: str) -> ModelName:
    """Split ``provider/model`` at the first slash; model names hold slashes of their own.

    Raises
    ------
    ConfigurationError
        There is nothing before the slash.

    Examples
    --------
    >>> split("together/meta-llama/Llama-3-70b-chat-hf")
    ModelName(provider='together', model='meta-llama/Llama-3-70b-chat-hf')
    >>> split("groq")
    ModelName(provider='groq', model=None)
    """
    provider, _, model = name_with_model.strip().partition("/")
    if not provider.strip():
        raise ConfigurationError(
            f"{name_with_model!r} names no provider. Write provider/model, as in 'local/smollm2'."
        )
    return ModelName(provider.strip(), model.strip() or None)


def located(name_with_model: str) -> tuple[Service, str | None]:
    """The service that ``provider/model`` names, and its model; None where only a provider is named.

    Raises
    ------
    ConfigurationError
        There is no such service; a name without a slash may be that of a model alone.
    """
    provider, model = split(name_with_model)
    try:
        return find(provider), model
    except ConfigurationError as exc:
        if model is not None or provider in retired():
            raise
        told = ConfigurationError(f"{exc} A model is named provider/model, as in 'local/smollm2'.")
    raise told


def _parse(table: Mapping[str, Any]) -> list[Service]:
    """Read the rows, and refuse names that are reserved or taken."""
    services = [_service(name, row, table["as_of"]) for name, row in table["services"].items()]
    taken = set(table["retired"])
    for name in (name for service in services for name in (service.name, *service.aliases)):
        if name in RESERVED:
            raise ConfigurationError(f"A service cannot be called {name!r}: it is a sub-command.")
        if name in taken:
            raise ConfigurationError(f"Two services are called {name!r}.")
        taken.add(name)
    return services


def _service(name: str, row: Mapping[str, Any], as_of: str) -> Service:
    fields = {"as_of": as_of, **_frozen(row)}
    given = fields.pop("profile", {})
    profile = given if isinstance(given, ServiceProfile) else _profile(given)
    if not fields.get("embedded"):
        own = tuple(f"{known.upper()}_BASE_URL" for known in (name, *fields.get("aliases", ())))
        fields["base_url_env"] = own + fields.get("base_url_env", ())
    return Service(name=name, profile=profile, **fields)


def _profile(given: Mapping[str, Any]) -> ServiceProfile:
    fields = _frozen(given)
    models = tuple(ModelProfile(**_frozen(model)) for model in fields.pop("models", ()))
    return ServiceProfile(**fields, models=models)


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
