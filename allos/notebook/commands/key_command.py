"""``%allos key``: set, forget and list keys without writing one into a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.providers.auth import key_store
from allos.providers.catalog import services

if TYPE_CHECKING:
    import pandas as pd

_FLAGS = ("--forget", "--session", "--base-url")
_USAGE = (
    "%allos key PROVIDER asks for a key; --session keeps it out of the keyring, --forget removes it, "
    "--base-url URL names the host it is for."
)


def run(args: tuple[str, ...]) -> Any:
    """Set or forget the key of one service; without a service, list where each key was found.

    Parameters
    ----------
    args : tuple of str
        What follows ``%allos key``.

    Raises
    ------
    ConfigurationError
        A wrong argument, or nobody can be asked. The message never repeats what could be a key.
    """
    flags, names, base_url = _parse(args)
    if not names and not flags and base_url is None:
        return table()
    if len(names) != 1:
        raise ConfigurationError(
            "Do not write a key into a cell: it would be saved in the history and the notebook. Delete "
            f"the cell and use %allos key {_provider_name(names)}; it asks for the key."
            if names
            else _USAGE
        )
    if names[0] not in {
        *services.names(),
        *services.retired_services(),
    }:  # not repeated: it may be a key
        raise ConfigurationError(
            f"%allos key needs a provider name.{services.suggestion(names[0])} "
            "%allos providers lists them all."
        )
    if "--forget" in flags:
        if "--session" in flags:
            raise ConfigurationError("--forget and --session cannot be combined; use one.")
        return key_store.forget_key(names[0], base_url=base_url)
    return key_store.set_key(names[0], base_url=base_url, remember="--session" not in flags)


def table() -> pd.DataFrame:
    """Return where each key was found, one row for each service that has one.

    Returns
    -------
    pandas.DataFrame
        Index `provider`; `found_in` is a variable's name, ``process``, ``keyring`` or ``colab``.
    """
    import pandas as pd

    found = {
        service.name: origin
        for service in services.all_services()
        if (origin := key_store.source_of(service)) is not None
    }
    index = pd.Index(list(found), name="provider", dtype=text_dtype())
    return pd.DataFrame({"found_in": pd.Series(found, index=index, dtype=text_dtype())})


def _parse(args: tuple[str, ...]) -> tuple[set[str], list[str], str | None]:
    flags: set[str] = set()
    names: list[str] = []
    base_url: str | None = None
    rest = iter(args)
    for word in rest:
        name, equals, value = word.partition("=")
        if name == "--base-url":
            base_url = value if equals else next(rest, None)
            if not base_url:
                raise ConfigurationError("--base-url needs a URL. " + _USAGE)
        elif word in _FLAGS:
            flags.add(word)
        elif name.startswith("--") and not equals and len(name) < 20:
            raise ConfigurationError(
                f"Unknown argument {name!r}.{did_you_mean(name, _FLAGS)} {_USAGE}"
            )
        else:
            names.append(word)
    return flags, names, base_url


def _provider_name(args: list[str]) -> str:
    """Name of a service among arguments, one of which may be a key."""
    return next((word for word in args if word in services.names()), "PROVIDER")
