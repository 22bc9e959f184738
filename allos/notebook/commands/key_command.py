"""``%allos key``: set, forget and list keys without a key ever standing in a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.providers.auth import key_store
from allos.providers.catalog import services

if TYPE_CHECKING:
    import pandas as pd

_FLAGS = ("--forget", "--session", "--base-url")
_USE = (
    "%allos key PROVIDER asks for a key; --session keeps it out of the keyring, --forget removes it, "
    "--base-url URL says which host it is for."
)


def run(words: tuple[str, ...]) -> Any:
    """Set or forget the key of one service; without a service, show where each key is.

    Parameters
    ----------
    words : tuple of str
        What follows ``%allos key``.

    Raises
    ------
    ConfigurationError
        A wrong word, or nobody who can be asked. It never repeats what could be a key.
    """
    flags, names, base_url = _read(words)
    if not names and not flags and base_url is None:
        return table()
    if len(names) != 1:
        raise ConfigurationError(
            "A key does not belong on the line: the history and the notebook would keep it. Delete "
            f"the cell and write only %allos key {_known(names)}; it asks for the key."
            if names
            else _USE
        )
    if names[0] not in {*services.names(), *services.retired()}:  # it may be a key
        raise ConfigurationError(
            f"%allos key needs a provider's name.{did_you_mean(names[0].lower(), services.names())} "
            "%allos providers lists them all."
        )
    if "--forget" in flags:
        if "--session" in flags:
            raise ConfigurationError("--forget and --session do not go together: leave one out.")
        return key_store.forget_key(names[0], base_url=base_url)
    return key_store.set_key(names[0], base_url=base_url, remember="--session" not in flags)


def table() -> pd.DataFrame:
    """Return where the key of each service is found, one row for each service that has one.

    Returns
    -------
    pandas.DataFrame
        Index `provider`; `found_in` is a variable's name, ``process``, ``keyring`` or ``colab``.
    """
    import pandas as pd

    found = {
        service.name: place
        for service in services.every()
        if (place := key_store.where(service)) is not None
    }
    index = pd.Index(list(found), name="provider", dtype=text_dtype())
    return pd.DataFrame({"found_in": pd.Series(found, index=index, dtype=text_dtype())})


def _read(words: tuple[str, ...]) -> tuple[set[str], list[str], str | None]:
    flags: set[str] = set()
    names: list[str] = []
    base_url: str | None = None
    rest = iter(words)
    for word in rest:
        name, is_given, value = word.partition("=")
        if name == "--base-url":
            base_url = value if is_given else next(rest, None)
            if not base_url:
                raise ConfigurationError("--base-url needs an address. " + _USE)
        elif word in _FLAGS:
            flags.add(word)
        elif name.startswith("--") and not is_given and len(name) < 20:
            raise ConfigurationError(
                f"%allos key does not know {name!r}.{did_you_mean(name, _FLAGS)} {_USE}"
            )
        else:
            names.append(word)
    return flags, names, base_url


def _known(words: list[str]) -> str:
    """Name of a service among words of which one may be a key."""
    return next((word for word in words if word in services.names()), "PROVIDER")
