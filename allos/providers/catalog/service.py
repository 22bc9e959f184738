"""One service: its base URL, API keys, APIs, and deviations from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from allos.profiles import Api, ServiceProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """The terms of a service's batch API."""

    apis: tuple[Api, ...]
    """APIs whose requests it takes."""
    max_requests: int
    """Most requests of one batch."""
    max_bytes: int
    """Largest size of one batch."""
    price_share: float = 0.5
    """What it costs, as a share of the list price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: its base URL, API keys, APIs, and deviations from them."""

    name: str
    """Name of the provider."""
    base_url: str
    """Base URL; ``{NAME}`` is filled in from the environment. Empty: the caller must pass one."""
    api: Api
    """The default API."""
    mark: Literal["A", "B", "C"] = "C"
    """How it was verified: A the SDK's source or a local run, B two or more sources, C one."""
    as_of: str = ""
    """When it was verified, ``YYYY-MM``."""
    apis: tuple[Api, ...] = ()
    """Other supported APIs."""
    key_env: tuple[str, ...] = ()
    """Environment variables for the API key; the first one that is set is used."""
    key_required: bool = True
    """Whether the service requires an API key."""
    key_page: str = ""
    """Web page where a key is made; empty when there is none."""
    base_url_env: tuple[str, ...] = ()
    """Environment variables for another base URL, ``<NAME>_BASE_URL`` first."""
    host_env: tuple[str, ...] = ()
    """Environment variables for ``host``, ``host:port`` or ``0.0.0.0``; read last."""
    pasted_path: str = ""
    """Pattern of the paths of its URLs that people paste; its group `model` names the model."""
    resource_domains: tuple[str, ...] = ()
    """Domains of users' resources, of which every URL is one that people paste."""
    version_query: str = ""
    """Query with the version of the API in such URLs."""
    foreign_api: Api | None = None
    """The default API for another host, given by ``base_url=`` with this provider."""
    local: bool = False
    """Runs on the user's own machine or network."""
    embedded: bool = False
    """Started by allos itself."""
    max_in_flight: int | None = None
    """Concurrent requests that the service can handle; None: no limit."""
    list_models: bool = True
    """Whether it has a models endpoint."""
    window_probe: Literal["", "props", "show"] = ""
    """Endpoint of a local server that reports the loaded context window."""
    counts: str | None = None
    """How it counts the tokens of a prompt: one of its API's `token_counters`; None: not supported."""
    aliases: tuple[str, ...] = ()
    """Other names for it."""
    known_for: tuple[str, ...] = ()
    """Models and vendors that people type in place of its name."""
    sdk_home: str | None = None
    """SDK whose vendor this is; that SDK's environment variables only apply here."""
    price_id: str | None = None
    """Id in genai-prices; None when its prices are unknown."""
    batches: BatchTerms | None = None
    """Its batch API, where it has the one of its API's vendor."""
    note: str = ""
    """A note for users, one line."""
    profile: ServiceProfile = field(default_factory=ServiceProfile)
    """Deviations from its API's documentation."""

    @property
    def supported_apis(self) -> tuple[Api, ...]:
        """All supported APIs, the default first."""
        return (self.api, *self.apis)

    @property
    def generic(self) -> bool:
        """Whether it has no base URL of its own, so that the caller must pass one."""
        return not self.base_url and not self.embedded

    def profile_for(self, base_url: str) -> ServiceProfile:
        """Profile of the service at a base URL: its own, or that of whoever stands in for it.

        Another host may serve open models, whatever the service and the API: these may write reasoning
        into the text.
        """
        own, host = urlsplit(self.base_url).hostname, urlsplit(base_url).hostname
        if host in (own, None):
            return self.profile
        return replace(self.profile, think_tags=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """Retirement of a model."""

    on: date | None = None
    """The date; None when unknown."""
    replacement: str | None = None
    """Model that the service recommends instead."""
    note: str = ""


class ModelName(NamedTuple):
    """A model's name, split into its parts."""

    provider: str
    model: str | None


ProviderFactory = Callable[..., Any]
"""Returns a provider, given the service and the keywords of `get_provider`."""
