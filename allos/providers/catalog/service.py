"""One service: where it is, which keys it takes, what it speaks, what it does differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, NamedTuple

from allos.profiles import Api, ServiceProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One row: where a service is, which keys it takes, what it speaks, what it does differently."""

    name: str
    """How users call it."""
    base_url: str
    """Address; ``{NAME}`` is filled in from the environment. Empty: the caller must name one."""
    api: Api
    """The API that is spoken by default."""
    mark: Literal["A", "B", "C"] = "C"
    """How the row was checked: A the SDK's source or loopback, B two sources or more, C one."""
    as_of: str = ""
    """When it was checked, ``YYYY-MM``."""
    apis: tuple[Api, ...] = ()
    """Other APIs that the service also has."""
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold the key; the first that is set wins."""
    key_required: bool = True
    """Whether the service refuses calls without a key."""
    base_url_env: tuple[str, ...] = ()
    """Environment variables that may hold another address, ``<NAME>_BASE_URL`` first."""
    host_env: tuple[str, ...] = ()
    """The same in the looser style ``host``, ``host:port``, ``0.0.0.0``; asked last."""
    foreign_api: Api | None = None
    """What another host speaks that is named by ``base_url=`` under this name."""
    local: bool = False
    """Runs on the user's own machine or network."""
    embedded: bool = False
    """Started by allos itself."""
    max_in_flight: int | None = None
    """Requests at a time that the service can use; None for no limit of its own."""
    list_models: bool = True
    """Whether it can list its models."""
    window_probe: Literal["", "props", "show"] = ""
    """Where a local server tells the context window it has loaded."""
    counts: str | None = None
    """How it counts the tokens of a prompt, one of its API's `token_counters`; None: it cannot."""
    aliases: tuple[str, ...] = ()
    """Other names for it."""
    sdk_home: str | None = None
    """SDK whose own vendor this is; only here do that SDK's environment settings apply."""
    price_id: str | None = None
    """Its id in genai-prices; None when its prices are unknown."""
    note: str = ""
    """One line that a user should know."""
    profile: ServiceProfile = field(default_factory=ServiceProfile)
    """What it does differently from its API's documentation."""

    @property
    def speaks(self) -> tuple[Api, ...]:
        """Every API that the service has, the default first."""
        return (self.api, *self.apis)

    @property
    def generic(self) -> bool:
        """Whether the row has no address of its own, so that the caller must name one."""
        return not self.base_url and not self.embedded

    def profile_for(self, *, foreign: bool) -> ServiceProfile:
        """ServiceProfile to expect at the service itself, or at another host named by ``base_url=``.

        Where a foreign host speaks another API (`foreign_api`), it is most likely a server of open
        models, and those may write their reasoning inside ``<think>`` tags.
        """
        if foreign and self.foreign_api is not None:
            return replace(self.profile, think_tags=True)
        return self.profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """What is known of the end of a model."""

    on: date | None = None
    """The day; None when nobody says."""
    replacement: str | None = None
    """Model that the service names in its place."""
    note: str = ""


class ModelName(NamedTuple):
    """A model's name, split into its parts."""

    provider: str
    model: str | None


Build = Callable[..., Any]
"""What makes a provider: given the row and the caller's keywords."""
