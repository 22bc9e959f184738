"""Context windows and output limits of models. Unknown is None.

`model_facts.json` in this folder has the dated limits of known services; ``docs/model_facts.py`` writes
it at release time. `prices` may know further ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

_PREFIXES = re.compile(r"^(?:models/|accounts/[^/]+/models/)")
_DATE = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Limits of a model. None where unknown."""

    context_window: int | None = None
    """Most tokens of prompt and answer together."""
    max_output_tokens: int | None = None
    """Most tokens of one answer, reasoning included."""


NOTHING = ModelFacts()


def plain_name(model: str) -> str:
    """Name of a model without the path that some services prepend.

    Examples
    --------
    >>> plain_name("accounts/fireworks/models/gpt-oss-20b")
    'gpt-oss-20b'
    """
    return _PREFIXES.sub("", model)


@cache
def _file() -> Mapping[str, Any]:
    import json
    from pathlib import Path

    text = Path(__file__).with_name("model_facts.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return MappingProxyType(table)


def as_of() -> str:
    """Date of the newest entry in the shipped data, ``YYYY-MM-DD``."""
    return str(_file()["as_of"])


def names(service: str) -> list[str]:
    """Models of a service in the shipped data, sorted.

    Examples
    --------
    >>> "claude-haiku-4-5" in names("anthropic")
    True
    """
    return sorted(_file()["services"].get(service, ()))


def shipped(service: str, model: str) -> ModelFacts:
    """Return the shipped limits of a model.

    Examples
    --------
    >>> shipped("anthropic", "claude-haiku-4-5-20251001").max_output_tokens
    64000
    >>> shipped("anthropic", "claude-of-next-year")
    ModelFacts(context_window=None, max_output_tokens=None)
    """
    table = _file()["services"].get(service, {})
    for name in _spellings(model):
        if name in table:
            window, output = table[name]
            return ModelFacts(context_window=window, max_output_tokens=output)
    return NOTHING


def _spellings(model: str) -> Iterator[str]:
    """Names under which a model may be listed: as given, without path, tag and date."""
    yield model
    plain = plain_name(model)
    yield plain
    untagged = plain.partition(":")[0]
    yield untagged
    yield _DATE.sub("", untagged)
