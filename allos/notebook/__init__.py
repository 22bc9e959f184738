"""The notebook: magics, live output, display of responses. The only layer that imports IPython."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load", "unload"]

_MIN_IPYTHON = (7, 34)
"""The lowest supported version of IPython: Colab's."""


def load(shell: Any) -> None:
    """Add magics and display formatters to a shell: all, or after an error none.

    The second time, nothing happens.

    Raises
    ------
    ConfigurationError
        IPython is too old.
    """
    if _magics(shell) is not None:
        return
    _check_version()
    try:
        _register(shell)
    except BaseException:
        _unregister(shell)
        raise
    if os.environ.get("ALLOS_REPLAY"):
        _open_replay()


def unload(shell: Any) -> None:
    """Remove everything that `load` has added."""
    if _magics(shell) is not None:
        _unregister(shell)


def _magics(shell: Any) -> Any:
    """Our magics in this shell; None while they are not loaded."""
    return shell.magics_manager.registry.get("AllosMagics")


def _register(shell: Any) -> None:
    from allos.notebook import cell_provenance, completion, tracebacks
    from allos.notebook.magics import AllosMagics

    tracebacks.shorten_all()
    AllosMagics(shell).register()
    cell_provenance.register(shell)
    completion.register(shell)


def _unregister(shell: Any) -> None:
    """Undo `_register`, also where only a part of it was done."""
    from allos.notebook import cell_provenance, completion, tracebacks

    tracebacks.restore_all()
    magics = _magics(shell)
    if magics is not None:
        magics.unregister()
    cell_provenance.unregister(shell)
    completion.unregister(shell)


def _check_version() -> None:
    import IPython

    if IPython.version_info >= _MIN_IPYTHON:
        return
    from allos.errors import ConfigurationError
    from allos.notebook.tracebacks import without_traceback

    version = ".".join(map(str, _MIN_IPYTHON))
    raise without_traceback(
        ConfigurationError(
            f"allos needs IPython >= {version}, got {IPython.__version__}. "
            f"Nothing was loaded. Run: pip install 'ipython>={version}', and restart the kernel."
        )
    )


def _open_replay() -> None:
    # Not with the first call: a provider may be constructed before it, without a key.
    from allos.errors import AllosError
    from allos.notebook.tracebacks import without_traceback
    from allos.session import current_session

    try:
        current_session().open_configured_replay()
    except AllosError as exc:
        error = exc
    else:
        return
    raise without_traceback(error) from None
