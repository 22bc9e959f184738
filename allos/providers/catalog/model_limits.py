"""Facts of models that no answer tells: how much a model can read and write. Unknown is None.

`model_facts.json` beside this file holds context windows and output limits of known services, dated;
``docs/model_facts.py`` writes it at release time. `prices` may know what it does not.
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
    """What is known of a model. None where nobody says."""

    context_window: int | None = None
    """Tokens that prompt and answer may have together."""
    max_output_tokens: int | None = None
    """Most tokens that one answer may have, reasoning included."""


NOTHING = ModelFacts()


def plain_name(model: str) -> str:
    """Model's name without the path that some services put before it.

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
    """Day of the newest entry in the shipped facts, ``YYYY-MM-DD``."""
    return str(_file()["as_of"])


def names(service: str) -> list[str]:
    """Models of a service that the shipped facts know, sorted.

    Examples
    --------
    >>> "claude-haiku-4-5" in names("anthropic")
    True
    """
    return sorted(_file()["services"].get(service, ()))


def shipped(service: str, model: str) -> ModelFacts:
    """Return what the shipped facts say of a model of a service.

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
    """Names under which a model may be listed: as it is, without path, tag and date."""
    yield model
    plain = plain_name(model)
    yield plain
    untagged = plain.partition(":")[0]
    yield untagged
    yield _DATE.sub("", untagged)
