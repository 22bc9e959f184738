"""What votes come to: a model, or that it is undecided and why; pairs for training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from allos.errors import ConfigurationError
from allos.runs.comparison import Comparison
from tests.support.voted import PROMPTS, compared

MANY = tuple(f"{prompt} ({number})" for number in range(3) for prompt in PROMPTS)


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    with compared(tmp_path / "log.sqlite", prompts=MANY) as made:
        yield made


def _vote(comparison: Comparison, row: int, winner: str, rater: str) -> None:
    rows = len(comparison.cells) // 2
    one, other = (comparison.cells[at].response for at in (row, rows + row))
    assert one is not None
    assert other is not None
    allos.vote(one, other, winner, rater=rater)  # type: ignore[arg-type]


def test_without_votes_it_is_undecided(comparison: Comparison) -> None:
    """And says how to vote."""
    decision = comparison.winner()

    assert not decision.decided
    assert str(decision) == "undecided: no votes yet. Vote on the board, or with allos.vote()"


def test_few_votes_decide_nothing(comparison: Comparison) -> None:
    """It says about how many more would."""
    for row in range(2):
        _vote(comparison, row, "a", "ann")
    decision = comparison.winner()

    assert decision.model is None
    assert decision.votes == 2
    assert "2 models share the first rank after 2 votes" in decision.reason
    assert "more would separate" in decision.reason


def test_a_log_without_texts_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which prompt a vote is about is known by its answers."""
    with compared(tmp_path / "log.sqlite") as comparison:
        _vote(comparison, 0, "a", "ann")
        blank = allos.votes().assign(prompt=None, rater=None)
        monkeypatch.setattr("allos.runs.voting.votes", lambda: blank)

        assert comparison.winner().votes == 1


def test_many_alike_decide(comparison: Comparison) -> None:
    """Of several people on several prompts; judges do not count."""
    for rater in ("ann", "bo", "cy", "di", "judge:x/y"):
        for row in range(9):
            _vote(comparison, row, "b" if rater.startswith("judge") else "a", rater)
    decision = allos.comparison(comparison.id).winner()

    assert decision.model == "kind/model-a"
    assert decision.votes == 36
    assert str(decision) == "kind/model-a: ahead of all others after 36 votes"
    assert decision.ranking is not None
    assert decision.ranking["rank_high"].tolist() == [1, 2]


def test_a_judge_decides_alone_where_it_is_asked_for(comparison: Comparison) -> None:
    """Its votes are never people's: without any of those it is named, with them it changes nothing."""
    for row in range(9):
        _vote(comparison, row, "b", "judge:x/y")
    before = comparison.winner()
    _vote(comparison, 0, "a", "ann")
    found = comparison.winner(rater="x/y")

    assert before.votes == 0
    assert "winner(rater='judge:x/y')" in before.reason
    assert str(found) == "short/model-b: ahead of all others after 9 votes of judge:x/y"
    assert comparison.winner().votes == 1
    with pytest.raises(ConfigurationError, match="no vote of the rater 'bo'"):
        comparison.winner(rater="bo")


def test_preferences_have_the_names_that_trainers_know(comparison: Comparison) -> None:
    """One row for each vote that prefers an answer; of people, unless judges are asked for."""
    for row, winner in enumerate(("a", "b", "tie", "bad")):
        _vote(comparison, row, winner, "ann")
    _vote(comparison, 4, "a", "judge:x/y")
    pairs = comparison.to_dpo()

    assert pairs.to_dict("list") == {
        "prompt": [MANY[0], MANY[1]],
        "chosen": ["I am sorry. We look into it.", "No."],
        "rejected": ["Wait.", "Of course you may."],
    }
    assert comparison.to_dpo(judges=True)["prompt"].tolist() == [MANY[4]]


def test_system_texts_make_conversations(tmp_path: Path) -> None:
    """Lists of messages, as trainers take them."""
    with compared(tmp_path / "log.sqlite", prompts=PROMPTS[:1], system="Be kind.") as comparison:
        _vote(comparison, 0, "a", "ann")
        row = comparison.to_dpo().iloc[0]

    assert row["prompt"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": PROMPTS[0]},
    ]
    assert row["chosen"] == [{"role": "assistant", "content": "I am sorry. We look into it."}]
