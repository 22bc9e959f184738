"""Keys that a person sets: for this process, in the keyring of the computer, in Colab's secrets.

They are asked for after ``api_key=`` and the environment, in this order. Each is kept under an account
(`endpoints.account`) that names the host it was set for, and is never found for another one.

The `keyring` package is imported when a key is looked for and not found before, never earlier.
Colab's secrets are asked for a service that is called, never for a list: see `colab_secrets`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from allos.errors import AuthenticationError, ConfigurationError, ProviderError
from allos.providers.auth import colab_secrets, endpoints
from allos.providers.auth.endpoints import StoredKey
from allos.providers.catalog import services
from allos.providers.catalog.service import Service
from allos.secret import Secret

SERVICE = "allos"
"""Service name of our entries in the keyring; the user name is the account."""

_held: dict[str, Secret] = {}
_found: dict[str, Secret | None] = {}
"""What the keyring said, so that it is asked once for each account; None: it has none."""
_warned = False
_lock = threading.RLock()  # guards: the keyring is asked once, and warns once


class Environment(Mapping[str, str]):
    """The environment as it is now; shows how much it holds, never what.

    A verbose traceback shows the variables of our frames, and `os.environ` would show every key.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def __repr__(self) -> str:
        return f"<{len(self)} variables, not shown>"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Where a service's key is. Never holds the key."""

    provider: str
    account: str
    """The service, and the host where it is not the service's own."""
    source: str | None
    """What a call would use: a variable's name, ``"process"``, ``"keyring"``, ``"colab"``, or None."""
    said: str
    """What was done, as a sentence."""

    def __repr__(self) -> str:
        return self.said


def look(service: Service, account: str) -> StoredKey | None:
    """Look for a key that was set for this account, for a call; see `endpoints.KeyLookup`.

    A keyring that does not work is one warning where the service needs a key, else nothing.
    """
    if found := _look_here(service, account):
        return found
    if account == service.name:
        colab_secrets.ask(service.key_env)
    return _known_secret(service, account)


def cached_look(service: Service, account: str) -> StoredKey | None:
    """Like `look`, by what is known already: nobody is asked, so it takes no time."""
    if held := _held.get(account):
        return StoredKey(held, "process")
    if found := _found.get(account):
        return StoredKey(found, "keyring")
    return _known_secret(service, account)


def _look_here(service: Service, account: str) -> StoredKey | None:
    """Look in this process and in the keyring."""
    if held := _held.get(account):
        return StoredKey(held, "process")
    if not service.key_env:  # it takes no key; one that was set all the same was found above
        return None
    found = _from_keyring(account, warn=service.key_required)
    return StoredKey(found, "keyring") if found else None


def _known_secret(service: Service, account: str) -> StoredKey | None:
    """Look at what Colab told; its secrets belong to the service's own host."""
    secret = colab_secrets.known(service.key_env) if account == service.name else None
    return StoredKey(secret, "colab") if secret else None


def _look_without_colab(service: Service, account: str) -> StoredKey | None:
    """Like `look`, for lists of many services: Colab tells what it told before."""
    return _look_here(service, account) or _known_secret(service, account)


def set_key(
    provider: str,
    value: str | Secret | None = None,
    *,
    base_url: str | None = None,
    remember: bool = True,
) -> KeyInfo:
    """Set a service's key: for this process, and in the computer's keyring where there is one.

    The key is bound to the host in force now: the service's own, or that of ``<NAME>_BASE_URL``, or
    of `base_url`. It is never sent to another one.

    Parameters
    ----------
    provider : str
        The service's name.
    value : str or None
        The key. None asks for it without showing what is typed, so that it stands in no cell, no
        history and no file.
    base_url : str or None
        Another host that the key is for.
    remember : bool
        Also keep it in the keyring, if the `keyring` package is installed
        (``pip install 'allos-jupyter[keyring]'``). False keeps it for this process alone.

    Returns
    -------
    KeyInfo
        Where the key is kept; not the key.

    Raises
    ------
    ConfigurationError
        An unknown service, no key, or nobody who can be asked.

    Examples
    --------
    >>> set_key("groq", "gsk-example", remember=False)
    'groq': the key is set for this process.
    >>> forget_key("groq").source is None
    True
    """
    if isinstance(value, str):  # first of all: a traceback shows the arguments of its frames
        value = Secret(value)
    service = services.find(provider)
    env = Environment()
    account = endpoints.account(service, base_url=base_url, env=env)
    key = endpoints.checked_key(
        _asked(account) if value is None else value, f"the key of {provider!r}"
    )
    if key is None:
        raise ConfigurationError(f"No key was given for {provider!r}; nothing was changed.")
    _held[account] = key
    where = "for this process"
    if remember:
        where += _remember(account, key)
    said = f"{account!r}: the key is set {where}."
    if variable := _variable(service, account, env):
        said += f" {variable} in the environment goes before it."
    return KeyInfo(service.name, account, variable or "process", said)


