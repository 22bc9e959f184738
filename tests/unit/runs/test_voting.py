"""Blind votes on one comparison: rows of the log, from which another kernel goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from allos import testing
from allos.analysis import leaderboard
from allos.errors import ConfigurationError
from allos.log.feedback import standing_votes
from allos.runs.comparison import Comparison
from allos.runs.voting import Voting, column_labels, votes_on
from tests.support.voted import PROMPTS, compared


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    with compared(tmp_path / "log.sqlite") as made:
        yield made


def test_a_vote_is_a_row_of_the_log(comparison: Comparison) -> None:
    """Who voted, on what, which answer was on the left, how long it took, note and tags."""
    voting = Voting(comparison, rater="Ann")
    pair = voting.next()
    assert pair is not None
    voting.cast(pair.key, "right", time_taken_s=2.5, note="kinder", tags=["polite"])
    row = allos.votes().iloc[0]

    assert (row["rater"], row["winner"], row["shown_first"]) == ("Ann", "b", "a")
    assert row["response_a"] == pair.left.response.id
    assert row["response_b"] == pair.right.response.id
    assert (row["time_taken_s"], row["note"], row["tags"]) == (2.5, "kinder", '["polite"]')
    assert row["comparison_id"] == comparison.id
    assert (voting.cast_count, voting.count) == (1, 3)


def test_another_kernel_goes_on(comparison: Comparison) -> None:
    """Every pair is asked once, whatever was reopened in between, and also of the logged comparison."""
    asked = []
    for at in range(3):
        source = comparison if at % 2 else allos.comparison(comparison.id)
        voting = Voting(source, rater="Ann")
        pair = voting.next()
        assert pair is not None
        asked.append(pair.row)
        voting.cast(pair.key, "left")
    done = Voting(comparison, rater="Ann")

    assert sorted(asked) == [0, 1, 2]
    assert done.next() is None
    assert done.is_complete(0)
    assert Voting(comparison, rater="Bo").cast_count == 0


def test_taking_back_is_a_row_too(comparison: Comparison) -> None:
    """The pair is asked again; nothing is left to take back."""
    voting = Voting(comparison)
    pair = voting.next()
    assert pair is not None
    voting.cast(pair.key, "tie")
    assert voting.undo().pair is pair
    assert len(allos.votes()) == 0
    assert voting.next() == pair
    with pytest.raises(ValueError, match="no vote to take back"):
        voting.undo()


def test_a_pair_has_one_vote(comparison: Comparison) -> None:
    """A second press, a key of another board and a choice that is none change nothing."""
    voting = Voting(comparison)
    pair = voting.next()
    assert pair is not None
    voting.cast(pair.key, "left")
    for key, choice in ((pair.key, "left"), ("99", "left"), ("1", "best")):
        with pytest.raises(ValueError, match=r"has a vote already|expected left, right"):
            voting.cast(key, choice)  # type: ignore[arg-type]

    assert len(allos.votes()) == 1


def test_an_answer_that_is_asked_for_again_has_no_vote(tmp_path: Path) -> None:
    """Votes are about answers: the new one makes new pairs."""
    with compared(tmp_path / "log.sqlite", prompts=PROMPTS[:2]) as comparison:
        voting = comparison.voting()
        pair = voting.next()
        assert pair is not None
        voting.cast(pair.key, "left")
        comparison.retry()
        comparison.wait(20)

        assert comparison.voting().cast_count == 0


def test_judges_are_not_mixed_with_people(comparison: Comparison) -> None:
    """Their votes neither rank nor hide a pair."""
    one, other = comparison.cells[0].response, comparison.cells[3].response
    assert one is not None
    assert other is not None
    allos.vote(one, other, "a", rater="judge:groq/x")

    assert len(votes_on(comparison)) == 0
    assert votes_on(comparison, judges=True)["model_a"].tolist() == ["kind/model-a"]
    assert Voting(comparison, rater="judge:groq/x").cast_count == 0


def test_settings_of_one_model_have_names_of_their_own(tmp_path: Path) -> None:
    """Else a vote between them would be one of a model with itself."""
    with compared(tmp_path / "log.sqlite", prompts=PROMPTS[:1]) as comparison:
        comparison.add("kind/model-a", temperature=0.5)
        comparison.add("kind/model-a")
        comparison.wait(20)

        assert column_labels(comparison) == [
            "kind/model-a #1",
            "short/model-b",
            "kind/model-a (temperature 0.5)",
            "kind/model-a #2",
        ]


@pytest.mark.parametrize("cast_on", ["live", "logged", "board"])
def test_all_rankings_name_settings_alike(tmp_path: Path, cast_on: str) -> None:
    """The board, the comparison and the log have one name for a setting, whoever shows it to the voter.

    What is no setting of the model, such as how long is waited for it, tells nothing apart.
    """
    sets = [{"temperature": 0, "timeout_s": 5}, {"temperature": 1, "timeout_s": 9}]
    with compared(tmp_path / "log.sqlite", models=1, prompts=PROMPTS[:1]):
        testing.register("kind", lambda request: f"Asked at {request.params['temperature']}.")
        comparison = allos.compare("Why?", models=["kind/model-a"], params=sets).wait(20)
        logged = allos.comparison(comparison.id)
        sources = {"live": comparison, "logged": logged, "board": allos.board(comparison.frame)}
        voting = Voting(sources[cast_on])
        while (pair := voting.next()) is not None:
            voting.cast(pair.key, "left")
        names = {"kind/model-a (temperature 0)", "kind/model-a (temperature 1)"}
        found = [each.winner().ranking for each in sources.values()]
        stored = standing_votes()

        assert {name for vote in stored for name in (vote.model_a, vote.model_b)} == names
        for ranking in (*found, leaderboard(allos.votes())):
            assert ranking is not None
            assert set(ranking["model"]) == names


def test_two_runs_of_one_model_are_told_apart(tmp_path: Path) -> None:
    """On a board of both: no parameter differs, the run does."""
    with compared(tmp_path / "log.sqlite", models=1, prompts=PROMPTS[:1]) as first:
        second = allos.compare(prompts=list(PROMPTS[:1]), models=["kind/model-a"]).wait(20)
        board = allos.board(first, second)
        voting = Voting(board)
        pair = voting.next()
        assert pair is not None
        voting.cast(pair.key, "left")
        names = {f"kind/model-a (…{each.id[-4:]})" for each in (first, second)}
        ranking = board.winner().ranking

        assert set(leaderboard(allos.votes())["model"]) == names
        assert ranking is not None
        assert set(ranking["model"]) == names


def test_without_two_answers_or_a_log_there_is_no_vote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says why."""
    with (
        compared(tmp_path / "log.sqlite", models=1) as comparison,
        pytest.raises(ConfigurationError, match="nothing to vote on"),
    ):
        Voting(comparison)
    with compared(tmp_path / "log.sqlite") as comparison:
        monkeypatch.setattr("allos.log.is_open", lambda: False)
        with pytest.raises(ConfigurationError, match="the log is off"):
            Voting(comparison)
