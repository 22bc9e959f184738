"""Errors that a cell shows as one line."""

from __future__ import annotations

from allos.errors import AllosError


def without_traceback(exc: AllosError) -> AllosError:
    """Return the error, set up so that IPython shows its message alone; the cell still fails."""
    from allos.render.answer import error_text

    # The message may quote a server, and a terminal would interpret escape sequences in it.
    text = " ".join(line.strip() for line in error_text(str(exc)).splitlines())
    exc._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]  # IPython's protocol
    return exc.with_traceback(None)
