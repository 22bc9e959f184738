"""The result of `allos.judge`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.log.feedback import ratings, votes, votes_frame
from allos.render.data_table import DataTable, table_html, table_text
from allos.render.judgement_table import JudgementView, judgement_table, reliability_lines
from allos.render.logged_rows import records
from allos.runs.judging.human_labels import POINTS, labels_of_answers, labels_of_pairs
from allos.runs.judging.verdicts import Verdict, scores_frame, verdicts_frame, votes_of

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.judging.judge_prompts import Scale

_TOO_FEW = (
    "Where there are fewer than three labels nothing is claimed; label_next() names the answers whose label "
    "helps most."
)


class Judgement:
    """What a judge said of answers; returned by `judge`. It is shown as a table.

    Attributes
    ----------
    model : str
        The judge: ``provider/model``.
    rater : str
        Its name in votes and ratings: ``judge:provider/model``.
    rubric : str
        What it went by.
    mode : str
        ``"pairwise"`` or ``"pointwise"``.
    notes : list of str
        What should be known before it is believed.
    """

    def __init__(
        self,
        verdicts: Sequence[Verdict],
        *,
        model: str,
        rater: str,
        rubric: str,
        scale: Scale | None,
        notes: Sequence[str] = (),
    ) -> None:
        self.model = model
        self.rater = rater
        self.rubric = rubric
        self.mode = "pairwise" if scale is None else "pointwise"
        self.notes = list(notes)
        self._scale = scale
        self._verdicts = list(verdicts)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per call of the judge, also those without a verdict and the probes.

        `item` numbers the pairs or answers, `outcome` is ``verdict``, ``refusal``, ``error`` or
        ``cancelled``, `planted` is null but in probes, which count nowhere else, and `id` is the row of the
        log that the call is. `cost_usd` is what was paid now: 0 for verdicts taken from the log.
        """
        return verdicts_frame(self._verdicts, is_pairwise=self._scale is None)

    @cached_property
    def votes(self) -> pd.DataFrame:
        """The verdicts on pairs as votes, with the columns of `allos.votes`; for `leaderboard`."""
        if self._scale is not None:
            raise ConfigurationError(
                'A judge in mode="pointwise" gives scores, not votes: see .scores, or judge in mode="pairwise".'
            )
        return votes_frame(votes_of(self._verdicts))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The verdicts on single answers, one row each; for `score_summary` and `paired`."""
        if self._scale is None:
            raise ConfigurationError(
                'A judge in mode="pairwise" gives votes, not scores: see .votes, or judge in mode="pointwise".'
            )
        return scores_frame(self._verdicts)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Whether order and planted instructions change verdicts: `allos.analysis.judge_reliability`."""
        from allos.analysis import judge_reliability

        return judge_reliability(self.frame)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per pair of models, or per model, with intervals: what the judge said, uncorrected.

        Of pairs `win_rate` is the share of points of `model_a`, a tie half a point; `flip_rate` the share of
        verdicts that were others in the other order.
        """
        return self._scores_table() if self._scale is not None else self._pairs_table()

    def with_labels(self, human: pd.DataFrame | None = None) -> pd.DataFrame:
        """What was judged, one row per pair or answer, with what people said of it.

        Parameters
        ----------
        human : pandas.DataFrame, optional
            Votes with the columns of `allos.votes`, or ratings with those of `allos.ratings`; by default
            those of the log. Those of judges are left out.

        Returns
        -------
        pandas.DataFrame
            `item`, `prompt`, the models and ids of responses; `judge` and `human`, the mean of the verdicts
            and of what people said (of pairs the share of points of `model_a`), null where there is none; and
            `consistent`: whether all verdicts on it are the same.

        Raises
        ------
        ConfigurationError
            A column is missing, or people rated on another scale than the judge.
        LogError
            The log is off or cannot be read.
        """
        items = self._items()
        if self._scale is None:
            items["human"] = labels_of_pairs(items, votes() if human is None else human)
        else:
            said = ratings() if human is None else human
            items["human"] = labels_of_answers(items, said, self._scale, self.rater)
        return items

    def corrected(
        self, human: pd.DataFrame | None = None, *, strata: str | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """The table as people would fill it: the judge corrected by `allos.analysis.judge_corrected`.

        Parameters
        ----------
        human : pandas.DataFrame, optional
            As in `with_labels`.
        strata : str, optional
            ``"consistent"``, if rows on which the judge was not consistent were labelled more often.
        level : float
            Of the intervals.

        Raises
        ------
        ConfigurationError, LogError
            As `with_labels`.
        """
        from allos.analysis import judge_corrected

        items = self.with_labels(human)
        found = judge_corrected(items, by=self._by, strata=strata, level=level)
        labels = int(found["n_labelled"].sum())
        title = f"{self.model}, corrected by {labels:,} label{'' if labels == 1 else 's'} of people"
        notes = [_TOO_FEW] if found["low"].isna().any() else []
        notes += reliability_lines(records(self.reliability)[0])
        found.attrs.update(allos_title=title, allos_note=" ".join(notes))
        return found

    def label_next(
        self, n: int = 10, human: pd.DataFrame | None = None, *, strata: str | None = None
    ) -> pd.DataFrame:
        """The `n` rows of `with_labels` whose label by a person narrows the intervals most.

        See `allos.analysis.label_next`, which chooses at random within a pair of models, or a model; rate
        these with `allos.vote` or `allos.rate`.
        """
        from allos.analysis import label_next

        return label_next(self.with_labels(human), by=self._by, strata=strata, n=n)

    def to_html(self) -> str:
        """Return the table as static HTML."""
        return table_html(self._view())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def __str__(self) -> str:
        return table_text(self._view())

    def __repr__(self) -> str:
        counted = sum(verdict.is_counted for verdict in self._verdicts)
        return (
            f"Judgement({self.model!r}, {self.mode}, {counted:,} of {len(self._plain):,} verdicts)"
        )

    # ---- inside -----------------------------------------------------------------------------------

    @property
    def _plain(self) -> list[Verdict]:
        return [each for each in self._verdicts if each.question.planted is None]

    @property
    def _by(self) -> list[str]:
        return ["model"] if self._scale is not None else ["model_a", "model_b"]

    def _view(self) -> DataTable:
        return judgement_table(
            JudgementView(
                judge=self.model,
                rows=records(self.table),
                reliability=records(self.reliability)[0],
                is_pairwise=self._scale is None,
                notes=self.notes,
            )
        )

    def _counted(self) -> pd.DataFrame:
        """Verdicts that count, with `judge` as a number."""
        frame = self.frame
        frame = frame[(frame["outcome"] == "verdict") & frame["planted"].isna()].copy()
        frame["judge"] = (
            frame["score"].astype(float)
            if self._scale is not None
            else frame["winner"].map(POINTS).astype(float)
        )
        return frame

    def _items(self) -> pd.DataFrame:
        frame = self._counted()
        ids = ["response_id"] if self._scale is not None else ["response_a", "response_b"]
        plain = self.frame[self.frame["planted"].isna()]
        items = plain.drop_duplicates("item")[["item", "prompt", *self._by, *ids]]
        items = items.set_index("item", drop=False).rename_axis(None)
        verdicts = frame.groupby("item")["judge"]
        items["judge"] = verdicts.mean().astype("Float64")
        items["consistent"] = (verdicts.nunique() == 1).astype("boolean")
        items["consistent"] = items["consistent"].fillna(False)
        return items.reset_index(drop=True)

    def _pairs_table(self) -> pd.DataFrame:
        from allos.analysis import judge_reliability, score_summary

        counted = self._counted()
        by = ["model_a", "model_b"]
        columns = ["n_prompts", "verdicts", "a_better", "tie", "b_better", "bad"]
        columns += ["win_rate", "low", "high", "flip_rate"]
        if counted.empty:
            import pandas as pd

            return pd.DataFrame(columns=[*by, *columns])
        rates = score_summary(counted, score="judge", by=by)
        rates = rates.rename(columns={"mean": "win_rate", "n_answers": "verdicts"})
        parts = dict(iter(counted.groupby(by)))
        pairs = [parts[pair] for pair in zip(rates["model_a"], rates["model_b"], strict=True)]
        for name, winner in (("a_better", "a"), ("tie", "tie"), ("b_better", "b"), ("bad", "bad")):
            rates[name] = [int((part["winner"] == winner).sum()) for part in pairs]
        rates["flip_rate"] = [judge_reliability(part)["flip_rate"].item() for part in pairs]
        return rates[[*by, *columns]]

    def _scores_table(self) -> pd.DataFrame:
        from allos.analysis import score_summary

        counted = self._counted()
        if counted.empty:
            import pandas as pd

            return pd.DataFrame(columns=["model", "n_prompts", "n_answers", "mean", "low", "high"])
        found = score_summary(counted, score="judge")
        return found.drop(columns="unknown")
