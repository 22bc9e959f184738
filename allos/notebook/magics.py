"""The magics ``%allos`` and ``%%allos``, and the traits of ``%config AllosMagics``.

What they need is imported by the first cell that uses them, so that loading the extension is fast.
"""

from __future__ import annotations

from typing import Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import CaselessStrEnum, Float, Int, Unicode, observe, validate

from allos.notebook.display import Display
from allos.notebook.magic_help import HELP
from allos.notebook.session_hooks import SessionHooks

_SETTINGS = (
    "model",
    "temperature",
    "max_tokens",
    "log",
    "raw_days",
    "replay",
    "replay_mode",
    "budget_usd",
    "refresh_hz",
)


@magics_class
class AllosMagics(Magics):
    """The magics of allos. A trait that is None does not override other settings: ``%allos config``."""

    model = Unicode(
        None, allow_none=True, help="Model of cells without one, as provider/model."
    ).tag(config=True)
    temperature = Float(None, allow_none=True, help="Temperature of cells without one.").tag(
        config=True
    )
    max_tokens = Int(
        None, allow_none=True, help="Maximum tokens of answers, for cells without one."
    ).tag(config=True)
    log = Unicode(None, allow_none=True, help="Path of the log, or off.").tag(config=True)
    raw_days = Float(
        None,
        allow_none=True,
        help="Days that the log keeps requests and replies as they were sent.",
    ).tag(config=True)
    replay = Unicode(None, allow_none=True, help="Path of the replay file.").tag(config=True)
    replay_mode = CaselessStrEnum(
        ("replay", "record", "strict", "off"),
        None,
        allow_none=True,
        help="replay asks on a miss, record always asks, strict fails on a miss.",
    ).tag(config=True)
    budget_usd = Float(
        None,
        allow_none=True,
        help="US dollars that this kernel may spend; calls that could exceed it are not sent.",
    ).tag(config=True)
    refresh_hz = Float(
        None, allow_none=True, help="Maximum updates per second of a streaming answer."
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._display = Display(shell)
        self._session_hooks = SessionHooks()
        values = {name: value for name in _SETTINGS if (value := getattr(self, name)) is not None}
        if values:
            _configure(values)

    def register(self) -> None:
        """Add the magics and the display formatters to the shell, and listen to sessions."""
        self.shell.register_magics(self)
        self._display.register()
        self._session_hooks.register()

    def unregister(self) -> None:
        """Remove the magics, the display formatters and the settings made here."""
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("allos", None)
        self.shell.magics_manager.registry.pop(type(self).__name__, None)
        if self in self.shell.configurables:
            self.shell.configurables.remove(self)
        names = [name for name in _SETTINGS if getattr(self, name) is not None]
        if names:
            _configure(dict.fromkeys(names))
        self._display.unregister()
        self._session_hooks.unregister()

    @validate(*_SETTINGS)
    def _validate_setting(self, proposal: dict[str, Any]) -> Any:
        if proposal["value"] is None:
            return None
        from allos.errors import ConfigurationError
        from allos.notebook.tracebacks import without_traceback
        from allos.session import check_setting

        try:
            return check_setting(proposal["trait"].name, proposal["value"])
        except ConfigurationError as exc:
            error = without_traceback(exc)
        raise error

    @observe(*_SETTINGS)
    def _apply_setting(self, change: dict[str, Any]) -> None:
        _configure({change["name"]: change["new"]})

    @no_var_expand
    @needs_local_scope
    @line_cell_magic("allos")
    def allos(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Ask a language model; the text of `magic_help` takes the place of this one."""
        from allos.errors import Interrupted

        try:
            from allos.notebook.cell import run

            return run(self.shell, self._display, line, cell, local_ns or {})
        except Interrupted:
            raise
        except KeyboardInterrupt:  # while modules were loaded, or at a question
            error = Interrupted("Interrupted before a call was sent.")
        raise error from None

    allos.__doc__ = HELP


def _configure(changes: dict[str, Any]) -> None:
    from allos.session import configure

    configure(**changes)
