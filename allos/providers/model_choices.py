"""Models to choose from, with price and context window, and why some of them cannot be used now.

Makes no request: models are those that a service listed earlier, else those of the shipped table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from allos import local
from allos.errors import ConfigurationError
from allos.local.model_files import has_llama_cpp
from allos.providers.auth import endpoints, key_store
from allos.providers.catalog import model_cache, model_limits, services
from allos.providers.catalog.service import Service
from allos.providers.pricing import prices
from allos.providers.pricing.estimates import usd

MOST = 200
"""Models that one search returns."""
_MOST_OF_SERVICE = 40
"""Of one service, as long as nothing is typed."""
_MAX_CHARS = 200
"""Longer names come from a broken server: they are not offered."""
_FRESH_S = 5.0
"""A key may be set while models are chosen: what is missing is looked up again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """One model, as a list to choose from shows it."""

    name: str
    """``provider/model``; ``provider/`` where no model of the service is known."""
    price: str = ""
    """Of a million tokens: ``"$0.25 in, $2.00 out"``, ``"free"``; empty when unknown."""
    context_window: int | None = None
    """In tokens."""
    obstacle: str = ""
    """Why it cannot be used now, in a few words; empty: nothing is known to be missing."""
    advice: str = ""
    """What to do about it."""

    @property
    def usable(self) -> bool:
        """Whether it can be chosen."""
        return not self.obstacle

    @property
    def listable(self) -> bool:
        """Whether it stands for a service that may be asked for its models, see `list_models`."""
        return self.obstacle == _NAMELESS


def model_choices(query: str = "", *, most: int = MOST) -> list[ModelChoice]:
    """Models whose name holds all words of a query, usable ones first. Makes no request.

    Parameters
    ----------
    query : str
        Parts of names; empty: some of every service.
    most : int
        Number of models at most.

    Examples
    --------
    >>> model_choices("anthropic/claude-haiku-4-5")[0].context_window
    200000
    """
    words = query.lower().split()
    services.load_installed()
    ranked = sorted(
        (choice for service in services.all_services() for choice in _of_service(service, words)),
        key=lambda each: _rank(each, words),
    )
    typed = _as_typed(query.strip())
    known = {each.name for each in ranked}
    found = [typed, *ranked] if typed is not None and typed.name not in known else ranked
    return [_with_facts(each) for each in found[:most]]


def describe_model(name: str) -> ModelChoice:
    """One model by its name, whether it is known or not.

    Raises
    ------
    ConfigurationError
        An unknown service, or no model.
    """
    service, model = services.resolve_model_name(name)
    if model is None:
        if not service.embedded:
            raise ConfigurationError(f"{name!r} names no model: write {service.name}/MODEL.")
        name = f"{service.name}/{local.DEFAULT_MODEL}"
    return _with_facts(_choice(service, name.partition("/")[2], name))


def obstacle_of(service: Service) -> tuple[str, str]:
    """Why no call can be made of a service now, in a few words, and what to do; empty: nothing is known.

    Examples
    --------
    >>> obstacle_of(services.find("ollama"))
    ('', '')
    """
    now = time.monotonic()
    known = _obstacles.get(service.name)
    if known is None or now - known[0] > _FRESH_S:
        known = (now, _obstacle(service))
        _obstacles[service.name] = known
    return known[1]


_obstacles: dict[str, tuple[float, tuple[str, str]]] = {}
"""Process-wide cache, for some seconds: a keyring may be slow."""


def _obstacle(service: Service) -> tuple[str, str]:
    if service.embedded:
        if is_embedded_installed():
            return "", ""
        return "not installed", f"Install it with: {local.install_command()}"
    try:
        endpoints.resolve(service, api_key=endpoints.PLACEHOLDER, env=os.environ)
    except ConfigurationError as exc:
        return "no base URL", str(exc).removesuffix(" Nothing was sent.")
    if service.key_required and key_store.is_set(service) is False:
        page = f" Make one at {service.key_page}." if service.key_page else ""
        return (
            "no key: add one",
            f"{service.name} needs a key: run %allos key {service.name}, or set "
            f"{' or '.join(service.key_env)}.{page}",
        )
    return "", ""


