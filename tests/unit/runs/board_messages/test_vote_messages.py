"""What a page is told while people vote, and what it is not told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos.notebook.board import make_board
from allos.runs.comparison import Comparison
from tests.support.voted import MODELS, compared


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    with compared(tmp_path / "log.sqlite", blind=True) as made:
        yield made


@pytest.fixture
def board(comparison: Comparison) -> Iterator[Any]:
    made = make_board(comparison)
    made._flusher.close()  # what is to be sent is looked at here
    yield made
    made.close()


def _press(board: Any, **message: Any) -> dict[str, Any]:
    """Press a button; returns what the page knows then."""
    board._on_message(board, message, [])
    board._updates.changes()
    snapshot: dict[str, Any] = board._updates.snapshot()
    return snapshot


def _vote(board: Any, choice: str, **more: Any) -> dict[str, Any]:
    pair = board._updates.snapshot()["vote"]["pair"]
    return _press(board, action="vote", pair=pair, choice=choice, **more)


def test_the_page_is_told_no_names_and_no_numbers(board: Any, comparison: Comparison) -> None:
    """In its snapshot, its state, its text and its table; both answers of the pair are there."""
    snapshot = board._updates.snapshot()
    table = comparison.to_html()
    told = json.dumps(
        [snapshot, board.get_state()["snapshot"], repr(board), repr(comparison), table]
    )

    for name in (*MODELS[:2], "model-a", "short/"):
        assert name not in told
    assert [snapshot["columns"], snapshot["cells"], snapshot["summary"]] == [[], [], []]
    assert snapshot["logged_as"] == ""
    assert len(snapshot["vote"]["sides"]) == 2
    assert (snapshot["vote"]["voted"], snapshot["vote"]["pairs"]) == (0, 3)


def test_names_come_with_the_vote(board: Any) -> None:
    """Of the pair that has its vote; of the next one nothing."""
    after = _vote(board, "left")["vote"]

    assert after["voted"] == 1
    assert "Left, your choice, was " in after["last"]
    assert "kind/model-a" in after["last"]
    assert "short/model-b" in after["last"]
    assert "model" not in json.dumps({**after, "last": ""})


def test_of_three_models_names_come_with_the_last_pair_of_a_prompt(tmp_path: Path) -> None:
    """One name would tell whose the other answers are."""
    prompts = ["Where is my parcel?"]
    with compared(tmp_path / "log2.sqlite", models=3, prompts=prompts, blind=True) as comparison:
        board = make_board(comparison)
        board._flusher.close()
        asked = board._updates.snapshot()["vote"]
        lasts = [_vote(board, "tie")["vote"]["last"] for _ in range(2)]
        ranking = _vote(board, "bad")["ranking"]
        board.close()

    assert {side["names"] for side in asked["sides"]} <= {"", "OpenAI"}
    assert lasts == ["Saved. Names are shown after the last pair of a prompt."] * 2
    assert ranking["last"].startswith("Both bad. Left was ")
    assert ranking["counts"] == "2 ties, 1 both bad"


def test_after_the_last_vote_everything_is_shown(board: Any, comparison: Comparison) -> None:
    """Board, table and the ranking, which can be closed; and a vote can be taken back."""
    for _ in range(3):
        shown = _vote(board, "left")

    assert shown["vote"] is None
    assert [column["model"] for column in shown["columns"]] == ["model-a", "model-b"]
    assert shown["ranking"]["votes"] == 3
    assert shown["ranking"]["says"].startswith("Undecided: 2 models share the first rank")
    assert "kind/model-a" in comparison.to_html()
    assert _press(board, action="ranking_close")["ranking"] is None
    again = _press(board, action="vote_undo")
    assert again["vote"]["voted"] == 2
    assert len(allos.votes()) == 2


def test_stopping_shows_what_the_votes_so_far_say(board: Any) -> None:
    """Without a vote there is nothing to rank."""
    assert _press(board, action="vote_stop")["ranking"] is None
    blind = _press(board, action="vote_start")
    assert blind["vote"]["phase"] == "voting"
    _vote(board, "right")
    assert _press(board, action="vote_stop")["ranking"]["votes"] == 1


def test_the_ranking_names_models_whatever_stands_in_columns(
    board: Any, comparison: Comparison
) -> None:
    """Votes are on what was asked: an arrangement changes neither pairs nor names."""
    comparison.arrange(columns=[], rows="model")
    voting = _vote(board, "left")
    assert "model-" not in json.dumps({**voting, "vote": None})
    shown = _press(board, action="vote_stop")

    assert {line["model"] for line in shown["ranking"]["lines"]} == {"model-a", "model-b"}
    assert [column["model"] for column in shown["columns"]] == ["all"]
    assert [row["label"] for row in shown["rows"]] == ["kind/model-a", "short/model-b"]


def test_a_vote_that_cannot_be_kept_is_said(board: Any) -> None:
    """The pair stays, and the page learns that its press was dealt with."""
    before = board._updates.snapshot()["vote"]
    after = _vote(board, "best")

    assert after["notice"].startswith("That did not work: expected left, right, tie or bad")
    assert after["vote"]["pair"] == before["pair"]
    assert after["vote"]["turn"] == before["turn"] + 1


def test_notes_and_tags_are_kept_within_limits(board: Any) -> None:
    """Whatever a page sends."""
    _vote(board, "left", taken_s="soon", note="x" * 9999, tags=["<b>"] * 99 + ["y" * 999])
    row = allos.votes().iloc[0]

    assert len(row["note"]) == 2000
    assert json.loads(row["tags"]) == ["<b>"]
    assert allos.votes()["time_taken_s"].isna().all()


def test_where_no_vote_is_possible_nothing_is_hidden(tmp_path: Path) -> None:
    """A line says why."""
    with compared(tmp_path / "log3.sqlite", models=1, blind=True) as comparison:
        board = make_board(comparison)
        board._flusher.close()
        snapshot = _press(board, action="sync")
        board.close()

    assert snapshot["vote"] is None
    assert len(snapshot["columns"]) == 1
    assert not comparison.is_blind


def test_what_comes_of_a_button_is_shown_on_its_own_board(tmp_path: Path) -> None:
    """The other board of the comparison, which looks first, has neither the ranking nor the reason."""

    def pressed(models: int, **message: Any) -> list[dict[str, Any]]:
        with compared(tmp_path / f"log{models}.sqlite", models=models, prompts=["Hi"]) as made:
            boards = [make_board(made) for _ in range(2)]
            for board in boards:
                board._flusher.close()
            for message in ({"action": "vote_start"}, {"action": "vote", "choice": "left"}):
                shown = [board._updates.snapshot()["vote"] for board in boards]
                pair = shown[1]["pair"] if shown[1] else ""
                boards[1]._on_message(boards[1], {**message, "pair": pair}, [])
                for board in boards:
                    board._updates.changes()
            found = [board._updates.snapshot() for board in boards]
            for board in boards:
                board.close()
            return found

    other, own = pressed(2)
    assert (other["ranking"], own["ranking"]["says"][:9]) == (None, "Undecided")
    other, own = pressed(1)
    assert (other["notice"], "nothing to vote on" in own["notice"]) == ("", True)


def test_questions_and_rater_stay_when_voting_goes_on(board: Any, comparison: Comparison) -> None:
    """After stopping, and after taking back the last vote."""
    comparison.blind(rubric=["Which is kinder?"], rater="ann")
    _press(board, action="vote_stop")
    shown = _press(board, action="vote_start")
    assert shown["vote"]["rubric"] == ["Which is kinder?"]
    _vote(board, "left")
    _press(board, action="vote_stop")
    assert _press(board, action="vote_undo")["vote"]["rubric"] == ["Which is kinder?"]
    assert list(allos.votes()["rater"].unique()) in (["ann"], [])


def test_answers_are_rated_on_the_board(board: Any, comparison: Comparison) -> None:
    """With a row of the log; the same press again takes it back."""
    _press(board, action="vote_stop")
    board._on_message(board, {"action": "rate", "cell": "0.0", "rating": 1}, [])
    change = board._updates.changes()
    rated = comparison.cells[0]

    assert change["cells"] == [{"key": "0.0", "rating": 1}]
    assert rated.rating == 1
    assert allos.ratings()["rating"].tolist() == [1]
    _press(board, action="rate", cell="0.0", rating=None)
    assert len(allos.ratings()) == 0
    assert board._updates.snapshot()["cells"][0]["rating"] is None
