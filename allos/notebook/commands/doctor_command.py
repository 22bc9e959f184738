"""``%allos doctor``: what is set up, what is not, and the one line that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from allos.runs.doctor import Report

_FLAGS = ("--online",)


def run(words: tuple[str, ...]) -> Report:
    """Look at everything; with ``--online`` ask the services as well, without a prompt.

    Parameters
    ----------
    words : tuple of str
        What follows ``%allos doctor``.

    Raises
    ------
    ConfigurationError
        A word that is not ``--online``.
    """
    from allos.runs.doctor import doctor

    for word in words:
        if word not in _FLAGS:
            raise ConfigurationError(
                f"%allos doctor does not know {word!r}.{did_you_mean(word, _FLAGS)} "
                "%allos doctor --online also asks each service that has a key."
            )
    return doctor(online="--online" in words)
