"""Names of models that services told earlier: in memory, and on disk for the next kernel.

Nothing here makes a request. The file holds names and a date, never a key or an address; when it
cannot be read or written, names are only missing from completion.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from allos.errors import ConfigurationError
from allos.providers.catalog import model_limits, services
from allos.providers.catalog.model_list import ModelList

_MAX_AGE_S = 90 * 86400
"""Names older than that say little about what a service offers."""

_lists: dict[tuple[str, str | None], ModelList] = {}
"""What was told, by service and address; None is the service's own. Replaced as a whole."""

_windows: dict[tuple[str, str | None, str], int] = {}
"""Context windows that were asked for by name."""


def cached_models(name: str, base_url: str | None = None) -> list[str] | None:
    """Models that a service told earlier, now or in another kernel; None when it was never asked.

    Never makes a request.

    Parameters
    ----------
    name : str
        The service's name or alias.
    base_url : str or None
        Another address that its provider was given; None is its own.

    Examples
    --------
    >>> cached_models("chat_completions") is None
    True
    """
    try:
        service = services.find(name).name
    except ConfigurationError:
        return None
    told = _lists.get((service, base_url))
    if told is not None:
        return told.ids
    entry = _on_disk().get(service) if base_url is None else None
    if not isinstance(entry, dict) or not isinstance(entry.get("models"), list):
        return None
    age_s = time.time() - entry["at"] if isinstance(entry.get("at"), int | float) else _MAX_AGE_S
    return [str(model) for model in entry["models"]] if age_s < _MAX_AGE_S else None


def known_models(name: str, base_url: str | None = None) -> list[str]:
    """Models that a service told earlier, else those that the shipped facts know; maybe none.

    Examples
    --------
    >>> "claude-haiku-4-5" in known_models("anthropic")
    True
    """
    told = cached_models(name, base_url)
    if told is not None or base_url is not None:
        return told or []
    try:
        return model_limits.names(services.find(name).name)
    except ConfigurationError:
        return []


def remember(service: str, base_url: str | None, models: ModelList, *, on_disk: bool) -> None:
    """Keep what a service told."""
    _lists[service, base_url] = models
    if not on_disk or base_url is not None:
        return
    # Read, change, replace: of two kernels at once the later one wins, and the other asks again.
    table = {**_on_disk(), service: {"at": int(time.time()), "models": models.ids}}
    with suppress(OSError):
        path = cache_file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(table, indent=1, ensure_ascii=False), encoding="utf-8")
        draft.replace(path)


def remember_window(service: str, base_url: str | None, model: str, window: int) -> None:
    """Keep the context window that a service told of one model."""
    _windows[service, base_url, model] = window


def learnt_window(service: str, base_url: str | None, model: str) -> int | None:
    """Context window that the service told in this process; None when it was not asked."""
    known = _windows.get((service, base_url, model))
    if known is not None:
        return known
    told = _lists.get((service, base_url), ())
    return next((info.context_window for info in told if info.id == model), None)


def forget() -> None:
    """Drop what is in memory; the file stays."""
    _lists.clear()
    _windows.clear()


def cache_file() -> Path:
    """Where the names are kept; the file need not exist."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("allos", appauthor=False)) / "models.json"


def _on_disk() -> dict[str, Any]:
    try:
        table = json.loads(cache_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
