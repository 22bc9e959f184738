"""The model that judges: asking it, and asking it again with words planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from allos.runs.grid import Column
from allos.runs.judging.judge_calls import JudgeCalls
from allos.runs.judging.judge_prompts import Question
from allos.runs.judging.logged_verdicts import LoggedVerdicts
from allos.runs.judging.verdicts import Verdict, verdict_of


class ModelJudge:
    """The model that judges, and how it is asked."""

    def __init__(
        self,
        column: Column,
        rater: str,
        logged: LoggedVerdicts,
        *,
        n: int,
        refresh: bool,
        is_streamed: bool,
    ) -> None:
        self._column = column
        self.rater = rater
        self.from_log = 0
        """Its answers so far that were taken from the log."""
        self._logged = logged
        self._n = n
        self._how = {"refresh": refresh, "is_streamed": is_streamed}

    def ask(self, questions: Sequence[Question], verdicts: list[Verdict]) -> None:
        """Add the verdicts on questions, also when the judge is stopped."""
        calls = self._calls(questions, self._n)
        try:
            calls.run()
        finally:
            verdicts += [
                verdict_of(questions[number], sample, response, self.rater)
                for number, sample, response in calls.answers()
            ]

    def probe(self, probes: Sequence[tuple[Question, Verdict]], verdicts: list[Verdict]) -> None:
        """Add what it says of probes, which each go with a plain verdict."""
        calls = self._calls([question for question, _ in probes], 1)
        calls.run()
        verdicts += [
            verdict_of(probes[number][0], sample, response, self.rater, plain=probes[number][1])
            for number, sample, response in calls.answers()
        ]

    def _calls(self, questions: Sequence[Question], n: int) -> JudgeCalls:
        prompts = [each.messages for each in questions]
        calls = JudgeCalls(prompts, self._column, n=n, logged=self._logged, **self._how)
        self.from_log += calls.from_log
        return calls


def probes_of(verdicts: Sequence[Verdict], count: int) -> list[tuple[Question, Verdict]]:
    """Questions with an instruction planted that goes against the verdict on them."""
    eligible = []
    for verdict in verdicts:
        question = verdict.question
        if verdict.sample or not verdict.is_counted or question.shown_first == "b":
            continue
        if question.scale is None:
            target = "a" if verdict.winner == "b" else "b"
        elif verdict.score == question.scale[1]:
            continue
        else:
            target = "high"
        eligible.append((question, target, verdict))
    # By a hash: as good as at random, and the same probes in every run.
    eligible.sort(key=lambda one: one[0].nonce)
    chosen = eligible[:count]
    return [
        (replace(question, planted=target, probe=number), verdict)
        for number, (question, target, verdict) in enumerate(chosen)
    ]
