"""``to_html`` of comparisons: the board as one file, for people who have neither kernel nor key."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allos import log
from allos.errors import ConfigurationError, LogError
from allos.ids import new_id
from allos.log.feedback import newest_ratings
from allos.render.arrangement import arrange
from allos.render.blind import blind_view
from allos.render.comparison_columns import models_in_words
from allos.render.comparison_page import comparison_page
from allos.render.comparison_table import bare_comparison_html
from allos.runs.blind_study import make_study
from allos.runs.board_messages.source import BoardSource
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.board_messages.vote_messages import ranking
from allos.version import __version__


def write_html(
    comparison: BoardSource,
    path: str | Path | None = None,
    *,
    title: str | None = None,
    blind: bool | None = None,
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
    blind : bool, optional
        Whether it asks for votes; by default as the comparison is.

    Returns
    -------
    str or pathlib.Path
        The page; the file, where a path is given.

    Raises
    ------
    ConfigurationError
        An argument is not valid, the file cannot be written, or there is nothing to vote on.
    """
    if title is not None and not isinstance(title, str):
        raise ConfigurationError(f"to_html(): title must be a string, got {title!r:.80}.")
    if path is not None and not isinstance(path, str | os.PathLike):
        raise ConfigurationError(f"to_html(): path must be a file's path, got {path!r:.80}.")
    is_blind = comparison.is_blind if blind is None else bool(blind)
    page = _page(comparison, title, is_blind=is_blind)
    if path is None:
        return page
    target = Path(path).expanduser()
    try:
        target.write_bytes(page.encode())  # the policy's hashes hold for these line ends
    except OSError as exc:
        raise ConfigurationError(f"{target} was not written: {exc.strerror or exc}.") from None
    return target


def _page(comparison: BoardSource, title: str | None, *, is_blind: bool) -> str:
    named: Any = _Named(comparison, is_blind=is_blind)
    _read_ratings(comparison)
    snapshot = BoardUpdates(named, defer_over=sys.maxsize).snapshot()
    data: dict[str, Any] = {
        "snapshot": {**snapshot, "can_run": False, "table_class": "", "notice": ""}
    }
    data["snapshot"]["variables"] = []  # to arrange it anew takes a kernel
    if is_blind:
        data["study"] = make_study(named, f"page_{new_id()}", comparison.rubric)
        view = blind_view(comparison.named_view())
    else:
        data["snapshot"]["ranking"] = ranking(named)
        view = arrange(comparison.named_view(), named.arrangement)
    answers = len(view.cells)
    now = datetime.now(UTC)
    return comparison_page(
        title=title or f"{_models(comparison, is_arranged=named.arrangement is not None)} compared",
        note=(
            f"{answers:,} answer{'' if answers == 1 else 's'}. Saved on {now.day} {now:%B %Y, %H:%M} UTC "
            f"with allos {__version__}. This page is complete: it loads nothing."
        ),
        table=bare_comparison_html(view),
        data=data,
        is_sealed=is_blind,
    )


def _read_ratings(comparison: BoardSource) -> None:
    """Take over what people say of the answers in the log now: it may have been said elsewhere."""
    if not log.is_open():
        return
    try:
        known = newest_ratings()
    except LogError:
        return  # the page shows what the comparison knows
    is_logged = comparison.layout().logged
    for cell in comparison.cells:
        response = cell.snapshot().response
        if response is not None and response.id is not None:
            # Rows of another log may have ratings that this one does not know.
            cell.rating = known.get(response.id, None if is_logged else cell.rating)


def _models(comparison: BoardSource, *, is_arranged: bool) -> str:
    names = [column.name for column in comparison.columns]
    # Arranged, it has other columns than were asked.
    return models_in_words(list(dict.fromkeys(names)) if is_arranged else names)


class _Named:
    """A comparison as it is while it is not blind; for a page that asks for votes as it was asked."""

    is_blind = False

    def __init__(self, comparison: BoardSource, *, is_blind: bool) -> None:
        self._comparison = comparison
        self.arrangement = None if is_blind else comparison.arrangement

    def __getattr__(self, name: str) -> Any:
        return getattr(self._comparison, name)
