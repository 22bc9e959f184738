"""Errors in a cell: of a magic one line, of a call in Python the user's own lines and the message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import AllosError
from allos.notebook.cell_provenance import parent_of
from allos.notebook.front_end import is_interactive
from allos.notebook.word_breaks import break_at_words

if TYPE_CHECKING:
    from types import TracebackType

_HOOK = "_render_traceback_"
"""IPython's protocol: what an exception shows of itself."""
_HAS_RULE = "_has_rule_before"
"""Attribute of an error: the answer before it, which broke off, brings the rule for its lines."""
_CELL = "_shown_in_cell"
"""Attribute of an error: the request that ran the cell which shows it."""


def without_traceback(exc: AllosError) -> AllosError:
    """Return the error, set up so that IPython shows its message alone; the cell still fails."""
    text = _message(exc)
    setattr(exc, _HOOK, lambda: _broken_at_words(exc, [text]))
    return exc.with_traceback(None)


def has_rule(error: AllosError) -> None:
    """Note that the output before this error breaks its lines at words."""
    setattr(error, _HAS_RULE, True)


def shorten_all() -> None:
    """Let IPython show errors of Python calls without our frames; ``%xmode Verbose`` shows all."""
    setattr(AllosError, _HOOK, lambda error: _broken_at_words(error, _lines(error)))


def restore_all() -> None:
    """Undo `shorten_all`."""
    if _HOOK in vars(AllosError):
        delattr(AllosError, _HOOK)


def _broken_at_words(error: AllosError, lines: list[str]) -> list[str]:
    """Return the lines; in a page they get a rule before them, else JupyterLab breaks inside words."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if is_interactive(shell) and not hasattr(error, _HAS_RULE):
        # IPython asks once to show the error, and once more to keep it in its history.
        cell = parent_of(shell)["header"]["msg_id"]
        if vars(error).get(_CELL) != cell:
            setattr(error, _CELL, cell)
            break_at_words(shell)
    return lines


def _lines(error: AllosError) -> list[str]:
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    own = _own_part(error.__traceback__)
    if own is None or shell.InteractiveTB.mode != "Context":
        return list(
            shell.InteractiveTB.structured_traceback(
                type(error), error, error.__traceback__, tb_offset=1
            )
        )
    if all(_is_cell(shell, frame) for frame in own):
        return [f"{_line_of(own[-1])}{_message(error)}"]
    return list(
        shell.InteractiveTB.structured_traceback(type(error), error, _chain(own), tb_offset=0)
    )


def _message(error: AllosError) -> str:
    from allos.render.answer import error_text

    # The message may quote a server, and a terminal would interpret escape sequences in it.
    return " ".join(line.strip() for line in error_text(str(error)).splitlines())


def _own_part(traceback: TracebackType | None) -> list[TracebackType] | None:
    """Frames of the user up to the call of allos; None where there is more to tell than the message.

    There is more when the user's code called itself no function of allos, or was called back.
    """
    import sysconfig

    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    # What runs a cell, and magics such as %%time around the user's own lines.
    ipython = _folder("IPython")
    frames = [frame for frame in frames if not _is_in(frame, ipython)]
    ours = _folder("allos")
    start = next((at for at, frame in enumerate(frames) if _is_in(frame, ours)), 0)
    libraries = [sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")]
    inner = frames[start:]
    if not start or not all(_is_in(frame, ours, *libraries) for frame in inner):
        return None
    return frames[:start]


def _folder(package: str) -> str:
    return str(Path(str(sys.modules[package].__file__)).parent)


def _is_in(frame: TracebackType, *folders: str) -> bool:
    name = frame.tb_frame.f_code.co_filename
    path = Path(name)
    return name.startswith("<frozen ") or any(path.is_relative_to(folder) for folder in folders)


def _is_cell(shell: Any, frame: TracebackType) -> bool:
    """Whether a frame is the cell itself, not a function of a cell or a file."""
    code = frame.tb_frame
    name = code.f_code.co_name  # IPython 7.34: <cell line: 1>
    is_top = name == "<module>" or name.startswith("<cell line:")
    return code.f_globals is shell.user_global_ns and is_top


def _line_of(frame: TracebackType) -> str:
    """Which line of the cell it is, unless it has only one."""
    import linecache

    source = [
        line for line in linecache.getlines(frame.tb_frame.f_code.co_filename) if line.strip()
    ]
    return f"Line {frame.tb_lineno}: " if len(source) > 1 else ""


def _chain(frames: list[TracebackType]) -> TracebackType | None:
    """Traceback of these frames alone."""
    from types import TracebackType as Link

    chain: TracebackType | None = None
    for each in reversed(frames):
        chain = Link(chain, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return chain
