"""``to_html`` of comparisons: the board as one file, for people who have neither kernel nor key."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from allos.errors import ConfigurationError
from allos.render.comparison_page import comparison_page
from allos.render.comparison_table import bare_comparison_html
from allos.runs.board_messages.source import BoardSource
from allos.runs.board_messages.updates import BoardUpdates
from allos.version import __version__


def write_html(
    comparison: BoardSource, path: str | Path | None = None, *, title: str | None = None
) -> str | Path:
    """One page that holds a comparison, as a text or written to a file.

    Parameters
    ----------
    comparison : BoardSource
        It has ended.
    path : str or pathlib.Path, optional
        Replaced if it exists.
    title : str, optional
        Heading of the page; by default how many models were compared.

    Returns
    -------
    str or pathlib.Path
        The page; the file, where a path is given.

    Raises
    ------
    ConfigurationError
        The title is no string, or the file cannot be written.
    """
    if title is not None and not isinstance(title, str):
        raise ConfigurationError(f"to_html(): title must be a string, got {title!r:.80}.")
    view = comparison.view()
    snapshot = BoardUpdates(comparison, defer_over=sys.maxsize).snapshot()
    models = len({column.name for column in view.columns})
    answers = len(view.cells)
    now = datetime.now(UTC)
    page = comparison_page(
        title=title or f"{models} model{'' if models == 1 else 's'} compared",
        note=(
            f"{answers:,} answer{'' if answers == 1 else 's'}. Saved on {now.day} {now:%B %Y, %H:%M} UTC "
            f"with allos {__version__}. This page is complete: it loads nothing."
        ),
        table=bare_comparison_html(view),
        data={"snapshot": {**snapshot, "can_run": False, "table_class": "", "notice": ""}},
    )
    if path is None:
        return page
    target = Path(path).expanduser()
    try:
        target.write_bytes(page.encode())  # the policy's hashes hold for these line ends
    except OSError as exc:
        raise ConfigurationError(f"{target} was not written: {exc.strerror or exc}.") from None
    return target
