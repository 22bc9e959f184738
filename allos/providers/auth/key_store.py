"""API keys that a user sets: in the session, in the system's keyring, in Colab's secrets.

They are looked up in this order, after ``api_key=`` and the environment. Each is stored under an
account (`endpoints.account`) that names the host it was set for, and is never found for another one.

The `keyring` package is only imported when no key was found before. Colab's secrets are only read for
a service that is called, never for a list: see `colab_secrets`.
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

from allos import _process
from allos.errors import AuthenticationError, ConfigurationError, ProviderError
from allos.providers.auth import colab_secrets, endpoints
from allos.providers.auth.endpoints import StoredKey
from allos.providers.catalog import services
from allos.providers.catalog.service import Service
from allos.secret import Secret

SERVICE = "allos"
"""Service name of our entries in the keyring; the user name is the account."""

_keyring_cache: dict[str, Secret | None] = {}
"""Process-wide cache: the keyring is queried once per account; None: it has no key."""
_warned_about_keyring = False  # process-wide: the warning is shown once
_lock = threading.RLock()  # process-wide; guards the cache of the keyring and its warning


class Environment(Mapping[str, str]):
    """The current environment variables; their values are not in the repr.

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
    """Where a service's API key is stored. Never contains the key."""

    provider: str
    account: str
    """The service, and the host where it is not the service's own."""
    source: str | None
    """Source that a call would use: a variable's name, ``"process"``, ``"keyring"``, ``"colab"`` or None."""
    message: str
    """What was done, as a sentence."""

    def __repr__(self) -> str:
        return self.message


def _session_keys() -> dict[str, Secret]:
    """Keys that were set for the current session, by account."""
    keys: dict[str, Secret] = _process.current_session().keys
    return keys


def find_key(service: Service, account: str) -> StoredKey | None:
    """Return the key stored for an account, for a call; see `endpoints.KeyLookup`.

    Warns once of a keyring that does not work, where the service needs a key.
    """
    if found := _find_local_key(service, account):
        return found
    if account == service.name:
        colab_secrets.request(service.key_env)
    return _find_colab_secret(service, account)


def find_cached_key(service: Service, account: str) -> StoredKey | None:
    """Like `find_key`, but without querying the keyring or Colab, so it returns at once."""
    if key := _session_keys().get(account):
        return StoredKey(key, "process")
    if found := _keyring_cache.get(account):
        return StoredKey(found, "keyring")
    return _find_colab_secret(service, account)


def _find_local_key(service: Service, account: str) -> StoredKey | None:
    """Return the key from the session or the keyring."""
    if key := _session_keys().get(account):
        return StoredKey(key, "process")
    if (
        not service.key_env
    ):  # the service needs no key; one that was set nevertheless was found above
        return None
    found = _from_keyring(account, warn=service.key_required)
    return StoredKey(found, "keyring") if found else None


def _find_colab_secret(service: Service, account: str) -> StoredKey | None:
    """Return the key from the secrets already read; they belong to the service's own host."""
    secret = colab_secrets.known(service.key_env) if account == service.name else None
    return StoredKey(secret, "colab") if secret else None


def _find_key_without_colab(service: Service, account: str) -> StoredKey | None:
    """Like `find_key`, for lists of many services: reads no further secret of Colab."""
    return _find_local_key(service, account) or _find_colab_secret(service, account)


