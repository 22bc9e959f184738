"""Our parameters: their valid values, and the body fields that they become by a service's profile."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from allos.errors import did_you_mean
from allos.profiles import ModelProfile, ServiceProfile
from allos.request import Request

VOCABULARY: dict[str, str] = {
    "temperature": "randomness of the choice of tokens, 0 and up",
    "top_p": "share of the probability mass to choose from, 0 to 1",
    "max_tokens": "most tokens to write, reasoning included",
    "stop": "string, or list of strings, at which the model stops",
    "seed": "integer for repeatable sampling, where the service has it",
    "presence_penalty": "-2 to 2",
    "frequency_penalty": "-2 to 2",
    "logprobs": "whether to return log probabilities",
    "top_logprobs": "how many alternatives per token",
    "logit_bias": "token id to bias",
    "effort": "how long to reason: none, minimal, low, medium, high, xhigh, max",
}
"""The one vocabulary of parameters; each wire maps it to the names of its API."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Values of `effort`, from none to the most."""

SAMPLING = frozenset({"temperature", "top_p"})


# ---- values --------------------------------------------------------------------------------------


def checked(name: str, value: Any) -> Any:
    """Return a parameter's value as plain Python, numbers of NumPy included.

    Raises
    ------
    ValueError
        It is not valid; says why in one line.

    Examples
    --------
    >>> checked("max_tokens", 50.0)
    50
    >>> checked("top_p", 3)
    Traceback (most recent call last):
        ...
    ValueError: top_p must be a number from 0 to 1, not 3
    """
    return _CHECKS[name](name, value)


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    span = f"from {low:g} to {high:g}" if high < math.inf else f">= {low:g}"

    def check(name: str, value: Any) -> float:
        number = _as_number(value)
        if number is None or not low <= number <= high or math.isinf(number):
            raise ValueError(f"{name} must be a number {span}, not {_shown(value)}")
        return number

    return check


def _integer(low: float) -> Callable[[str, Any], int]:
    span = f" >= {low:g}" if low > -math.inf else ""

    def check(name: str, value: Any) -> int:
        number = _as_number(value)
        if number is None or number < low or number != number // 1:  # NaN and infinity differ
            raise ValueError(f"{name} must be an integer{span}, not {_shown(value)}")
        return int(number)

    return check


def _as_number(value: Any) -> float | None:
    """Return a plain int or float; None for what is not a number (strings, booleans, arrays)."""
    if type(value) is float or type(value) is int:
        return value
    if isinstance(value, (bool, str, bytes)) or type(value).__name__ in ("bool", "bool_"):
        return None
    for convert in ("__index__", "__float__"):
        if hasattr(value, convert):
            try:
                number: float = getattr(value, convert)()
            except (TypeError, ValueError, OverflowError):  # an array of several
                continue
            return number
    return None


def _strings(name: str, value: Any) -> str | list[str]:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, Sequence) and value and not isinstance(value, (str, bytes)):
        strings = list(value)
        if all(isinstance(string, str) and string for string in strings):
            return strings
    raise ValueError(
        f"{name} must be a string or a list of strings, none empty, not {_shown(value)}"
    )


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {_shown(value)}")
    return value


def _logit_bias(name: str, value: Any) -> dict[str, float]:
    numbers = (
        {str(token): _as_number(bias) for token, bias in value.items()}
        if isinstance(value, Mapping)
        else {"": None}
    )
    found = {
        token: bias for token, bias in numbers.items() if bias is not None and abs(bias) <= 100
    }
    if len(found) != len(numbers):
        raise ValueError(
            f"{name} must map token ids to numbers from -100 to 100, not {_shown(value)}"
        )
    return found


def _effort(name: str, value: Any) -> str:
    if value not in EFFORTS:
        words = ", ".join(map(repr, EFFORTS))
        hint = did_you_mean(value, EFFORTS) if isinstance(value, str) else ""
        raise ValueError(f"{name} must be one of {words}, not {_shown(value)}.{hint}")
    return str(value)


def extra_fields(value: Any) -> dict[str, Any]:
    """Return `extra` as a dict that fits into a JSON body.

    Raises
    ------
    ValueError
        It is not a mapping with string keys, or holds what JSON cannot express.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"extra must map names of body fields to values, not {_shown(value)}")
    fields = dict(value)
    from json import dumps

    try:
        dumps(fields, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ValueError(f"extra must hold plain JSON values ({exc})") from None
    return fields


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "temperature": _number(0, math.inf),
    "top_p": _number(0, 1),
    "max_tokens": _integer(1),
    "stop": _strings,
    "seed": _integer(-math.inf),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "logprobs": _boolean,
    "top_logprobs": _integer(0),
    "logit_bias": _logit_bias,
    "effort": _effort,
}


# ---- fields --------------------------------------------------------------------------------------


def sampling_headers(request: Request) -> Mapping[str, str] | None:
    """Headers that the service wants beside sampling parameters for this model."""
    of_model = model_profile(request.profile, request.model)
    if of_model and of_model.sampling_header and not SAMPLING.isdisjoint(request.params):
        return of_model.sampling_header
    return None


def model_profile(profile: ServiceProfile, model: str) -> ModelProfile | None:
    """Return what the service does differently for this model; the first match counts."""
    for row in profile.models:
        if re.search(row.match, model):
            return row
    return None


def apply(
    request: Request,
    names: Mapping[str, str],
    *,
    effort_fields: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Body fields for a request's parameters.

    Parameters
    ----------
    request : Request
    names : mapping
        Our name to the API's, for those that the API accepts.
    effort_fields : mapping or None
        Body fields for each word of `effort`, where the service has its own; see
        `ServiceProfile.effort`.

    Returns
    -------
    fields : dict
    dropped : tuple of str
        Parameters that were set and are not accepted, by our names.
    """
    fields: dict[str, Any] = {}
    dropped: list[str] = []
    if not request.params:
        return fields, ()
    profile = request.profile
    of_model = model_profile(profile, request.model)
    unsupported = set(profile.unsupported)
    if of_model and request.params.get("effort") not in of_model.sampling_efforts:
        unsupported.update(of_model.unsupported)
    if of_model and of_model.sampling_header:
        unsupported -= SAMPLING
    for name, value in request.params.items():
        if name in unsupported or name not in names:
            dropped.append(name)
        elif name == "effort" and effort_fields:
            template = effort_fields.get(value, effort_fields.get(_ANY_EFFORT))
            if template is None:
                dropped.append(f"effort={value}")
            else:
                fields.update(_fill_in(template, value))
        else:
            fields[profile.rename.get(name, names[name])] = value
    return fields, tuple(dropped)


_ANY_EFFORT = "*"


def _fill_in(fields: Mapping[str, Any], effort: str) -> dict[str, Any]:
    """Body fields with our word where the row has ``{effort}``."""
    return {
        name: _fill_in(value, effort)
        if isinstance(value, Mapping)
        else effort
        if value == "{effort}"
        else value
        for name, value in fields.items()
    }
