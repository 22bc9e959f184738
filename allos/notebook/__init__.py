"""The notebook: magics, painting, display of responses. The only room that knows IPython."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load", "unload"]

_OLDEST = (7, 34)
"""The oldest IPython that it works in: Colab's."""

_loaded: dict[int, Any] = {}


def load(shell: Any) -> None:
    """Register magics and display formatters in a shell; all of them, or none.

    Raises
    ------
    ConfigurationError
        An IPython that is too old.
    """
    if id(shell) in _loaded:
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
    """Remove everything that `load` registered."""
    if id(shell) in _loaded:
        _unregister(shell)


def _register(shell: Any) -> None:
    from allos.notebook import cell_provenance, cell_runs, completion, display, tool_approval
    from allos.notebook.magics import AllosMagics
    from allos.session import current_session

    magics = _loaded[id(shell)] = AllosMagics(shell)
    shell.register_magics(magics)
    display.register(shell)
    cell_provenance.register(shell)
    cell_runs.register()
    tool_approval.register()
    completion.register(shell)
    current_session().open_log_on_first_call()


def _unregister(shell: Any) -> None:
    """Take back whatever of `_register` was done."""
    from allos.notebook import cell_provenance, cell_runs, completion, display, tool_approval
    from allos.session import current_session

    magics = _loaded.pop(id(shell), None)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("allos", None)
    shell.magics_manager.registry.pop("AllosMagics", None)
    if magics is not None:
        if magics in shell.configurables:
            shell.configurables.remove(magics)
        magics.forget()
    display.unregister(shell)
    cell_provenance.unregister(shell)
    cell_runs.unregister()
    tool_approval.unregister()
    completion.unregister(shell)
    current_session().log.opens_on_first_call = False


def _check_version() -> None:
    import IPython

    if IPython.version_info >= _OLDEST:
        return
    from allos.errors import ConfigurationError
    from allos.notebook.cell import one_line

    oldest = ".".join(map(str, _OLDEST))
    raise one_line(
        ConfigurationError(
            f"allos needs IPython {oldest} or newer; this is {IPython.__version__}. "
            f"Nothing was loaded. Run: pip install 'ipython>={oldest}', and restart the kernel."
        )
    )


def _open_replay() -> None:
    # Now, and not with the first call: a provider may be made before it, without a key.
    from allos.errors import AllosError
    from allos.notebook.cell import one_line
    from allos.session import current_session

    try:
        current_session().open_configured_replay()
    except AllosError as exc:
        error = exc
    else:
        return
    raise one_line(error) from None
