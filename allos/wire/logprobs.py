"""Log probabilities of tokens in Chat Completions, in the forms that services send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tokens = list[dict[str, Any]]


def token_logprobs(value: Any, content: Any) -> Tokens | None:
    """Return the tokens of a choice's `logprobs`; None for a form that is not known.

    Parameters
    ----------
    value : object
        ``{"content": [...], "refusal": [...]}``; the form of the older Completions API
        (``{"tokens": [...], "token_logprobs": [...]}``); or the number of a piece that is one token.
    content : object
        Text of the piece.

    Examples
    --------
    >>> token_logprobs({"tokens": ["Hi"], "token_logprobs": [-0.5]}, "Hi")
    [{'token': 'Hi', 'logprob': -0.5}]
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [{"token": content, "logprob": value}] if isinstance(content, str) else None
    if not isinstance(value, Mapping):
        return None
    if "tokens" in value:
        return _of_completions(value)
    if not ("content" in value or "refusal" in value):
        return None
    lists = (value.get("content") or [], value.get("refusal") or [])
    if not all(isinstance(tokens, list) for tokens in lists):
        return None
    return [token for tokens in lists for token in tokens if isinstance(token, dict)]


def _of_completions(value: Mapping[str, Any]) -> Tokens | None:
    tokens, numbers = value.get("tokens"), value.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(numbers, list) or len(tokens) != len(numbers):
        return None
    alternatives = value.get("top_logprobs")
    tops = alternatives if isinstance(alternatives, list) else []
    found: Tokens = []
    for at, (token, logprob) in enumerate(zip(tokens, numbers, strict=True)):
        entry: dict[str, Any] = {"token": token, "logprob": logprob}
        if at < len(tops) and isinstance(tops[at], dict):
            top = tops[at].items()
            entry["top_logprobs"] = [{"token": name, "logprob": number} for name, number in top]
        found.append(entry)
    return found
