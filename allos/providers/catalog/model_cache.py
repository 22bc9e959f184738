"""Cache of the models that services listed: in memory, and on disk for the next kernel.

Makes no requests. The file contains names and a date, never a key or a URL; when it cannot be read or
written, completion offers fewer names.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.providers.catalog import model_kinds, model_limits, services

if TYPE_CHECKING:
    from allos.providers.catalog.model_list import ModelList

_MAX_AGE_S = 90 * 86400
"""Older entries are ignored: services change their models."""

_lists: dict[tuple[str, str | None], ModelList] = {}
"""Process-wide cache: lists of models by service and base URL; None: the service's own."""

_windows: dict[tuple[str, str | None, str], int] = {}
"""Process-wide cache: context windows by service, base URL and model."""


def cached_models(name: str, base_url: str | None = None) -> list[str] | None:
    """Models that a service listed earlier, in this or another kernel; None when it was not asked.

    All of them: `known_models` has those that answer prompts. Makes no request.

    Parameters
    ----------
    name : str
        The service's name or alias.
    base_url : str or None
        Custom base URL of the provider; None: the service's own.

    Examples
    --------
    >>> cached_models("chat_completions") is None
    True
    """
    try:
        service = services.find(name).name
    except ConfigurationError:
        return None
    listed = _lists.get((service, base_url))
    if listed is not None:
        return listed.ids
    return _kept(service, "models") if base_url is None else None


def known_models(name: str, base_url: str | None = None) -> list[str]:
    """Models that answer prompts: of those that a service listed earlier, else of the shipped data.

    Left out are models for embeddings, speech, images and the like: as the service says, else by
    their names. May be empty.

    Examples
    --------
    >>> "claude-haiku-4-5" in known_models("anthropic")
    True
    >>> "whisper-large-v3" in known_models("groq")
    False
    """
    try:
        service = services.find(name).name
    except ConfigurationError:
        return []
    listed = _lists.get((service, base_url))
    if listed is not None:
        return _chat_names(listed)
    if base_url is not None:
        return []
    chosen = _kept(service, "chat")
    if chosen is not None:
        return chosen
    names = cached_models(service)
    names = model_limits.names(service) if names is None else names
    return [model for model in names if model_kinds.chats(model)]


def _chat_names(models: ModelList) -> list[str]:
    return [info.id for info in models if model_kinds.chats(info.id, info.chats)]


def _kept(service: str, what: str) -> list[str] | None:
    """Names in the file; None where there are none, or they are old."""
    entry = _on_disk().get(service)
    if not isinstance(entry, dict) or not isinstance(entry.get(what), list):
        return None
    age_s = time.time() - entry["at"] if isinstance(entry.get("at"), int | float) else _MAX_AGE_S
    return [str(model) for model in entry[what]] if age_s < _MAX_AGE_S else None


def remember(service: str, base_url: str | None, models: ModelList, *, on_disk: bool) -> None:
    """Store the models that a service listed."""
    _lists[service, base_url] = models
    if not on_disk or base_url is not None:
        return
    # Read, change, replace: of two kernels at once the later one wins, which only costs a request.
    entry = {"at": int(time.time()), "models": models.ids, "chat": _chat_names(models)}
    table = {**_on_disk(), service: entry}
    with suppress(OSError):
        path = cache_file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(table, indent=1, ensure_ascii=False), encoding="utf-8")
        draft.replace(path)


def remember_context_window(service: str, base_url: str | None, model: str, window: int) -> None:
    """Store the context window that a service reported for one model."""
    _windows[service, base_url, model] = window


def reported_context_window(service: str, base_url: str | None, model: str) -> int | None:
    """Context window that the service reported in this process; None when unknown."""
    known = _windows.get((service, base_url, model))
    if known is not None:
        return known
    listed = _lists.get((service, base_url), ())
    return next((info.context_window for info in listed if info.id == model), None)


def forget() -> None:
    """Clear the cache in memory; the file stays."""
    _lists.clear()
    _windows.clear()


def cache_file() -> Path:
    """Path of the cache file, which need not exist."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("allos", appauthor=False)) / "models.json"


def _on_disk() -> dict[str, Any]:
    try:
        table = json.loads(cache_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
