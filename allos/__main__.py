"""The command line: ``python -m allos``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from allos import __version__
from allos.errors import AllosError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None takes those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 failed or not ready, 2 wrong usage, 130 interrupted.

    Examples
    --------
    >>> main(["local", "path"])                                          # doctest: +SKIP
    /home/me/.local/share/allos/models
    0
    """
    arguments = _parser().parse_args(argv)
    try:
        return _local(arguments.command)
    except AllosError as error:
        sys.stderr.write(f"allos: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("allos: interrupted; nothing half is left behind.\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m allos", description="Ask and compare language models in Jupyter."
    )
    parser.add_argument("--version", action="version", version=f"allos {__version__}")
    rooms = parser.add_subparsers(dest="room", required=True, metavar="local")
    local = rooms.add_parser("local", help="the embedded model")
    commands = local.add_subparsers(dest="command", required=True, metavar="{install,status,path}")
    commands.add_parser("install", help="bring llama.cpp and the default model")
    commands.add_parser("status", help="say what is there; exit code 1 when something is missing")
    commands.add_parser("path", help="print the folder of the model files")
    return parser


def _local(command: str) -> int:
    from allos.local import install, model_files

    if command == "path":
        _say(str(model_files.models_folder()))
        return 0
    if command == "status":
        lines, ready = install.status()
        for line in lines:
            _say(line)
        return 0 if ready else 1
    # A terminated installation tidies up like an interrupted one.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        install.install(say=_say)
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
