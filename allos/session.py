"""The one place of a process where the rooms are connected: which log, which default model.

Wiring and nothing else. `%load_ext allos`, `ask` and `compare` come through here; a bare
`provider.chat()` does not, so it never writes to disk uninvited.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from allos.errors import LogError
from allos.providers import Provider, ProviderRegistry
from allos.providers import services as _services

EMBEDDED_MODEL = "local/smollm2"
"""What answers when no model is named and none is configured."""

default_model: str | None = None
"""Model for calls that name none, as ``provider/model``; None asks ``ALLOS_MODEL``."""

_warned: dict[tuple[str, str], set[str]] = {}
_learnt: dict[tuple[str, str, str], dict[str, Any]] = {}
_log_failed = False


def open_log() -> None:
    """Open the log, unless ``ALLOS_LOG=off``; a log that cannot be opened never stops a call."""
    global _log_failed
    from allos import log

    if log.is_open() or _log_failed:
        return
    try:
        log.open()
    except LogError as exc:
        _log_failed = True
        warnings.warn(f"Answers are not logged: {exc}", UserWarning, stacklevel=3)


def model_name(model: str | None) -> str:
    """Return the model to ask: the one named, the configured one, the embedded one."""
    return model or default_model or os.environ.get("ALLOS_MODEL") or EMBEDDED_MODEL


def provider_for(model: str | Provider | None, **constructor: Any) -> Provider:
    """Return the provider of a model name.

    Parameters
    ----------
    model : str, Provider or None
        ``provider/model``, split at the first slash; a provider passes through; None is the
        default model.
    **constructor
        What `Provider` takes besides the model (`base_url`, `api_key`, `timeout_s` ...).

    Raises
    ------
    ConfigurationError
        Unknown provider, no model, missing key.
    """
    if isinstance(model, Provider):
        return model
    name, of_service = _services.split(model_name(model))
    if of_service is None and _services.find(name).embedded:
        of_service = EMBEDDED_MODEL.partition("/")[2]
    provider = ProviderRegistry.get_provider(name, model=of_service, **constructor)
    # Providers made for one call share what was already warned about, and what servers do not take.
    provider.warned = _warned.setdefault((provider.name, provider.model), set())
    place = (provider.name, provider.model, provider.base_url)
    provider.learnt = _learnt.setdefault(place, {})
    return provider
