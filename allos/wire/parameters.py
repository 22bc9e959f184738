"""Our parameters into a body's fields, with the service's quirks applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allos.types import ModelQuirks, Quirks, Request

VOCABULARY: dict[str, str] = {
    "temperature": "randomness of the choice of tokens, 0 and up",
    "top_p": "share of the probability mass to choose from, 0 to 1",
    "max_tokens": "most tokens to write, reasoning included",
    "stop": "text, or list of texts, at which the model stops",
    "seed": "integer for repeatable sampling, where the service has it",
    "presence_penalty": "-2 to 2",
    "frequency_penalty": "-2 to 2",
    "logprobs": "whether to return log probabilities",
    "top_logprobs": "how many alternatives per token",
    "logit_bias": "token id to bias",
    "effort": "how long to reason: none, minimal, low, medium, high, xhigh, max",
}
"""The one vocabulary of parameters; what each API calls them stands in its wire."""

SAMPLING = frozenset({"temperature", "top_p"})


def sampling_headers(request: Request) -> Mapping[str, str] | None:
    """Headers that the service wants beside sampling parameters for this model."""
    of_model = model_quirks(request.quirks, request.model)
    if of_model and of_model.sampling_header and not SAMPLING.isdisjoint(request.params):
        return of_model.sampling_header
    return None


def model_quirks(quirks: Quirks, model: str) -> ModelQuirks | None:
    """Return what the service does differently for this model; the first match counts."""
    for row in quirks.models:
        if re.search(row.match, model):
            return row
    return None


def chat_effort(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields of Chat Completions for `effort`, and what could not be said.

    Services have their own switch for reasoning, their own words, or no way to turn it off.
    """
    effort = request.params.get("effort")
    if effort is None or "effort" in request.quirks.unsupported:
        return {}, () if effort is None else ("effort",)
    of_model = model_quirks(request.quirks, request.model)
    words = (of_model.efforts if of_model else None) or request.quirks.efforts
    if words and effort not in words:
        return {}, (f"effort={effort}",)
    return {request.quirks.effort_name: words.get(effort, effort)}, ()


def apply(request: Request, names: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields for a request's parameters.

    Parameters
    ----------
    request : Request
    names : mapping
        Our name to the API's, for those that the API takes.

    Returns
    -------
    fields : dict
    dropped : tuple of str
        Parameters that were set and are not taken, by our names.
    """
    fields: dict[str, Any] = {}
    dropped: list[str] = []
    if not request.params:
        return fields, ()
    quirks = request.quirks
    of_model = model_quirks(quirks, request.model)
    refused = set(quirks.unsupported)
    if of_model and request.params.get("effort") not in of_model.sampling_efforts:
        refused.update(of_model.unsupported)
    if of_model and of_model.sampling_header:
        refused -= SAMPLING
    for name, value in request.params.items():
        if name == "effort" and name not in names and request.api == "chat":
            continue  # see `chat_effort`
        if name in refused or name not in names:
            dropped.append(name)
            continue
        fields[quirks.rename.get(name, names[name])] = value
    return fields, tuple(dropped)
