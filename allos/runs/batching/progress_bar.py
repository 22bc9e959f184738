"""The progress bar of a batch that somebody waits for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from allos.providers.pricing.estimates import usd
from allos.runs.batching.batch_counts import ColumnCounts

_TICK_S = 0.25


class Progress(Protocol):
    """What a bar shows."""

    def __len__(self) -> int: ...

    @property
    def answered(self) -> int:
        """Calls that have ended."""

    @property
    def counts(self) -> Sequence[ColumnCounts]:
        """By column."""


class ProgressBar:
    """A bar of tqdm on standard error, or nothing.

    Parameters
    ----------
    progress : Progress
    shown : bool or None
        None: in a terminal.
    """

    tick_s = _TICK_S

    def __init__(self, progress: Progress, *, shown: bool | None = None) -> None:
        self._progress = progress
        self._shown = _is_terminal() if shown is None else shown
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._shown:
            from tqdm.auto import tqdm

            # With `initial`, tqdm takes the speed from this run's calls alone.
            self._bar = tqdm(
                total=len(self._progress), initial=self._progress.answered, unit="call", leave=True
            )
        return self

    def update(self) -> None:
        """Draw what has changed."""
        if self._bar is None:
            return
        counts = self._progress.counts
        failed = sum(each.failed + each.not_sent for each in counts)
        cost = sum(each.cost_usd for each in counts)
        facts = ([f"{failed:,} failed"] if failed else []) + ([usd(cost)] if cost else [])
        self._bar.set_postfix_str(", ".join(facts), refresh=False)
        self._bar.update(self._progress.answered - self._bar.n)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
