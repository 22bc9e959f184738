"""Every provider behind one face: ask `ProviderRegistry` for one by name.

Examples
--------
>>> from allos.providers import ProviderRegistry
>>> provider = ProviderRegistry.get_provider("groq", model="m", api_key="gsk-example")
>>> provider
Provider('groq', model='m')
"""

from __future__ import annotations

from allos.providers.provider import ModelInfo, Provider
from allos.providers.registry import ProviderRegistry
from allos.providers.stream import AsyncStream, Stream
from allos.types import Message, MessageRole, ProviderResponse, ToolCall, Usage

__all__ = [
    "AsyncStream",
    "Message",
    "MessageRole",
    "ModelInfo",
    "Provider",
    "ProviderRegistry",
    "ProviderResponse",
    "Stream",
    "ToolCall",
    "Usage",
]
