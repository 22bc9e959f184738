"""What a caller gives to a provider, checked: one clear line for what cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allos.engine.limits import Limits
from allos.errors import ConfigurationError, did_you_mean
from allos.options import ProviderOptions
from allos.wire.parameters import VOCABULARY, checked, extra_fields


def parameters(named: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that can be sent, the unset ones left out.

    Parameters
    ----------
    named : str
        ``provider/model``, for the message.
    params : mapping

    Raises
    ------
    ConfigurationError
        One of them is not known, or has a value that cannot be meant.
    """
    values: dict[str, Any] = {}
    for name, value in params.items():
        if name not in VOCABULARY and name != "extra":
            raise ConfigurationError(
                f"{named} does not take {name!r}."
                f"{did_you_mean(name, VOCABULARY)} The parameters are "
                f"{', '.join(VOCABULARY)}; extra={{...}} passes anything else through."
            )
        if value is None:
            continue
        try:
            values[name] = extra_fields(value) if name == "extra" else checked(name, value)
        except ValueError as exc:
            raise ConfigurationError(f"{named}: {_sentence(str(exc))} Nothing was sent.") from None
    return values


def check_options(options: ProviderOptions) -> None:
    """Refuse options of a provider that are not valid.

    Raises
    ------
    ConfigurationError
        One of them has a value of the wrong kind.
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


def limits(**given: float | None) -> Limits | None:
    """Limits that the caller or the row sets; None when there are none."""
    check_numbers(**given)
    for name, value in given.items():
        if value is not None and value < 1:
            raise ConfigurationError(f"{name} must be at least 1, not {value!r}.")
    return Limits(**given) if any(given.values()) else None


def header_pairs(headers: Mapping[Any, Any]) -> tuple[tuple[str, str], ...]:
    """Headers in order, once they can be sent; the values are never shown."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError("headers must map names to texts.")
    for name, value in headers.items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"headers: {name!r} is no name of a header.")
        if not isinstance(value, str) or not re.fullmatch(r"[\t -~]*", value):
            raise ConfigurationError(
                f"headers: the value of {name!r} must be one line of ASCII text."
            )
    return tuple(sorted(headers.items()))


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number."""
    if value is None or value != value // 1:  # neither nothing, a fraction nor infinity
        raise ConfigurationError(f"{name} must be a whole number, not {value!r}.")


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text.rstrip('.')}."


def flag(name: str, value: object) -> bool:
    """Return a truth value; refuse anything else, since any text is true in Python."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}.")
    return value


def check_numbers(**numbers: object) -> None:
    """Refuse what is set and no positive number."""
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ConfigurationError(f"{name} must be a positive number, not {value!r}.")