def forget_key(provider: str, *, base_url: str | None = None) -> KeyInfo:
    """Forget a key that was set, in this process and in the keyring.

    Parameters
    ----------
    provider : str
        The service's name.
    base_url : str or None
        The host that the key was for, as in `set_key`.

    Returns
    -------
    KeyInfo
        What a call would use now: a variable of the environment stays.

    Examples
    --------
    >>> forget_key("groq")
    'groq': there was no key to forget.
    """
    service = services.find(provider)
    env = Environment()
    account = endpoints.account(service, base_url=base_url, env=env)
    places = ["this process"] if _held.pop(account, None) is not None else []
    with _lock:
        _found.pop(account, None)
        if _forgotten_by_keyring(account):
            places.append("the keyring")
        _found[account] = None
    colab_secrets.forget(service.key_env)
    said = (
        f"{account!r}: the key is forgotten in {' and '.join(places)}."
        if places
        else f"{account!r}: there was no key to forget."
    )
    variable = _variable(service, account, env)
    if variable:
        said += f" {variable} is still set in the environment."
    return KeyInfo(service.name, account, variable, said)


def where(service: Service) -> str | None:
    """Where a call without `api_key` would find its key; None: nowhere. Never raises.

    Colab is not asked for a secret that no call has asked for yet.

    Examples
    --------
    >>> where(services.find("ollama")) is None
    True
    """
    if service.embedded:
        return None
    try:
        endpoint = endpoints.resolve(service, env=Environment(), look=_look_without_colab)
    except ConfigurationError:
        return None
    return None if endpoint.placeholder else endpoint.key_source


def advise(error: ProviderError, service: Service, source: str) -> str | None:
    """Return what to do about a key that was not accepted; None for any other error.

    Parameters
    ----------
    error : ProviderError
    service : Service
    source : str
        Where the key came from, the endpoint's `key_source`.
    """
    if not isinstance(error, AuthenticationError) or source in ("argument", "embedded"):
        return None
    if error.status_code == 403:
        return (
            None  # the key is known, but may not do this: another one of the same account neither
        )
    if source == "placeholder":
        return f"No key was sent: run %allos key {service.name}, or pass api_key=."
    places = {"process": "%allos key", "keyring": "the keyring", "colab": "Colab's secrets"}
    ways = f"%allos key {service.name} sets another one"
    if source in service.key_env:
        ways = "correct it there, or pass api_key="
    return f"The key came from {places.get(source, source)}: {ways}."


def is_set(service: Service) -> bool | None:
    """Whether a service's key is there, in whatever place. Never raises.

    None when it takes none, and where it may be a secret of Colab that no call has asked for yet.

    Examples
    --------
    >>> is_set(services.find("ollama")) is None
    True
    """
    if not service.key_env:
        return None
    if any(os.environ.get(name, "").strip() for name in service.key_env):
        return True
    if where(service) is not None:
        return True
    unasked = colab_secrets.is_available() and not colab_secrets.were_asked(service.key_env)
    return None if unasked else False


# ---- asking ----------------------------------------------------------------------------------


