"""``%allos local install`` and ``%allos local status``: the embedded model, without a terminal."""

from __future__ import annotations

import sys


def run(args: tuple[str, ...]) -> str | None:
    """Install the missing parts of the embedded model, or say which there are.

    Parameters
    ----------
    args : tuple of str
        ``("install",)`` or ``("status",)``.

    Raises
    ------
    ConfigurationError
        The message says what failed; no partial files are left.
    """
    from allos.local import install

    if args == ("status",):
        lines, _ = install.status()
        return "\n".join(lines)
    install.install(report=_say)
    return None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
