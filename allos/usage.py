"""Token usage of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

UsageSource = Literal["provider", "estimated", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. None where the provider did not report them."""

    input_tokens: int | None = None
    """All input, cached input included."""
    cache_read_tokens: int | None = None
    """Input read from the provider's cache."""
    cache_write_tokens: int | None = None
    """Input written to the provider's cache."""
    output_tokens: int | None = None
    """All output, reasoning included."""
    reasoning_tokens: int | None = None
    """Output spent on reasoning."""
    total_tokens: int | None = None
    """Input and output together."""
    source: UsageSource = "missing"
    """Who counted the tokens."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own usage object, vendor-specific fields included."""
