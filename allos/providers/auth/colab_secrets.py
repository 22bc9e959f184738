"""Keys from the secrets of a Colab notebook, by the names of the services' variables.

Reading a secret asks the page, which may ask the person, and waits for as long as nobody answers.
So it is done for a service that is called, and for each name once; lists and the doctor go by what
is known.
"""

from __future__ import annotations

import importlib.util
import threading

from allos.providers.auth import endpoints
from allos.secret import Secret

_read: dict[str, Secret | None] = {}
"""What was said to each name that was asked for; None: not there, or not for this notebook.

Written by the main thread alone.
"""


def is_available() -> bool:
    """Whether this is a Colab notebook."""
    try:
        return importlib.util.find_spec("google.colab") is not None
    except (ImportError, ValueError):
        return False


def ask(names: tuple[str, ...]) -> None:
    """Ask for the secrets of these names in order, until one is there.

    The answer comes over the kernel's own input, which the main thread alone may read: on any other
    nothing is asked.

    Raises
    ------
    ConfigurationError
        What the secret holds cannot be a key.
    """
    if threading.current_thread() is not threading.main_thread() or not is_available():
        return
    from google.colab import userdata

    for name in names:
        if name not in _read:
            try:
                value = userdata.get(name)
            except Exception:  # noqa: BLE001 - not there, not allowed, or no answer
                value = None
            _read[name] = None
            if isinstance(value, str):
                _read[name] = endpoints.checked_key(Secret(value), f"Colab's secret {name}")
        if _read[name] is not None:
            return


def known(names: tuple[str, ...]) -> Secret | None:
    """Return the key among the secrets that were asked for, if there is one."""
    return next((secret for name in names if (secret := _read.get(name)) is not None), None)


def were_asked(names: tuple[str, ...]) -> bool:
    """Whether it is known what these names hold."""
    return known(names) is not None or all(name in _read for name in names)


def forget(names: tuple[str, ...]) -> None:
    """Let the next call ask again: a secret may have been added or changed."""
    for name in names:
        _read.pop(name, None)
