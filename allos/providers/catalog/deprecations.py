"""The next step for an unknown model: its deprecation, its replacement, similar names."""

from __future__ import annotations

from datetime import UTC, date, datetime

from allos.errors import ModelNotFoundError, ProviderError
from allos.providers.catalog import model_cache, services
from allos.providers.catalog.model_list import close_names
from allos.providers.catalog.service import Deprecation


def advise(error: ProviderError, service: str, model: str, base_url: str | None) -> str | None:
    """Return the next step for an error; None: keep the general one.

    Reads only small files of model names, since it runs on the loop thread.

    Parameters
    ----------
    error : ProviderError
    service : str
        Name of the service.
    model : str
    base_url : str or None
        Custom base URL of the provider; None: the service's own.
    """
    if not isinstance(error, ModelNotFoundError):
        return None
    retired = services.retired_models(service) if base_url is None else {}
    deprecation = retired.get(model)
    parts = (
        [_deprecation_notice(model, deprecation, datetime.now(UTC).date())]
        if deprecation is not None
        else []
    )
    if deprecation is None or deprecation.replacement is None:
        listed = model_cache.known_models(service, base_url)
        if close := close_names(model, [name for name in listed if name not in retired]):
            parts.append(f"Did you mean {_join_with_or(close)}?")
    ways = f"provider.list_models(), or %allos models {service},"
    ways = ways if base_url is None else "list_models() of this provider"
    return " ".join([*parts, f"{ways} lists the available models."])


def _deprecation_notice(model: str, deprecation: Deprecation, today: date) -> str:
    if deprecation.on is None:
        event = "was retired"
    else:
        verb = "was retired" if deprecation.on <= today else "will be retired"
        event = f"{verb} on {deprecation.on.isoformat()}"
    note = f" ({deprecation.note})" if deprecation.note else ""
    instead = f"; use {deprecation.replacement}" if deprecation.replacement else ""
    return f"{model} {event}{note}{instead}."


def _join_with_or(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
