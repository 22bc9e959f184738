"""The services that allos supports by name: one row of `services.toml` each.

The file is read when the first service is looked up. Further services may be registered at run time,
see `registration` and `entry_points`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from allos import wire
from allos.errors import ConfigurationError, nearest
from allos.profiles import ModelProfile, ServiceProfile
from allos.providers.catalog import entry_points
from allos.providers.catalog.service import (
    BatchTerms,
    Deprecation,
    ModelName,
    ProviderFactory,
    Service,
)

RESERVED: frozenset[str] = frozenset(
    {"models", "providers", "log", "last", "stop", "key", "help"}
    | {"config", "doctor", "replay", "chats", "compare", "show", "spent"}
    | {"summary", "cost", "search", "rank", "batch", "batches"}
)
"""Subcommands of ``%allos``; no service may have such a name."""

_LISTS = ("key_env", "aliases", "apis", "base_url_env", "host_env", "resource_domains")
"""Fields for which a row may have a single string."""


@cache
def load() -> Mapping[str, Service]:
    """All built-in services by name, in the order of the file.

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


def retired_services() -> Mapping[str, str]:
    """Retired services: the error message for each name."""
    table: Mapping[str, str] = _table()["retired"]
    return table


def retired_models(service: str) -> Mapping[str, Deprecation]:
    """Models of a service that are retired or deprecated, by name.

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


def all_services() -> list[Service]:
    """All services: the built-in ones in the order of the file, then registered ones."""
    return [*load().values(), *{row.name: row for row in _registered.values()}.values()]


def names() -> list[str]:
    """Names and aliases of all services, sorted.

    Examples
    --------
    >>> [name for name in names() if name.startswith("ollama")]
    ['ollama', 'ollama_cloud', 'ollama_compat']
    """
    return sorted({**_by_any_name(), **_registered})


def find(name: str) -> Service:
    """Look a service up by its name or alias.

    Parameters
    ----------
    name : str
        As in `names`.

    Raises
    ------
    ConfigurationError
        Unknown or retired service; the message suggests the closest name.

    Examples
    --------
    >>> find("ollama_compat").name
    'ollama'
    """
    if not isinstance(name, str):
        raise ConfigurationError(
            f"The name of a provider must be a string, as in 'groq', got {type(name).__name__}."
        )
    found = _by_any_name().get(name) or _registered.get(name)
    if found is not None:
        return found
    retired = retired_services()
    if name in retired:
        raise ConfigurationError(retired[name])
    load_installed()
    if name in _registered:
        return _registered[name]
    raise ConfigurationError(
        f"Unknown provider {name!r}.{suggestion(name)} "
        f"%allos providers lists all {len(all_services())}."
    )


def suggestion(word: str, others: Iterable[str] = ()) -> str:
    """Sentences that suggest what a word was meant as, or an empty string.

    Parameters
    ----------
    word : str
        What was typed in place of a service's name: mistyped, or the name of a model or a vendor.
    others : iterable of str
        What else may be typed there.

    Examples
    --------
    >>> suggestion("grok")
    " Did you mean 'groq'? Grok models are at 'xai'."
    >>> suggestion("anthropik")
    " Did you mean 'anthropic'?"
    """
    word = word.lower()
    sellers = [
        (known, service.name)
        for service in all_services()
        for known in service.known_for
        if re.match(rf"{known.lower()}(?![a-z])", word)
    ]
    close = nearest(word, [*others, *names()])
    if close is not None and sellers and abs(len(close) - len(word)) > 1:
        close = None  # far from what was typed, which is explained already
    meant = f" Did you mean {close!r}?" if close is not None else ""
    return meant + "".join(f" {known} models are at {name!r}." for known, name in sellers)


# ---- services registered at run time -------------------------------------------------------------

_registered: dict[str, Service] = {}
"""Registry of the process, by name and alias. Writes are atomic, so readers need no lock."""
_origins: dict[str, str] = {}
"""Registry of the process: the module that registered each name and may replace it (a cell run again)."""
_factories: dict[str, ProviderFactory] = {}


def add(service: Service, *, origin: str, factory: ProviderFactory | None = None) -> Service:
    """Register a service, with a factory for its providers unless that is `Provider`.

    Parameters
    ----------
    service : Service
    origin : str
        Name of the module that registers it.
    factory : callable or None
        Returns a provider, given the service and the keywords of `get_provider`.

    Raises
    ------
    ConfigurationError
        Its name is reserved, in use or not valid; or it uses the API key of another service.
    """
    # A string is accepted for a tuple of one.
    single: dict[str, Any] = {
        field: (value,) for field in _LISTS if isinstance(value := getattr(service, field), str)
    }
    service = replace(service, **single)
    for api in (service.api, *service.apis, service.foreign_api):
        if api is not None and api not in wire.names():
            known = ", ".join(map(repr, wire.names()))
            raise ConfigurationError(
                f"Provider {service.name!r}: unknown api {api!r}; expected one of {known}."
            )
    own = f"{service.name.upper()}_BASE_URL"
    if own not in service.base_url_env:
        service = replace(service, base_url_env=(own, *service.base_url_env))
    for name in (service.name, *service.aliases):
        _check_name(name, origin)
    for row in load().values():
        if not row.local and (theirs := set(row.key_env) & set(service.key_env)):
            raise ConfigurationError(
                f"Provider {service.name!r} cannot use {min(theirs)}: that is the API key of "
                f"{row.name!r}, which is not sent to other services. Use another variable."
            )
    if service.embedded:
        raise ConfigurationError(
            f"Provider {service.name!r} cannot be embedded: that is reserved for built-in ones."
        )
    for name in (service.name, *service.aliases):
        _registered[name], _origins[name] = service, origin
    if factory is None:
        _factories.pop(service.name, None)
    else:
        _factories[service.name] = factory
    return service


def load_installed() -> None:
    """Load the installed packages that declare providers, each once; see `entry_points`."""
    entry_points.load(
        add, lambda: {name for row in all_services() for name in (row.name, *row.aliases)}
    )


def factory_of(service: Service) -> ProviderFactory | None:
    """Factory of a registered service; None: `Provider` itself."""
    return _factories.get(service.name) if service.name in _registered else None


def remove(name: str) -> None:
    """Remove a registered service and its aliases."""
    service = _registered.get(name)
    if service is not None:
        for known in (service.name, *service.aliases):
            _registered.pop(known, None)
            _origins.pop(known, None)
        _factories.pop(service.name, None)


def _check_name(name: Any, origin: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigurationError(
            f"{name!r} is not a valid name of a provider: use lower-case letters, digits and _, "
            "starting with a letter."
        )
    if name in RESERVED:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a provider: it is a subcommand of %allos."
        )
    if name in _by_any_name() or name in retired_services():
        raise ConfigurationError(
            f"{name!r} cannot be the name of a provider: allos has a built-in one."
        )
    if name in _registered and _origins[name] != origin:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a provider: {_origins[name]} has registered it."
        )


def from_fields(name: str, fields: Mapping[str, Any]) -> Service:
    """Return a service from fields as in `services.toml`.

    Raises
    ------
    ConfigurationError
        Unknown or missing field.
    """
    if not isinstance(name, str):
        raise ConfigurationError(
            f"register expects a Service or a name, got {type(name).__name__}."
        )
    try:
        return _service(name, fields, "")
    except TypeError as exc:
        raise ConfigurationError(f"Provider {name!r}: {exc}.") from None


def split_model_name(name_with_model: str) -> ModelName:
    """Split ``provider/model`` at the first slash; names of models may contain further ones.

    Raises
    ------
    ConfigurationError
        The part before the slash is empty.

    Examples
    --------
    >>> split_model_name("together/meta-llama/Llama-3-70b-chat-hf")
    ModelName(provider='together', model='meta-llama/Llama-3-70b-chat-hf')
    >>> split_model_name("groq")
    ModelName(provider='groq', model=None)
    """
    provider, _, model = name_with_model.strip().partition("/")
    if not provider.strip():
        raise ConfigurationError(
            f"{name_with_model!r} has no provider. Write provider/model, as in 'local/smollm2'."
        )
    return ModelName(provider.strip(), model.strip() or None)


def resolve_model_name(name_with_model: str) -> tuple[Service, str | None]:
    """Service and model of ``provider/model``; the model is None where only a provider is given.

    Raises
    ------
    ConfigurationError
        Unknown service; a name without a slash may be a model without its provider.
    """
    provider, model = split_model_name(name_with_model)
    try:
        return find(provider), model
    except ConfigurationError as exc:
        if model is not None or provider in retired_services():
            raise
        unknown = ConfigurationError(f"{exc} Write provider/model, as in 'local/smollm2'.")
    raise unknown


def _parse(table: Mapping[str, Any]) -> list[Service]:
    """Parse the rows; raise for names that are reserved or used twice."""
    services = [_service(name, row, table["as_of"]) for name, row in table["services"].items()]
    used = set(table["retired"])
    for name in (name for service in services for name in (service.name, *service.aliases)):
        if name in RESERVED:
            raise ConfigurationError(
                f"{name!r} cannot be the name of a service: it is a subcommand of %allos."
            )
        if name in used:
            raise ConfigurationError(f"Two services have the name {name!r}.")
        used.add(name)
    return services


def _service(name: str, row: Mapping[str, Any], as_of: str) -> Service:
    fields = {"as_of": as_of, **_frozen(row)}
    if "batches" in fields:
        fields["batches"] = BatchTerms(**_frozen(fields["batches"]))
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
