"""An evaluation: a batch, scores of its answers, and what they say about the models."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Self

from allos.errors import ConfigurationError
from allos.render.evaluation_table import (
    EvaluationView,
    ScoreView,
    evaluation_html,
    evaluation_text,
)
from allos.render.logged_rows import records
from allos.render.plain import shorten
from allos.runs.batching.batch_frame import log_name
from allos.runs.batching.column_labels import column_labels
from allos.runs.batching.live_batch import Batch
from allos.runs.decider import Decider
from allos.runs.decision import Decision
from allos.runs.score import ERROR_SUFFIX, OUTCOME, score
from allos.scorers import Scorer

if TYPE_CHECKING:
    import pandas as pd

_FAILURES = ("refused", "cut", "failed", "cancelled")
_ERROR_CHARS = 120


class Evaluation:
    """A batch whose answers are scored; made by `evaluate`.

    Attributes
    ----------
    batch : Batch
        Its calls; `pause`, `resume` and `cancel` are there.
    scorers : tuple of Scorer
    """

    def __init__(
        self,
        batch: Batch,
        scorers: Sequence[Scorer],
        *,
        count_failures: bool = False,
        decider: Decider | None = None,
    ) -> None:
        self.batch = batch
        self._decider = decider
        self._positions: list[int] = []
        """Numbers of the calls of the rows of `frame`."""
        self.scorers = tuple(scorers)
        self._count_failures = count_failures
        self._scored: pd.DataFrame | None = None

    @property
    def id(self) -> str:
        """Id of the batch."""
        return self.batch.id

    @property
    def frame(self) -> pd.DataFrame:
        """The batch's frame with `outcome` and one column per scorer. Waits; scores once."""
        if self._scored is None:
            self.wait()
            self._positions = self.batch.positions()
            found = self.batch.frame_of(self._positions)
            self._scored = score(found, self.scorers, count_failures=self._count_failures)
        return self._scored

    @property
    def partial(self) -> pd.DataFrame:
        """The same, of the calls that have ended."""
        return score(self.batch.partial, self.scorers, count_failures=self._count_failures)

    @property
    def decision(self) -> Decision | None:
        """Whether it is decided which model is best, as far as it has come; None without `until`."""
        return self._decider.decision if self._decider is not None else None

    @property
    def table(self) -> pd.DataFrame:
        """How good each model is by each scorer, the best first, with intervals. Waits.

        One row per scorer and model: `scorer`, `model` (with the parameters in which models differ),
        `n_prompts`, `n_answers`, `mean`, `low`, `high` (see `allos.analysis.score_summary`), `unknown`
        (no score), of which `refused`, `cut`, `failed`, `cancelled`; `cost_usd` and median `latency_s`.
        """
        import pandas as pd

        from allos.analysis import score_summary
        from allos.analysis.results import as_result

        frame = self.scores()
        facts = _facts(frame)
        tables = []
        for scorer in self.scorers:
            found = score_summary(frame, score=scorer.name)
            found.insert(0, "scorer", scorer.name)
            tables.append(found.merge(facts, on="model", how="left"))
        return as_result(pd.concat(tables, ignore_index=True), "score_summary")

    @property
    def comparisons(self) -> pd.DataFrame:
        """Every two models compared on the same rows, by each scorer. Waits.

        One row per scorer and pair: `scorer` and the columns of `allos.analysis.compare_all`; empty
        with one model.
        """
        import pandas as pd

        from allos.analysis import compare_all
        from allos.analysis.results import as_result

        frame = self.scores()
        if frame["model"].nunique() < 2:
            return as_result(pd.DataFrame(), "compare_all")
        tables = []
        for scorer in self.scorers:
            try:
                found = compare_all(frame, score=scorer.name)
            except ConfigurationError:  # no two models have scores of the same rows
                continue
            found.insert(0, "scorer", scorer.name)
            tables.append(found)
        joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
        return as_result(joined, "compare_all")

    def plot(self) -> Any:
        """Chart of `table`: each model's mean score with its interval. Waits; needs the extra `[plot]`.

        Returns
        -------
        altair.LayerChart
            An Altair chart; ``comparisons.plot()`` draws the differences.

        Examples
        --------
        ::

            found = allos.evaluate(tickets, "Classify: {{ text }}", models=[...], scorers=["exact"], target="label")
            found.plot()
        """
        return self.table.plot()

    def scores(self) -> pd.DataFrame:
        """Scores with `model` and `prompt`, the number of the row: for functions of `allos.analysis`. Waits."""
        import pandas as pd

        frame, plan = self.frame, self.batch.plan
        labels = column_labels(plan)
        parts = [plan.parts(position) for position in self._positions]
        columns = {
            "model": [labels[column] for _, column, _ in parts],
            "prompt": [row for row, _, _ in parts],
            OUTCOME: frame[OUTCOME].array,
            "cost_usd": frame[log_name(frame, "cost_usd")].array,
            "latency_s": frame[log_name(frame, "latency_s")].array,
        }
        return pd.DataFrame({**columns, **{s.name: frame[s.name].array for s in self.scorers}})

    # ---- waiting --------------------------------------------------------------------------------

    def wait(self, timeout_s: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait for the batch; see `Batch.wait`."""
        self.batch.wait(timeout_s, progress=progress)
        if self._decider is not None:
            self._decider.wait()
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._wait_on_loop().__await__()

    async def _wait_on_loop(self) -> Self:
        import asyncio

        await self.batch
        if self._decider is not None:
            await asyncio.to_thread(self._decider.wait)
        return self

    # ---- what is shown --------------------------------------------------------------------------

    def view(self) -> EvaluationView:
        """What its table shows; waits."""
        scores = [
            ScoreView(
                scorer=row["scorer"],
                model=row["model"],
                n=int(row["n_answers"]),
                mean=row["mean"],
                low=row["low"],
                high=row["high"],
                unknown={name: int(row[name]) for name in _FAILURES if row[name]},
                cost_usd=row["cost_usd"],
                latency_s=row["latency_s"],
            )
            for row in records(self.table)
        ]
        decision = self.decision
        return EvaluationView(
            id=self.id,
            scores=scores,
            verdicts=[
                *(self._verdicts() if decision is None else [str(decision)]),
                *self._scorer_failures(),
            ],
            is_decided=decision is not None and decision.is_decided,
        )

    def _verdicts(self) -> list[str]:
        """One line for each scorer: whether the first model is better than the second."""
        lines = []
        pairs = self.comparisons
        for scorer in self.scorers if len(pairs) else ():
            table = self.table[self.table["scorer"] == scorer.name]
            first, second = table["model"].iloc[0], table["model"].iloc[1]
            of_scorer = pairs[pairs["scorer"] == scorer.name]
            pair = of_scorer[
                of_scorer["a"].isin([first, second]) & of_scorer["b"].isin([first, second])
            ]
            if pair.empty:
                continue
            row = pair.iloc[0]
            sign = 1.0 if row["a"] == first else -1.0
            low, high = sorted((sign * row["low"], sign * row["high"]))
            better = row["p_adjusted"] < 0.05
            words = "is better than" if better else "cannot be told apart from"
            lines.append(
                f"{scorer.name}: {first} {words} {second} on {_prompts(row['n_prompts'])} "
                f"that both answered (difference {sign * row['difference']:+.3f}, 95 % interval {low:+.3f} to {high:+.3f})."
            )
        return lines

    def _scorer_failures(self) -> list[str]:
        """One line for each scorer that failed: on how many answers, and how the first time."""
        lines = []
        for name in (scorer.name for scorer in self.scorers):
            column = f"{name}{ERROR_SUFFIX}"
            errors = list(self.frame[column].dropna()) if column in self.frame else []
            if errors:
                lines.append(
                    f"{name} failed on {len(errors):,} of {len(self.frame):,} answers, which have no score "
                    f"({shorten(errors[0], _ERROR_CHARS)}); the column {column} has every error."
                )
        return lines

    def to_html(self) -> str:
        """Return its table as static, sanitised HTML. Waits."""
        return evaluation_html(self.view())

    def __str__(self) -> str:
        return evaluation_text(self.view())

    def __repr__(self) -> str:
        names = ", ".join(scorer.name for scorer in self.scorers)
        return f"Evaluation({names}; {self.batch!r})"


def _prompts(count: int) -> str:
    return f"{count:,} prompt{'' if count == 1 else 's'}"


def _facts(frame: pd.DataFrame) -> pd.DataFrame:
    """Outcomes without a score, cost and latency by model."""
    import pandas as pd

    rows = []
    for model, found in frame.groupby("model", sort=False):
        outcomes = found[OUTCOME].value_counts()
        counts = {name: int(outcomes.get(name, 0)) for name in _FAILURES}
        cost_usd, latency_s = found["cost_usd"].sum(min_count=1), found["latency_s"].median()
        rows.append({"model": model, **counts, "cost_usd": cost_usd, "latency_s": latency_s})
    return pd.DataFrame(rows).astype({"cost_usd": "Float64", "latency_s": "Float64"})
