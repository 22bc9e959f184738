"""`allos.board`: any logged rows side by side, or several runs of the same prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.ids import new_id
from allos.render.comparison_runs import side_by_side
from allos.render.comparison_view import ComparisonView
from allos.runs.comparison import Comparison
from allos.runs.logged_comparison import LoggedComparison, comparison

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("provider", "model", "content")


def board(
    *runs: pd.DataFrame | LoggedComparison | Comparison | str,
    rows: str | Iterable[str] | None = None,
    columns: str | Iterable[str] | None = None,
    colour: str | None = None,
) -> LoggedComparison:
    """Board of logged rows; in a notebook they stand side by side. Nothing is sent.

    Parameters
    ----------
    *runs : DataFrame, comparison or str
        Rows with the log's columns, as `allos.responses` returns them; a comparison; or the id of one.
        Of several, equal prompts share a row, what has changed most first, and the runs of a model
        stand next to each other.
    rows, columns : str or iterable of str, optional
        Variables that are rows and columns: ``model``, a parameter, a name of the data. By default models
        with their parameters are columns and prompts are rows; see `LoggedComparison.arrange`.
    colour : str, optional
        The variable that colours stand for; by default ``model``.

    Returns
    -------
    LoggedComparison
        Each model with each set of parameters is a column, each prompt a row; equal calls are repeats.

    Raises
    ------
    ConfigurationError
        Nothing to show, a frame without the log's columns, or a name that is not a variable.

    Examples
    --------
    ::

        df = allos.responses(since="1d")
        allos.board(df[df["prompt"].str.contains("gravity")])
        allos.board("cmp_01KAN3...", "cmp_01KAP7...")  # last week's beside today's
        allos.board(df, columns="temperature", rows="model")
    """
    if not runs:
        raise ConfigurationError(
            "board() needs rows of the log: allos.board(allos.responses(since='1d'))."
        )
    frames = [_frame_of(run) for run in runs]
    found = (
        _one(frames[0])
        if len(frames) == 1
        else board_of_runs(dict(zip(_labels(runs), frames, strict=True)))
    )
    return found.arrange(rows=rows, columns=columns, colour=colour)


def board_of_runs(runs: Mapping[str, pd.DataFrame]) -> LoggedComparison:
    """Board of several runs by their labels; see `board`."""
    import pandas as pd

    frame = pd.concat(runs.values(), ignore_index=True)
    which = [label for label, rows in runs.items() for _ in range(len(rows))]
    view = ComparisonView.from_rows(frame, _new_id(), runs=which)
    return LoggedComparison(frame, side_by_side(view))


def _one(frame: pd.DataFrame) -> LoggedComparison:
    ids = set(frame["comparison_id"].dropna()) if "comparison_id" in frame else set()
    if len(ids) == 1 and frame["comparison_id"].notna().all():
        return LoggedComparison(frame, ComparisonView.from_frame(frame))
    return LoggedComparison(frame, ComparisonView.from_rows(frame, _new_id()))


def _new_id() -> str:
    return f"board_{new_id()}"


def _frame_of(run: Any) -> pd.DataFrame:
    if isinstance(run, str):
        return comparison(run).frame
    if isinstance(run, LoggedComparison | Comparison):
        return run.frame
    missing = [name for name in _NEEDED if name not in getattr(run, "columns", ())]
    if missing:
        raise ConfigurationError(
            "board() needs rows of the log, a comparison or its id; "
            + (
                f"this frame has no column {', '.join(map(repr, missing))}."
                if hasattr(run, "columns")
                else f"got {run!r:.80}."
            )
        )
    if not len(run):
        raise ConfigurationError("board() got a frame without rows.")
    frame: pd.DataFrame = run
    return frame


def _labels(runs: Any) -> list[str]:
    """Label of each run: the end of its id, which tells ids of one day apart; numbers where that fails."""
    ids = [run if isinstance(run, str) else getattr(run, "id", None) for run in runs]
    labels = [f"…{id[-4:]}" for id in ids if isinstance(id, str)]
    if len(set(labels)) == len(runs):
        return labels
    return [f"run {number}" for number in range(1, len(runs) + 1)]