def _asked(account: str) -> Secret:
    """Ask for a key without showing it."""
    import getpass

    # Kernels put their own prompt in the place of getpass; the standard one needs a terminal, and
    # would read a key from a pipe and show it.
    own = getattr(getpass.getpass, "__module__", None) == "getpass"
    if own and not (sys.stdin is not None and sys.stdin.isatty()):
        raise ConfigurationError(_nobody(account))
    try:
        return Secret(getpass.getpass(f"Key for {account} (not shown): "))
    except (EOFError, NotImplementedError):
        pass
    except Exception as exc:
        if type(exc).__name__ != "StdinNotImplementedError":  # ipykernel's, when nobody can answer
            raise
    raise ConfigurationError(_nobody(account))


def _nobody(account: str) -> str:
    name = account.partition("@")[0]
    variable = next(iter(services.find(name).key_env), None)
    ways = [f"set {variable} in the environment"] if variable else []
    ways.append(f"call allos.set_key({name!r}, value)")
    return f"Nobody can be asked for the key of {account!r} here: {', or '.join(ways)}."


def _variable(service: Service, account: str, env: Environment) -> str | None:
    """Return the environment's variable that is used before a key that was set."""
    if account != endpoints.account(
        service, env=env
    ):  # bound to another host than the one in force
        return None
    return next((name for name in service.key_env if env.get(name, "").strip()), None)


# ---- the keyring ------------------------------------------------------------------------------


def backend() -> tuple[str | None, str | None]:
    """Return the keyring's name and what is wrong with it; None and None where there is none."""
    if importlib.util.find_spec("keyring") is None:
        return None, None
    try:
        import keyring

        used = keyring.get_keyring()
    except Exception as exc:  # noqa: BLE001 - backends are anybody's code
        return None, _fault(exc)
    if type(used).__module__ == "keyring.backends.fail":
        return None, "no keyring of this computer can be used"
    return str(getattr(used, "name", type(used).__name__)), None


def _from_keyring(account: str, *, warn: bool) -> Secret | None:
    with _lock:
        if account in _found:
            return _found[account]
        value = _call(lambda keyring: keyring.get_password(SERVICE, account), warn=warn)
        key = endpoints.checked_key(value, "the keyring") if isinstance(value, Secret) else None
        _found[account] = key
        return key


def _remember(account: str, key: Secret) -> str:
    if importlib.util.find_spec("keyring") is None:
        return (
            " alone and remembered nowhere: the keyring package is not installed "
            "(pip install 'allos-jupyter[keyring]')"
        )
    with _lock:
        _found.pop(account, None)
        try:
            import keyring

            keyring.set_password(SERVICE, account, key.reveal())
            kept = keyring.get_password(SERVICE, account)
        except Exception as exc:  # noqa: BLE001 - backends are anybody's code
            return f" alone: the keyring did not take it ({_fault(exc)})"
        if kept is None:  # the backend of a machine without a keyring takes all and keeps nothing
            return " alone: this machine has no keyring"
        _found[account] = key
    return " and remembered in the keyring"


def _forgotten_by_keyring(account: str) -> bool:
    if _call(lambda keyring: keyring.get_password(SERVICE, account), warn=True) is None:
        return False
    try:
        import keyring

        keyring.delete_password(SERVICE, account)
    except Exception as exc:  # noqa: BLE001 - backends are anybody's code
        raise ConfigurationError(
            f"The keyring still holds the key of {account!r}: it did not delete it ({_fault(exc)})."
        ) from None
    return True


def _call(ask: Callable[[Any], str | None], *, warn: bool) -> Secret | None:
    """Ask the keyring; one that is absent, empty or broken says None."""
    global _warned
    if importlib.util.find_spec("keyring") is None:
        return None
    try:
        import keyring

        found = ask(keyring)
        return Secret(found) if isinstance(found, str) else None
    except Exception as exc:  # noqa: BLE001 - backends are anybody's code
        # No backend at all is the rule on a server: then there is simply no key.
        if type(exc).__name__ == "NoKeyringError" or not warn or _warned:
            return None
        _warned = True
        text = (
            f"The keyring could not be asked ({_fault(exc)}); keys are looked for elsewhere. "
            "%allos doctor says more."
        )
    warnings.warn(text, UserWarning, stacklevel=2)
    return None


def _fault(exc: Exception) -> str:
    """Name a fault; its words are left out, for a backend may put anything into them."""
    return type(exc).__name__


def _forget_after_fork() -> None:
    # Another thread may have held the lock when the process was copied.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
