"""Sub-commands of ``%allos``: each is imported when it is first used."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.errors import ConfigurationError
from allos.notebook.magic_help import HELP

if TYPE_CHECKING:
    from allos.notebook.display import Display


class Sentence(str):
    """Text that is shown without quotes where it is the value of a cell."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class _Command(NamedTuple):
    """Where a sub-command is."""

    module: str
    function: str = "run"
    takes_arguments: bool = True
    shows: bool = False
    """Whether it is given the shell's display formatters as well."""
    hint: str = ""
    """What to do instead of giving it arguments."""


_COMMANDS = {
    "providers": _Command("providers_command", "providers"),
    "models": _Command("providers_command", "models"),
    "log": _Command("log_command", "log"),
    "last": _Command("log_command", "last", takes_arguments=False, shows=True),
    "show": _Command("log_command", "show", shows=True),
    "spent": _Command("log_command", "spent"),
    "summary": _Command("analysis_command", "summary"),
    "cost": _Command("analysis_command", "cost"),
    "search": _Command("analysis_command", "search"),
    "rank": _Command("analysis_command", "rank"),
    "chats": _Command("chats_command"),
    "batches": _Command("batches_command", takes_arguments=False),
    "config": _Command(
        "session_command",
        "config",
        takes_arguments=False,
        hint=" allos.configure(NAME=...) changes a setting.",
    ),
    "replay": _Command("replay_command"),
    "stop": _Command("session_command", "stop", takes_arguments=False),
    "key": _Command("key_command"),
    "doctor": _Command("doctor_command"),
}
_LOCAL = _Command("local_command")
"""Of ``local install`` and ``local status``; else the word is a provider."""


def run(name: str, args: tuple[str, ...], display: Display | None = None) -> Any:
    """Run a sub-command and return the value of the cell.

    Parameters
    ----------
    name : str
        One of `names`, or ``local``.
    args : tuple of str
        What follows it in the line.
    display : Display or None
        The shell's display formatters; None outside a shell.

    Raises
    ------
    ConfigurationError
        Wrong arguments.
    """
    if name == "help":
        sys.stdout.write(HELP)
        return None
    if name in ("compare", "batch"):
        words = "PROVIDER/MODEL PROVIDER/MODEL" if name == "compare" else "DATA PROVIDER/MODEL"
        raise ConfigurationError(
            f"{name} is a cell magic: %%allos {name} {words}, and the prompt in "
            f"the lines below. In Python, use allos.{name}. Nothing was sent."
        )
    command = _LOCAL if name == "local" else _COMMANDS[name]
    if args and not command.takes_arguments:
        raise ConfigurationError(
            f"%allos {name} takes no arguments, got {args[0]!r}.{command.hint}"
        )
    module = importlib.import_module(f"allos.notebook.commands.{command.module}")
    function = getattr(module, command.function)
    value = function(args, display) if command.shows else function(args)
    return Sentence(value) if isinstance(value, str) else value


def names() -> list[str]:
    """All sub-commands."""
    return [*_COMMANDS, "help"]
