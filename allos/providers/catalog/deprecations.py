"""What to do about a model that a service does not have: what became of it, what it is called now."""

from __future__ import annotations

from datetime import UTC, date, datetime

from allos.errors import ModelNotFoundError, ProviderError
from allos.providers.catalog import model_cache, services
from allos.providers.catalog.model_list import near
from allos.providers.catalog.service import Deprecation


def advise(error: ProviderError, service: str, model: str, base_url: str | None) -> str | None:
    """Return the next step for an error; None leaves it to the general advice.

    Reads the small files of names and no more: it runs on the loop thread.

    Parameters
    ----------
    error : ProviderError
    service : str
        Name of the service's row.
    model : str
    base_url : str or None
        Another address that the provider was given; None is the service's own.
    """
    if not isinstance(error, ModelNotFoundError):
        return None
    gone = services.retired_models(service) if base_url is None else {}
    fate = gone.get(model)
    parts = [_told(model, fate, datetime.now(UTC).date())] if fate is not None else []
    if fate is None or fate.replacement is None:
        listed = model_cache.known_models(service, base_url)
        if close := near(model, [name for name in listed if name not in gone]):
            parts.append(f"Did you mean {_either(close)}?")
    ways = f"provider.list_models(), or %allos models {service},"
    ways = ways if base_url is None else "list_models() of this provider"
    return " ".join([*parts, f"{ways} lists what there is."])


def _told(model: str, fate: Deprecation, today: date) -> str:
    if fate.on is None:
        said = "is gone"
    else:
        said = f"{'is gone since' if fate.on <= today else 'goes away on'} {fate.on.isoformat()}"
    note = f" ({fate.note})" if fate.note else ""
    instead = f"; use {fate.replacement}" if fate.replacement else ""
    return f"{model} {said}{note}{instead}."


def _either(names: list[str]) -> str:
    shown = [repr(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
