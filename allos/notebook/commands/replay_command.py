"""``%allos replay``: open, close and prune a replay file, or show its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.errors import ConfigurationError
from allos.session import replay

if TYPE_CHECKING:
    from allos.replaying.replay import Replay


def run(args: tuple[str, ...]) -> Replay | str | None:
    """Open a replay file (FILE, then a mode), close it (off), prune it, or return it.

    Raises
    ------
    ConfigurationError
        Words that are none of these.
    ReplayError
        The file cannot be used.
    """
    *rest, last = args or ("",)
    if not last:
        return replay()
    if args == ("off",):
        replay(mode="off")
    elif args == ("prune",):
        count = replay().prune()
        return f"Removed {count} recorded answer{'' if count == 1 else 's'}."
    elif args in (("replay",), ("record",), ("strict",)):
        raise ConfigurationError(
            f"%allos replay {last} needs a file before the mode: %allos replay FILE.jsonl {last}."
        )
    elif len(args) == 1:
        replay(last)
    elif len(rest) == 1:
        replay(rest[0], last)  # type: ignore[arg-type]  # checked there
    else:
        raise ConfigurationError(
            "%allos replay takes a file and a mode, such as %allos replay FILE.jsonl strict."
        )
    return None
