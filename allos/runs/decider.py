"""Looks at the scores of a batch as they come, and stops it once the best model is known.

Rows are asked in an order that is as good as random, a few at a time, and looked at in that order, not in
the order in which answers come: a model that answers easy rows sooner gets nothing from it.
"""

from __future__ import annotations

import contextvars
import math
import queue
import threading
from hashlib import blake2b
from typing import TYPE_CHECKING

from allos.analysis.frames import costs
from allos.analysis.separation import Separation
from allos.runs.batching.batch_frame import log_name
from allos.runs.batching.calls import Ended
from allos.runs.batching.column_labels import column_labels
from allos.runs.batching.live_batch import Batch, Pace
from allos.runs.decision import Decision, Lead
from allos.runs.score import score
from allos.scorers import Scorer

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.95
_FEWEST_AHEAD = 16
_AHEAD = 8
"""Rows that are asked before those before them are looked at: an eighth of what has been, or 16."""
_FEWEST_LOOKED_AT = 8
_LOOK = 16
"""Rows that are looked at together: a sixteenth of what has been, or 8. It saves time, and costs no call."""


class Decider:
    """The pace of a batch whose answers are scored until the best model is known.

    Parameters
    ----------
    scorer : Scorer
        What decides; its scores must be from 0 to 1.
    count_failures : bool
        As in `allos.score`.
    level : float
        One minus the chance of a false verdict.
    """

    def __init__(
        self, scorer: Scorer, *, count_failures: bool = False, level: float = LEVEL
    ) -> None:
        self.scorer = scorer
        self._count_failures = count_failures
        self._level = level
        self._arrived: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._decision: Decision | None = None
        self._rows = 0
        """How many rows were looked at."""

    def begin(self, batch: Batch) -> None:
        """Start the first rows; returns at once."""
        self._batch, self._plan = batch, batch.plan
        self._names = column_labels(batch.plan)
        self._order = _shuffled(batch.plan.row_keys)
        calls = len(self._names) * self._plan.grid.n
        self._left_of_row = [calls] * len(self._order)
        self._seen = bytearray(len(self._plan))
        self._test = Separation(len(self._names), self._level)
        batch.listen(self._arrived.put)
        self._start_ahead()
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._run,), name="allos-decide", daemon=True
        ).start()

    def leave(self) -> None:
        """Decide no more."""
        self._arrived.put(None)
        self._over.wait()

    def is_same(self, other: Pace) -> bool:
        """Whether the other one decides by the same scores."""
        return isinstance(other, Decider) and self._identity == other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        scorer = self.scorer
        return scorer.name, scorer.version, scorer.target, self._count_failures, self._level

    @property
    def decision(self) -> Decision:
        """What is known so far."""
        return self._decision or self._told(is_over=self._over.is_set())

    def wait(self) -> Decision:
        """The decision, once nothing more will be looked at."""
        self._over.wait()
        return self.decision

    # ---- its thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._decision = self._decide()
            if self._decision is not None and not self._decision.is_decided:
                self._batch.start_rows(self._order[self._rows :])
        except Exception as exc:  # noqa: BLE001 - a fault of ours must not leave a batch without its rows
            self._decision = self._told(f"{type(exc).__name__}: {exc}")
            self._batch.start_rows(self._order)
        finally:
            self._batch.unlisten(self._arrived.put)
            self._over.set()

    def _decide(self) -> Decision | None:
        """Look at rows until it is decided, or cannot be; None when it is to leave."""
        for position in self._batch.positions():
            self._note(position)
        while True:
            ready = self._ready()
            if ready and len(ready) >= self._enough:
                problem = self._look(ready)
                if problem is not None or self._test.best >= 0:
                    return self._told(problem)
                self._start_ahead()
            elif self._rows == len(self._order):
                return self._told()
            elif not self._wait():
                return None

    @property
    def _enough(self) -> int:
        """How many rows are worth a look."""
        wanted = max(_FEWEST_LOOKED_AT, self._rows // _LOOK)
        return min(wanted, len(self._order) - self._rows)

    def _wait(self) -> bool:
        """Wait for a call to end; False when nothing more is to be decided."""
        ended = self._arrived.get()
        while ended is not None:
            self._note(ended.position)
            try:
                ended = self._arrived.get_nowait()
            except queue.Empty:
                return self._batch.state != "cancelled"
        return False

    def _note(self, position: int) -> None:
        if not self._seen[position]:
            self._seen[position] = 1
            self._left_of_row[self._plan.parts(position)[0]] -= 1

    def _ready(self) -> list[int]:
        """The next rows of the order, as far as all their calls have ended."""
        last = self._rows
        while last < len(self._order) and not self._left_of_row[self._order[last]]:
            last += 1
        return self._order[self._rows : last]

    def _start_ahead(self) -> None:
        """Start the rows that may go before those before them are looked at."""
        ahead = max(_FEWEST_AHEAD, self._rows // _AHEAD)
        self._batch.start_rows(self._order[self._rows : self._rows + ahead])

    # ---- looking ------------------------------------------------------------------------------------

    def _look(self, rows: list[int]) -> str | None:
        """Add rows to the test, up to the one that decides; why it cannot be, where it cannot."""
        for scores in self._mean_scores(rows):
            known = [value for value in scores if value == value]
            if known and not 0 <= min(known) <= max(known) <= 1:
                return (
                    f"scores of {self.scorer.name} go outside 0 to 1 ({min(known):g} to {max(known):g}), "
                    "so every row is asked."
                )
            self._rows += 1
            self._test.add(scores)
            if self._test.best >= 0:
                break
        return None

    def _mean_scores(self, rows: list[int]) -> list[list[float]]:
        """Of each row the score of each model, repeats averaged; NaN where none is known."""
        import numpy as np

        plan = self._plan
        models, repeats = len(self._names), plan.grid.n
        positions = [
            plan.position(row, column, sample)
            for row in rows
            for column in range(models)
            for sample in range(repeats)
        ]
        frame = self._batch.frame_of(positions)
        found = score(frame, [self.scorer], count_failures=self._count_failures)
        values = found[self.scorer.name].to_numpy(dtype=float, na_value=np.nan)
        cells = values.reshape(len(rows), models, repeats)
        known = ~np.isnan(cells)
        with np.errstate(invalid="ignore"):
            means: np.ndarray = np.where(known, cells, 0).sum(axis=2) / known.sum(axis=2)
        return [list(map(float, row)) for row in means]

    # ---- what it says -------------------------------------------------------------------------------

    def _told(self, problem: str | None = None, *, is_over: bool = True) -> Decision:
        first, leads = self._leads()
        is_best = bool(leads) and all(lead.is_better for lead in leads)
        spared = self._batch.spare() if is_over and is_best else []
        return Decision(
            scorer=self.scorer.name,
            rows=self._rows,
            of_rows=len(self._order),
            level=self._level,
            first=first,
            leads=leads,
            saved_calls=len(spared),
            saved_usd=self._cost_of(spared),
            problem=problem,
            is_over=is_over,
        )

    def _leads(self) -> tuple[str | None, list[Lead]]:
        """The first model, and how it does against each other one."""
        import numpy as np

        differences = self._test.differences
        best = int(self._test.best)
        if best < 0:
            ahead = np.nan_to_num(differences, nan=-1.0)
            np.fill_diagonal(ahead, 1.0)
            best = int(ahead.min(axis=1).argmax())
        others = [other for other in range(len(self._names)) if other != best]
        if np.isnan(differences[best, others]).any():
            return None, []
        return self._names[best], [
            Lead(
                over=self._names[other],
                difference=float(differences[best, other]),
                is_better=bool(self._test.is_better[best, other]),
            )
            for other in others
        ]

    def _cost_of(self, spared: list[int]) -> float | None:
        """What calls would cost, by the mean of those of the same model; None where that is unknown."""
        import pandas as pd

        made = self._batch.positions()
        if not spared or not made:
            return None
        frame = self._batch.frame_of(made)
        names = ("cost_usd", "replayed", "attempts", "provider")
        facts = pd.DataFrame({name: frame[log_name(frame, name)].array for name in names})
        columns = [self._plan.parts(position)[1] for position in made]
        means = pd.Series(costs(facts)).groupby(columns).mean()
        counts = pd.Series([self._plan.parts(position)[1] for position in spared]).value_counts()
        total = float((means.reindex(counts.index) * counts).sum(skipna=False))
        return None if math.isnan(total) else total


def _shuffled(keys: list[str]) -> list[int]:
    """Numbers of the rows by a hash of their keys: as good as at random, and the same every time."""
    marks = [blake2b(key.encode(), key=b"order of rows", digest_size=16).digest() for key in keys]
    return sorted(range(len(keys)), key=marks.__getitem__)
