"""Validation of the arguments of a provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from allos.engine.limits import Limits
from allos.errors import ConfigurationError, did_you_mean
from allos.options import ProviderOptions
from allos.secret import Headers, Secret, reveal
from allos.wire.parameters import VOCABULARY, checked, extra_fields

_OF_CALLS = frozenset({"timeout_s", "deadline_s", "max_attempts", "context_window"})
_LIMITS = frozenset({"max_in_flight", "requests_per_minute", "tokens_per_minute"})


def parameters(named: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return valid parameters, without the unset ones.

    Parameters
    ----------
    named : str
        ``provider/model``, for the error message.
    params : mapping

    Raises
    ------
    ConfigurationError
        Unknown parameter or invalid value.
    """
    values: dict[str, Any] = {}
    for name, value in params.items():
        if name not in VOCABULARY and name != "extra":
            raise ConfigurationError(
                f"{named}: unknown parameter {name!r}."
                f"{did_you_mean(name, VOCABULARY)} The parameters are "
                f"{', '.join(VOCABULARY)}; extra={{...}} passes other fields through."
            )
        if value is None:
            continue
        try:
            values[name] = extra_fields(value) if name == "extra" else checked(name, value)
        except ValueError as exc:
            raise ConfigurationError(
                f"{named}: {_with_period(str(exc))} Nothing was sent."
            ) from None
    return values


def check_options(options: ProviderOptions) -> None:
    """Validate the options of a provider.

    Raises
    ------
    ConfigurationError
        One of them has an invalid value.
    """
    check_numbers(
        timeout_s=options.timeout_s,
        deadline_s=options.deadline_s,
        max_attempts=options.max_attempts,
        context_window=options.context_window,
    )
    check_count("max_attempts", options.max_attempts)
    if options.context_window is not None:
        check_count("context_window", options.context_window)
    flag("strict", options.strict)


def check_given_options(options: Mapping[str, Any]) -> None:
    """Validate those options of a provider that are given, without a provider.

    Raises
    ------
    ConfigurationError
        One of them has an invalid value.
    """
    known = {name: value for name, value in options.items() if value is not None}
    check_options(ProviderOptions(model="", **{k: v for k, v in known.items() if k in _OF_CALLS}))
    limits(**{name: value for name, value in known.items() if name in _LIMITS})
    if "headers" in known:
        header_pairs(known["headers"])
    for name in ("base_url", "api", "api_key"):
        if not isinstance(known.get(name, ""), str | Secret):
            raise ConfigurationError(f"{name} must be a string, got {type(known[name]).__name__}.")


def limits(**given: float | None) -> Limits | None:
    """Rate limits of the caller or the service; None when there are none."""
    check_numbers(**given)
    for name, value in given.items():
        if value is not None and value < 1:
            raise ConfigurationError(f"{name} must be >= 1, got {value!r}.")
    return Limits(**given) if any(given.values()) else None


def header_pairs(headers: Mapping[Any, Any]) -> tuple[tuple[str, str | Secret], ...]:
    """Return valid headers, sorted by name; error messages never contain their values."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError("headers must be a mapping of strings to strings.")
    for name, value in headers.items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"headers: {name!r} is not a valid header name.")
        if not isinstance(value, str | Secret) or not re.fullmatch(r"[\t -~]*", reveal(value)):
            raise ConfigurationError(
                f"headers: the value of {name!r} must be one line of ASCII text."
            )
    return tuple(sorted(Headers(headers).items(), key=itemgetter(0)))


def check_count(name: str, value: Any) -> None:
    """Raise unless a value is an integer >= 1; `check_numbers` has refused what is not positive."""
    if value is None or value != value // 1:  # None, a fraction or infinity
        raise ConfigurationError(f"{name} must be an integer >= 1, got {value!r}.")


def _with_period(text: str) -> str:
    return text if text.endswith("?") else f"{text.rstrip('.')}."


def flag(name: str, value: object) -> bool:
    """Return a bool; raise for anything else, since any non-empty string is true in Python."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, got {value!r}.")
    return value


def check_numbers(**numbers: object) -> None:
    """Raise unless all values that are set are positive numbers."""
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ConfigurationError(f"{name} must be a positive number, got {value!r}.")