def set_key(
    provider: str,
    value: str | Secret | None = None,
    *,
    base_url: str | None = None,
    remember: bool = True,
) -> KeyInfo:
    """Set a service's API key for this process, and store it in the system's keyring if there is one.

    The key is bound to the current host: the service's own, that of ``<NAME>_BASE_URL``, or that of
    `base_url`. It is never sent to another one.

    Parameters
    ----------
    provider : str
        The service's name.
    value : str or None
        The API key. None prompts for it without showing the input, so that it is in no cell, no
        history and no file.
    base_url : str or None
        Base URL of another host that the key is for.
    remember : bool
        Also store it in the keyring, if the `keyring` package is installed
        (``pip install 'allos-jupyter[keyring]'``). False: only for this process.

    Returns
    -------
    KeyInfo
        Where the key is stored; not the key.

    Raises
    ------
    ConfigurationError
        Unknown service, no key, or no way to prompt for one.

    Examples
    --------
    >>> set_key("groq", "gsk-example", remember=False)
    'groq': the key is set for this process.
    >>> forget_key("groq").source is None
    True
    """
    if isinstance(value, str):  # first: a traceback shows the arguments of its frames
        value = Secret(value)
    service = services.find(provider)
    env = Environment()
    account = endpoints.account(service, base_url=base_url, env=env)
    key = endpoints.checked_key(
        _prompt_for_key(account) if value is None else value, f"the key of {provider!r}"
    )
    if key is None:
        raise ConfigurationError(f"No key was given for {provider!r}; nothing was changed.")
    _session_keys()[account] = key
    where = "for this process"
    if remember:
        where += _save_in_keyring(account, key)
    message = f"{account!r}: the key is set {where}."
    if variable := _overriding_variable(service, account, env):
        message += f" {variable} in the environment takes precedence."
    return KeyInfo(service.name, account, variable or "process", message)


def forget_key(provider: str, *, base_url: str | None = None) -> KeyInfo:
    """Delete a stored API key, from this process and from the keyring.

    Parameters
    ----------
    provider : str
        The service's name.
    base_url : str or None
        Base URL of the host that the key was for, as in `set_key`.

    Returns
    -------
    KeyInfo
        What a call would use now: an environment variable stays.

    Examples
    --------
    >>> forget_key("groq")
    'groq': no key was stored.
    """
    service = services.find(provider)
    env = Environment()
    account = endpoints.account(service, base_url=base_url, env=env)
    places = ["this process"] if _session_keys().pop(account, None) is not None else []
    with _lock:
        _keyring_cache.pop(account, None)
        if _delete_from_keyring(account):
            places.append("the keyring")
        _keyring_cache[account] = None
    colab_secrets.forget(service.key_env)
    message = (
        f"{account!r}: the key is deleted from {' and '.join(places)}."
        if places
        else f"{account!r}: no key was stored."
    )
    variable = _overriding_variable(service, account, env)
    if variable:
        message += f" {variable} is still set in the environment."
    return KeyInfo(service.name, account, variable, message)


def source_of(service: Service) -> str | None:
    """Where a call without `api_key` would find its key; None: nowhere. Never raises.

    Does not read a secret of Colab that no call has read yet.

    Examples
    --------
    >>> source_of(services.find("ollama")) is None
    True
    """
    if service.embedded:
        return None
    try:
        endpoint = endpoints.resolve(service, env=Environment(), find_key=_find_key_without_colab)
    except ConfigurationError:
        return None
    return None if endpoint.placeholder else endpoint.key_source


def advise(error: ProviderError, service: Service, source: str) -> str | None:
    """Return the next step for a key that was not accepted; None for any other error.

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
            None  # a valid key without permission: another key of the same account would not help
        )
    if source == "placeholder":
        return f"No key was sent: run %allos key {service.name}, or pass api_key=."
    places = {"process": "%allos key", "keyring": "the keyring", "colab": "Colab's secrets"}
    ways = f"%allos key {service.name} sets another one"
    if source in service.key_env:
        ways = "correct it there, or pass api_key="
    return f"The key came from {places.get(source, source)}: {ways}."


def is_set(service: Service) -> bool | None:
    """Whether a service's key is found anywhere. Never raises.

    None when it needs none, and where it may be a secret of Colab that no call has read yet.

    Examples
    --------
    >>> is_set(services.find("ollama")) is None
    True
    """
    if not service.key_env:
        return None
    if any(os.environ.get(name, "").strip() for name in service.key_env):
        return True
    if source_of(service) is not None:
        return True
    unread = colab_secrets.is_available() and not colab_secrets.were_requested(service.key_env)
    return None if unread else False


# ---- the prompt ----------------------------------------------------------------------------------


def _prompt_for_key(account: str) -> Secret:
    """Prompt for a key without showing the input."""
    import getpass

    # Kernels replace getpass by their own prompt; the standard one needs a terminal, and would read a
    # key from a pipe and show it.
    is_standard = getattr(getpass.getpass, "__module__", None) == "getpass"
    if is_standard and not (sys.stdin is not None and sys.stdin.isatty()):
        raise ConfigurationError(_no_prompt_message(account))
    try:
        return Secret(getpass.getpass(f"Type the key of {account} (hidden): "))
    except (EOFError, NotImplementedError):
        pass
    except Exception as exc:
        if (
            type(exc).__name__ != "StdinNotImplementedError"
        ):  # ipykernel's, when the front end has no input
            raise
    raise ConfigurationError(_no_prompt_message(account))


def _no_prompt_message(account: str) -> str:
    name = account.partition("@")[0]
    variable = next(iter(services.find(name).key_env), None)
    ways = [f"set {variable} in the environment"] if variable else []
    ways.append(f"call allos.set_key({name!r}, value)")
    return f"Cannot prompt for the key of {account!r} here: {', or '.join(ways)}."


def _overriding_variable(service: Service, account: str, env: Environment) -> str | None:
    """Return the environment variable that takes precedence over a stored key."""
    if account != endpoints.account(service, env=env):  # bound to another host than the current one
        return None
    return next((name for name in service.key_env if env.get(name, "").strip()), None)


# ---- the keyring ------------------------------------------------------------------------------


def keyring_backend() -> tuple[str | None, str | None]:
    """Return the keyring's name and its error; None and None where the package is missing."""
    if importlib.util.find_spec("keyring") is None:
        return None, None
    try:
        import keyring

        used = keyring.get_keyring()
    except Exception as exc:  # noqa: BLE001 - backends are third-party code
        return None, _error_name(exc)
    if type(used).__module__ == "keyring.backends.fail":
        return None, "no usable keyring backend was found"
    return str(getattr(used, "name", type(used).__name__)), None


