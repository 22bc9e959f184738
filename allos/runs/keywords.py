"""Keywords that a function does not have, answered with the nearest that it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from allos.errors import ConfigurationError, did_you_mean
from allos.secret import seal_secrets

P = ParamSpec("P")
R = TypeVar("R")


def checked_keywords(*more: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a wrong call of a public function one line, in place of a `TypeError` or of many failed calls.

    Parameters
    ----------
    *more : str
        Names that its ``**`` takes beside its own.

    Examples
    --------
    >>> @checked_keywords()
    ... def add(one, *, other=1):
    ...     return one + other
    >>> add(1, othre=2)
    Traceback (most recent call last):
    allos.errors.ConfigurationError: add(): unknown parameter 'othre'. Did you mean 'other'? Nothing was sent.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        known = [*keyword_names(function), *more]

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            seal_secrets(kwargs)  # a traceback may show variables
            check_names(function.__name__, kwargs, known)
            try:
                signature.bind(*args, **kwargs)
            except TypeError as exc:
                raise ConfigurationError(
                    f"{function.__name__}(): {exc}. Nothing was sent."
                ) from None
            return function(*args, **kwargs)

        return checked

    return decorate


def keyword_names(function: Callable[..., object]) -> list[str]:
    """Names of the parameters of a function that may be given by name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind in kinds]


def check_names(function: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse the first name that is not known.

    Raises
    ------
    ConfigurationError
        It names the nearest one.
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{function}(): unknown parameter {name!r}.{did_you_mean(name, known)} Nothing was sent."
            )
