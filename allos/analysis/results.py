"""`ResultFrame`: what the functions of `allos.analysis` return, a DataFrame that has a table and a chart of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import pandas as pd
from pandas.plotting import PlotAccessor

P = ParamSpec("P")


class ResultPlot:
    """``result.plot()`` is the chart of the result; ``result.plot.bar()`` and all else is pandas' own."""

    def __init__(self, frame: ResultFrame) -> None:
        self._frame = frame

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Draw the chart of the result, or, with any argument, what ``DataFrame.plot`` draws.

        Returns
        -------
        altair.TopLevelMixin
            An Altair chart; its `rows` are those of the marks that are selected in it.

        Raises
        ------
        ConfigurationError
            Altair is not installed, or this result has no chart.
        """
        if args or options:
            return PlotAccessor(self._frame)(*args, **options)
        from allos import charts

        return charts.draw(self._frame, self._frame.result_of)

    def __getattr__(self, name: str) -> Any:
        return getattr(PlotAccessor(self._frame), name)


class ResultFrame(pd.DataFrame):
    """Result of a function of `allos.analysis`: a DataFrame with `plot`.

    Its first or last rows (`head`, `tail`) are one as well; any other part of it, a copy, and all that is
    computed of it is an ordinary DataFrame.

    Examples
    --------
    >>> from allos.analysis import score_summary
    >>> answers = pd.DataFrame({"model": ["a", "a"], "prompt": [1, 2], "score": [3.0, 5.0]})
    >>> result = score_summary(answers, score="score")
    >>> type(result).__name__, type(result[["model"]]).__name__
    ('ResultFrame', 'DataFrame')
    """

    _metadata = ["result_of"]  # noqa: RUF012 - pandas reads it: kept by pickle
    result_of: str
    """Name of the function."""

    def head(self, n: int = 5) -> ResultFrame:  # type: ignore[misc]  # final in the stubs alone
        """First rows, as a result."""
        return as_result(super().head(n), self.result_of)

    def tail(self, n: int = 5) -> ResultFrame:  # type: ignore[misc]
        """Last rows, as a result."""
        return as_result(super().tail(n), self.result_of)

    @property
    def plot(self) -> Any:
        """Chart of the result; see `ResultPlot`."""
        return ResultPlot(self)

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame


def returns_result(name: str) -> Callable[[Callable[P, pd.DataFrame]], Callable[P, ResultFrame]]:
    """Decorator of the function `name`: its frame comes as a `ResultFrame`.

    Parameters
    ----------
    name : str
    """

    def of(function: Callable[P, pd.DataFrame]) -> Callable[P, ResultFrame]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **options: P.kwargs) -> ResultFrame:
            return as_result(function(*args, **options), name)

        return wrapped

    return of


def as_result(frame: pd.DataFrame, name: str) -> ResultFrame:
    """Frame as the result of a function."""
    made = ResultFrame(frame)
    made.attrs = frame.attrs
    made.result_of = name
    return made
