"""The notebook: magics, painting, display of responses. The only room that knows IPython."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load", "unload"]

_loaded: dict[int, Any] = {}


def load(shell: Any) -> None:
    """Register magics and display formatters in a shell."""
    from allos.notebook import cell_provenance, cell_runs, completion, display, tool_approval
    from allos.notebook.magics import AllosMagics
    from allos.session import current_session

    if id(shell) in _loaded:
        return
    magics = AllosMagics(shell)
    shell.register_magics(magics)
    display.register(shell)
    cell_provenance.register(shell)
    cell_runs.register()
    tool_approval.register()
    completion.register(shell)
    current_session().open_log_on_first_call()
    _loaded[id(shell)] = magics
    if os.environ.get("ALLOS_REPLAY"):
        _open_replay()


def unload(shell: Any) -> None:
    """Remove everything that `load` registered."""
    from allos.notebook import cell_provenance, cell_runs, completion, display, tool_approval

    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("allos", None)
    shell.magics_manager.registry.pop("AllosMagics", None)
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    magics.forget()
    display.unregister(shell)
    cell_provenance.unregister(shell)
    cell_runs.unregister()
    tool_approval.unregister()
    completion.unregister(shell)


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
