from __future__ import annotations

from allos.log.rating_state import NOTHING, by_rater, current_ratings
from allos.log.store.protocol import Rating


def said(number: int, rating: int | None, rater: str = "Ann", **more: object) -> Rating:
    note = str(more.pop("note")) if "note" in more else None
    return Rating("r", rating, note, number, rater, **more)  # type: ignore[arg-type]


def test_undo_takes_back_one_step_at_a_time() -> None:
    """Each undo takes back what was said last, a withdrawal as well; one too many does nothing."""
    history = [said(1, 1), said(2, -1), said(3, None)]
    undo = [said(number, None, undo=1) for number in (4, 5, 6, 7)]

    assert by_rater(history) == {}
    assert by_rater([*history, *undo[:1]])["r", "Ann"].rating == -1
    assert by_rater([*history, *undo[:2]])["r", "Ann"].rating == 1
    assert by_rater([*history, *undo]) == {}


def test_raters_do_not_change_what_others_said() -> None:
    """Who withdraws, withdraws their own; then what someone else said counts again."""
    history = [said(1, 5, "Ann"), said(2, 2, "Bo", tags='["x"]'), said(3, None, "Bo")]

    assert current_ratings(history[:2])["r"][:4] == (2, None, '["x"]', "Bo")
    assert current_ratings(history)["r"][:4] == (5, None, None, "Ann")


def test_models_that_judge_are_not_people() -> None:
    """A judge's ratings are raters' of their own, and not joined."""
    history = [said(1, 1, "judge:openai/gpt-5-mini", note="fine")]

    assert current_ratings(history).get("r", NOTHING) == NOTHING
    assert len(by_rater(history)) == 1


def test_rows_of_older_logs_have_no_rater() -> None:
    """A rating of a log from before there were raters counts like any other."""
    assert current_ratings([Rating("r", 1, None, 1)])["r"].rating == 1
