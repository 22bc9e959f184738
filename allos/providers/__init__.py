"""Every provider behind one face: ask `ProviderRegistry` for one by name.

Examples
--------
>>> from allos.providers import ProviderRegistry
>>> provider = ProviderRegistry.get_provider("groq", model="m", api_key="gsk-example")
>>> provider
Provider('groq', model='m')
"""

from __future__ import annotations

from allos.providers.model_cache import cached_models, known_models
from allos.providers.models import ModelInfo, ModelList
from allos.providers.plugins import register, unregister
from allos.providers.provider import Provider
from allos.providers.registry import ProviderRegistry
from allos.providers.services import Service
from allos.providers.stream import AsyncStream, Stream
from allos.types import Message, MessageRole, ProviderResponse, ToolCall, Usage

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
