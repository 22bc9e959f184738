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
        Command-line arguments; None: `sys.argv`.

    Returns
    -------
    int
        Exit code: 0 success, 1 failed or not ready, 2 usage error, 130 interrupted.

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
        sys.stderr.write("allos: interrupted; no partial files are left.\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m allos", description="Ask and compare language models in Jupyter."
    )
    parser.add_argument("--version", action="version", version=f"allos {__version__}")
    groups = parser.add_subparsers(dest="group", required=True, metavar="local")
    local = groups.add_parser("local", help="the embedded model")
    commands = local.add_subparsers(dest="command", required=True, metavar="{install,status,path}")
    commands.add_parser("install", help="install llama.cpp and the default model")
    commands.add_parser(
        "status", help="show what is installed; exit code 1 if something is missing"
    )
    commands.add_parser("path", help="print the folder of the model files")
    return parser


def _local(command: str) -> int:
    from allos.local import install, model_files

    if command == "path":
        _print_line(str(model_files.models_folder()))
        return 0
    if command == "status":
        lines, ready = install.status()
        for line in lines:
            _print_line(line)
        return 0 if ready else 1
    # On SIGTERM, clean up as on Ctrl-C.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        install.install(report=_print_line)
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
