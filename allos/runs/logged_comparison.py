"""`allos.comparison`: a comparison of the log, read back and shown as its board."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from allos.errors import ConfigurationError, did_you_mean
from allos.log.query import responses
from allos.render.comparison_view import ComparisonView
from allos.render.logged_rows import records, response_of
from allos.response import ProviderResponse
from allos.runs.finished import FinishedComparison

if TYPE_CHECKING:
    import pandas as pd

_PREFIX = "cmp_"
_SUGGESTED = 3


class LoggedComparison(FinishedComparison):
    """Logged rows side by side; returned by `comparison` and `board`.

    In a notebook it shows the board, on which answers can be searched, compared and read; nothing
    can be run again.

    Attributes
    ----------
    id : str
        ``cmp_`` and a ULID.
    frame : pandas.DataFrame
        One row per response, with the log's columns.
    """

    def __init__(self, frame: pd.DataFrame, view: ComparisonView) -> None:
        super().__init__(view)
        self.frame = frame

    @cached_property
    def responses(self) -> list[ProviderResponse]:
        """One response for each row, as far as the log keeps it."""
        return [response_of(row) for row in records(self.frame)]

    def __repr__(self) -> str:
        count = len(self.frame)
        return f"LoggedComparison({self.id!r}, {count} response{'' if count == 1 else 's'})"


def comparison(id: str) -> LoggedComparison:
    """Comparison of the log, by its id; shows its board. Nothing is sent.

    Parameters
    ----------
    id : str
        As a board or a table shows it: ``cmp_`` and 26 characters, or its first ones where they are
        unique.

    Returns
    -------
    LoggedComparison

    Raises
    ------
    ConfigurationError
        The log has no such comparison, or several that begin so; the message names some.
    LogError
        The log is off or cannot be read.

    Examples
    --------
    ::

        both = allos.compare("Explain gravity.", models=["local/smollm2", "groq/openai/gpt-oss-20b"])
        allos.comparison(both.id)  # also in another notebook, next week
    """
    value: object = id
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(
            f"comparison() needs the id of a comparison, such as 'cmp_01KAN3...', got {value!r:.80}"
        )
    wanted = value.strip()
    frame = responses(comparison_id=wanted)
    if not len(frame):
        frame = responses(comparison_id=_full_id(wanted))
    return LoggedComparison(frame, ComparisonView.from_frame(frame))


def _full_id(beginning: str) -> str:
    """Return the one id that begins so."""
    known = list(responses(columns="comparison_id")["comparison_id"].dropna().unique())
    found = [each for each in known if each.startswith(beginning)]
    if len(found) == 1 and len(beginning) > len(_PREFIX):
        return str(found[0])
    if not known:
        raise ConfigurationError("The log has no comparison.")
    if len(found) > 1:
        raise ConfigurationError(
            f"{len(found)} comparisons of the log begin with {beginning!r}: "
            f"{', '.join(found[-_SUGGESTED:])}."
        )
    newest = ", ".join(reversed(known[-_SUGGESTED:]))
    raise ConfigurationError(
        f"The log has no comparison {beginning!r:.80}.{did_you_mean(beginning, known)} Newest: {newest}."
    )


def find_response(id: str) -> pd.DataFrame | None:
    """Row of a response by its id, as a frame; None where the log has none."""
    from allos.log.query import rows_by_id

    if id.startswith(_PREFIX):
        return None
    frame = rows_by_id([id])
    return frame if len(frame) else None
