"""``%allos doctor``: what is set up, what is not, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from allos.runs.doctor import Report

_FLAGS = ("--online",)


def run(args: tuple[str, ...]) -> Report:
    """Check the setup; with ``--online`` also each service that has a key, without a prompt.

    Parameters
    ----------
    args : tuple of str
        What follows ``%allos doctor``.

    Raises
    ------
    ConfigurationError
        An argument other than ``--online``.
    """
    from allos.runs.doctor import doctor

    for word in args:
        if word not in _FLAGS:
            raise ConfigurationError(
                f"Unknown argument {word!r}.{did_you_mean(word, _FLAGS)} "
                "%allos doctor --online also checks each service that has a key."
            )
    return doctor(online="--online" in args)