def is_embedded_installed() -> bool:
    """Whether the embedded model can be started."""
    return has_llama_cpp() and local.DEFAULT_MODEL in local.known_models()


def list_models(name: str) -> int:
    """Ask a service for its models, which `model_choices` then has; returns how many. Makes a request.

    Raises
    ------
    ConfigurationError
        An unknown service, or one that lacks a key.
    ProviderError
        The service could not be asked.
    """
    from allos.providers.registry import ProviderRegistry

    with ProviderRegistry.get_provider(services.find(name).name, model="any") as provider:
        return len(provider.list_models())


# ---- inside ------------------------------------------------------------------------------------


def _of_service(service: Service, words: list[str]) -> Iterator[ModelChoice]:
    prefix = f"{service.name}/"
    is_closed = not words and bool(obstacle_of(service)[0])  # its models would bury those of others
    found = 0
    for model in () if is_closed else _models_of(service):
        name = prefix + model
        if len(name) > _MAX_CHARS or not all(word in name.lower() for word in words):
            continue
        if not words and found == _MOST_OF_SERVICE:
            return
        choice = _choice(service, model, name)
        if words or not choice.obstacle:
            found += 1
            yield choice
    if not found and all(word in prefix for word in words):
        obstacle, advice = obstacle_of(service)
        yield ModelChoice(
            name=prefix, obstacle=obstacle or _NAMELESS, advice=advice or service.note
        )


def _models_of(service: Service) -> list[str]:
    if service.embedded:
        return sorted(local.known_models(), key=lambda name: name != local.DEFAULT_MODEL)
    return model_cache.known_models(service.name)


def _choice(service: Service, model: str, name: str) -> ModelChoice:
    obstacle, advice = obstacle_of(service)
    deprecation = services.retired_models(service.name).get(model)
    if deprecation is not None and (
        deprecation.on is None or deprecation.on <= datetime.now(UTC).date()
    ):
        obstacle = _RETIRED
        advice = f"Use {deprecation.replacement}." if deprecation.replacement else deprecation.note
    return ModelChoice(name=name, obstacle=obstacle, advice=advice)


def _as_typed(query: str) -> ModelChoice | None:
    """A model that nobody has listed: services have new ones every week."""
    name, slash, model = query.partition("/")
    if not slash or not model or " " in query or len(query) > _MAX_CHARS:
        return None
    try:
        service = services.find(name)
    except ConfigurationError:
        return None
    return None if service.embedded else _choice(service, model, f"{service.name}/{model}")


def _rank(choice: ModelChoice, words: list[str]) -> tuple[bool, ...]:
    provider, _, model = choice.name.partition("/")
    service = services.find(provider)
    begins = bool(words) and model.lower().rpartition("/")[2].startswith(words[0])
    return (
        bool(choice.obstacle) and not service.embedded,
        choice.obstacle == _RETIRED,
        not service.embedded,
        not begins,
        service.local or service.generic,
    )


def _with_facts(choice: ModelChoice) -> ModelChoice:
    provider, _, model = choice.name.partition("/")
    service = services.find(provider)
    if not model:
        return choice
    if service.embedded:
        return replace(choice, price="free")
    window = model_cache.reported_context_window(service.name, None, model)
    window = window or model_limits.shipped(service.name, model).context_window
    if service.price_id is None:
        return replace(choice, context_window=window)
    price, priced_window = _priced(service.price_id, model)
    return replace(choice, price=price, context_window=window or priced_window)


_RETIRED = "retired"
_NAMELESS = "list its models"
_SAMPLE_TOKENS = 1_000
"""A small prompt: long ones may cost more for each token."""


@lru_cache(maxsize=4096)
def _priced(price_id: str, model: str) -> tuple[str, int | None]:
    """Price and context window in the price tables."""
    prices.load()
    facts = {"model": model, "input_tokens": _SAMPLE_TOKENS, "output_tokens": _SAMPLE_TOKENS}
    found = prices.cost(facts, price_id)
    window = prices.context_window(price_id, model)
    read, written = found.get("input_cost_usd"), found.get("output_cost_usd")
    if read is None or written is None:
        return "", window
    scale = 1_000_000 / _SAMPLE_TOKENS
    return f"{usd(read * scale)} in, {usd(written * scale)} out", window
