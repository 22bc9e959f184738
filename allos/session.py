"""The one place of a process where the rooms are connected: which log, which default model.

Wiring and nothing else. `%load_ext allos`, `ask` and `compare` come through here; a bare
`provider.chat()` does not, so it never writes to disk uninvited.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from allos import settings as _settings
from allos.errors import LogError
from allos.providers import Provider, ProviderRegistry
from allos.providers import budget as _budget
from allos.providers import services as _services

EMBEDDED_MODEL = "local/smollm2"
"""What answers when no model is named and none is configured."""

_told: dict[str, Any] = {}
"""Settings that this process was told, see `configure`."""

_gathered: dict[str, _settings.Value] | None = None

_warned: dict[tuple[str, str], set[str]] = {}
_log_failed = False


def _budget_usd() -> float | None:
    amount: float | None = setting("budget_usd")
    return amount


_budget.configured = _budget_usd


def configure(**changes: Any) -> dict[str, Any]:
    """Set things for this process: ``allos.configure(model="groq/llama-3.1-8b-instant")``.

    Parameters
    ----------
    **changes
        `model`, `temperature` and `max_tokens` of calls that name none, `log`, `replay`,
        `replay_mode`, `budget_usd`, `paint_hz`. None takes a setting back.

    Returns
    -------
    dict
        Everything that is set now, by name.

    Raises
    ------
    ConfigurationError
        There is no such setting, or it cannot have that value; nothing was changed.

    Examples
    --------
    >>> configure(temperature=0)["temperature"]
    0.0
    >>> "temperature" in configure(temperature=None)
    False
    """
    global _gathered
    usable = {
        name: None
        if value is None and name in _settings.SETTINGS
        else _settings.checked(name, value)
        for name, value in changes.items()
    }
    for name, value in usable.items():
        if value is None:
            _told.pop(name, None)
        else:
            _told[name] = value
    _gathered = None
    return {name: known.value for name, known in settings().items()}


def settings() -> dict[str, _settings.Value]:
    """Everything that is set, by name, with who set it."""
    global _gathered
    if _gathered is None:
        _gathered = _settings.gather(_told, os.environ, Path.cwd())
    return dict(_gathered)


def setting(name: str) -> Any:
    """Value of one setting; None when nobody set it.

    Environment variables count as they are now, since notebooks set them late.
    """
    variable = _settings.SETTINGS[name].env
    if variable is not None and name not in _told:
        text = os.environ.get(variable, "").strip()
        if text:
            return _settings.checked(name, text)
    known = settings()
    return known[name].value if name in known else None


def open_log() -> None:
    """Open the log, unless ``ALLOS_LOG=off``; a log that cannot be opened never stops a call."""
    global _log_failed
    from allos import log

    if log.is_open() or _log_failed:
        return
    try:
        log.open(setting("log"))
    except LogError as exc:
        _log_failed = True
        warnings.warn(f"Answers are not logged: {exc}", UserWarning, stacklevel=3)


def model_name(model: str | None) -> str:
    """Return the model to ask: the one named, the configured one, the embedded one."""
    return model or setting("model") or EMBEDDED_MODEL


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
    defaults = {known: setting(known) for known in ("temperature", "max_tokens")}
    provider = ProviderRegistry.get_provider(name, model=of_service, **defaults, **constructor)
    # Providers made for one call share what was already warned about.
    provider.warned = _warned.setdefault((provider.name, provider.model), set())
    return provider
