"""Parameters and options of a model, checked once before its many calls."""

from __future__ import annotations

from allos.errors import ConfigurationError
from allos.options import CALL_OPTIONS, OVERRIDABLE_OPTIONS, PARAMETERS
from allos.providers.validation import check_given_options, flag, parameters
from allos.runs.grid import Column
from allos.runs.start import split_options

OPTIONS = tuple(dict.fromkeys((*CALL_OPTIONS, *OVERRIDABLE_OPTIONS)))
"""What the calls of a run may have beside the arguments of the function that starts it."""


def check_column(column: Column) -> None:
    """Refuse parameters and options with which every call of a column would fail.

    Raises
    ------
    ConfigurationError
        It names the first.
    """
    given = column.params
    unknown_too = {k: v for k, v in given.items() if k in PARAMETERS or k not in OPTIONS}
    parameters(column.name, unknown_too)
    if given.get("strict") is not None:
        flag("strict", given["strict"])
    try:
        options, _ = split_options(column.model, given)
        check_given_options(options)
    except ConfigurationError as exc:
        text = str(exc).rstrip(".")
        raise ConfigurationError(f"{column.name}: {text}. Nothing was sent.") from None
