"""What can be voted on: the methods that `Comparison` and `LoggedComparison` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from allos.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.vote_decision import VoteDecision
    from allos.runs.voting import Voting


class Votable:
    """Blind votes on a comparison, and what they come to."""

    id: str
    is_blind = False
    """Whether it does not show which model gave which answer."""
    rubric: tuple[str, ...] = ()
    """Questions beside which answer is better."""
    _rater: str | None = None
    _voting: Voting | None = None

    def blind(self, *, rubric: Sequence[str] = (), rater: str | None = None) -> Self:
        """Hide which model gave which answer, and ask for votes on the board.

        Answers are shown in pairs once all calls have ended; names, colours, times and costs stay hidden until all
        pairs of a prompt have their vote. Votes are rows of the log, see `allos.votes`.

        Parameters
        ----------
        rubric : sequence of str
            Questions that may be answered beside which one is better, such as ``["Which is kinder?"]``; kept as
            tags of the vote.
        rater : str, optional
            Who votes; by default the login name.

        Returns
        -------
        Self
            So that ``allos.compare(...).blind()`` at the end of a cell shows the board.
        """
        if isinstance(rubric, str) or not all(isinstance(each, str) for each in rubric):
            raise ConfigurationError(
                f"rubric must be a list of questions (strings), got {rubric!r:.80}."
            )
        self.rubric, self._rater = tuple(rubric), rater
        self._voting = None
        self._set_blind(True)
        return self

    def blind_again(self) -> Self:
        """Hide it with the questions and the rater that it had the last time."""
        return self.blind(rubric=self.rubric, rater=self._rater)

    def reveal(self) -> Self:
        """Show again which model gave which answer. Votes that were cast stay."""
        self._set_blind(False)
        return self

    def voting(self) -> Voting:
        """Votes of this rater, and the pairs that are left; all calls have ended."""
        if self._voting is None:
            from allos.runs.voting import Voting

            source: Any = self
            self._voting = Voting(source, rater=self._rater, rubric=self.rubric)
        return self._voting

    def winner(self, *, rater: str | None = None) -> VoteDecision:
        """Which model is best by the votes of people, or that it is undecided, and why.

        Parameters
        ----------
        rater : str, optional
            Decide by the votes of this rater alone: a person's name, or a judge such as
            ``"judge:openai/gpt-5.4-mini"``, whose votes never count with people's.

        Returns
        -------
        VoteDecision
            `model` is None while it is undecided; printed, it is one sentence.

        Examples
        --------
        ::

            both = allos.comparison("cmp_01KAN3...")
            both.winner()
            both.winner(rater="judge:openai/gpt-5.4-mini")
            if both.winner().decided:
                ...
        """
        from allos.runs.vote_decision import decide

        source: Any = self
        return decide(source, rater)

    def to_dpo(self, *, judges: bool = False) -> pd.DataFrame:
        """Preferences for training: one row for each vote that prefers one of two answers.

        Parameters
        ----------
        judges : bool
            Take the votes of judges (models) in place of those of people.

        Returns
        -------
        pandas.DataFrame
            `prompt`, `chosen` and `rejected`, the names of trl's ``DPOTrainer``: texts, or lists of messages where
            there are system texts. Ties are left out.
        """
        from allos.runs.vote_decision import preference_pairs

        source: Any = self
        return preference_pairs(source, source.frame, judges=judges)

    def _set_blind(self, value: bool) -> None:
        if value != self.is_blind:
            self.is_blind = value
            self._looks_different()

    def _looks_different(self) -> None:
        """Tell tables and boards that all of it is to be drawn anew."""
        raise NotImplementedError
