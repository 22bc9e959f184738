"""API keys from the secrets of a Colab notebook, by the names of the services' environment variables.

Reading a secret sends a message to the page, which may ask the user for permission, and blocks until
they answer. So a secret is only read for a service that is called, and once per name; lists of
services and the doctor use what was read before.
"""

from __future__ import annotations

import importlib.util
import threading

from allos.providers.auth import endpoints
from allos.secret import Secret

_requested: dict[str, Secret | None] = {}
"""Process-wide cache: each requested secret by name; None: missing, or no access for this notebook.

Only written by the main thread.
"""


def is_available() -> bool:
    """Whether this is a Colab notebook."""
    try:
        return importlib.util.find_spec("google.colab") is not None
    except (ImportError, ValueError):
        return False


def request(names: tuple[str, ...]) -> None:
    """Read the secrets of these names in order, until one exists.

    The reply arrives on the kernel's input, which only the main thread may read: on any other thread
    this does nothing.

    Raises
    ------
    ConfigurationError
        The value of the secret is not a valid API key.
    """
    if threading.current_thread() is not threading.main_thread() or not is_available():
        return
    from google.colab import userdata

    for name in names:
        if name not in _requested:
            try:
                value = userdata.get(name)
            except Exception:  # noqa: BLE001 - missing, no access, or no reply
                value = None
            _requested[name] = None
            if isinstance(value, str):
                _requested[name] = endpoints.checked_key(Secret(value), f"Colab's secret {name}")
        if _requested[name] is not None:
            return


def known(names: tuple[str, ...]) -> Secret | None:
    """Return the key among the secrets that were read, if there is one."""
    return next((secret for name in names if (secret := _requested.get(name)) is not None), None)


def were_requested(names: tuple[str, ...]) -> bool:
    """Whether the values of these names are known."""
    return known(names) is not None or all(name in _requested for name in names)


def forget(names: tuple[str, ...]) -> None:
    """Let the next call read again: a secret may have been added or changed."""
    for name in names:
        _requested.pop(name, None)
