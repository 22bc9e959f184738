"""Every provider behind one interface: `ProviderRegistry.get_provider` returns one by name.

Examples
--------
>>> from allos.providers import ProviderRegistry
>>> provider = ProviderRegistry.get_provider("groq", model="m", api_key="gsk-example")
>>> provider
Provider('groq', model='m')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.messages import Message, MessageRole, ToolCall
    from allos.providers.catalog.model_cache import cached_models, known_models
    from allos.providers.catalog.model_list import ModelInfo, ModelList
    from allos.providers.catalog.registration import register, unregister
    from allos.providers.catalog.service import Service
    from allos.providers.provider import Provider
    from allos.providers.registry import ProviderRegistry
    from allos.providers.stream import AsyncStream, Stream
    from allos.response import ProviderResponse
    from allos.usage import Usage

# public name -> the module it is imported from when it is first used
_PUBLIC: dict[str, str] = {
    "AsyncStream": "allos.providers.stream",
    "Message": "allos.messages",
    "MessageRole": "allos.messages",
    "ModelInfo": "allos.providers.catalog.model_list",
    "ModelList": "allos.providers.catalog.model_list",
    "Provider": "allos.providers.provider",
    "ProviderRegistry": "allos.providers.registry",
    "ProviderResponse": "allos.response",
    "Service": "allos.providers.catalog.service",
    "Stream": "allos.providers.stream",
    "ToolCall": "allos.messages",
    "Usage": "allos.usage",
    "cached_models": "allos.providers.catalog.model_cache",
    "known_models": "allos.providers.catalog.model_cache",
    "register": "allos.providers.catalog.registration",
    "unregister": "allos.providers.catalog.registration",
}

__all__ = [
    "AsyncStream",
    "Message",
    "MessageRole",
    "ModelInfo",
    "ModelList",
    "Provider",
    "ProviderRegistry",
    "ProviderResponse",
    "Service",
    "Stream",
    "ToolCall",
    "Usage",
    "cached_models",
    "known_models",
    "register",
    "unregister",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'allos.providers' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