def _from_keyring(account: str, *, warn: bool) -> Secret | None:
    with _lock:
        if account in _keyring_cache:
            return _keyring_cache[account]
        value = _query_keyring(lambda keyring: keyring.get_password(SERVICE, account), warn=warn)
        key = endpoints.checked_key(value, "the keyring") if isinstance(value, Secret) else None
        _keyring_cache[account] = key
        return key


def _save_in_keyring(account: str, key: Secret) -> str:
    if importlib.util.find_spec("keyring") is None:
        return " only: the keyring package is not installed (pip install 'allos-jupyter[keyring]')"
    with _lock:
        _keyring_cache.pop(account, None)
        try:
            import keyring

            keyring.set_password(SERVICE, account, key.reveal())
            stored = keyring.get_password(SERVICE, account)
        except Exception as exc:  # noqa: BLE001 - backends are third-party code
            return f" only: the keyring did not store it ({_error_name(exc)})"
        if stored is None:  # the null backend accepts everything and stores nothing
            return " only: this machine has no keyring"
        _keyring_cache[account] = key
    return " and stored in the keyring"


def _delete_from_keyring(account: str) -> bool:
    if _query_keyring(lambda keyring: keyring.get_password(SERVICE, account), warn=True) is None:
        return False
    try:
        import keyring

        keyring.delete_password(SERVICE, account)
    except Exception as exc:  # noqa: BLE001 - backends are third-party code
        raise ConfigurationError(
            f"The keyring could not delete the key of {account!r} ({_error_name(exc)})."
        ) from None
    return True


def _query_keyring(query: Callable[[Any], str | None], *, warn: bool) -> Secret | None:
    """Query the keyring; None where it is missing, empty or broken."""
    global _warned_about_keyring
    if importlib.util.find_spec("keyring") is None:
        return None
    try:
        import keyring

        found = query(keyring)
        return Secret(found) if isinstance(found, str) else None
    except Exception as exc:  # noqa: BLE001 - backends are third-party code
        # Servers usually have no backend: that is not worth a warning.
        if type(exc).__name__ == "NoKeyringError" or not warn or _warned_about_keyring:
            return None
        _warned_about_keyring = True
        text = (
            f"The keyring is not available ({_error_name(exc)}); other sources of keys still work. "
            "Run %allos doctor for details."
        )
    warnings.warn(text, UserWarning, stacklevel=2)
    return None


def _error_name(exc: Exception) -> str:
    """Class name of an error; its message is left out, for it may contain anything."""
    return type(exc).__name__


def _renew_lock_after_fork() -> None:
    # Another thread may have held the lock when the process was copied.
    global _lock
    _lock = threading.RLock()


_process.on_fork(after_in_child=_renew_lock_after_fork)
