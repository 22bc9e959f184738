"""Every provider behind one interface: `ProviderRegistry.get_provider` returns one by name.

Examples
--------
>>> from allos.providers import ProviderRegistry
>>> provider = ProviderRegistry.get_provider("groq", model="m", api_key="gsk-example")
>>> provider
Provider('groq', model='m')
"""

from __future__ import annotations

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
