"""Votes of an exported page come into the log: once, signed, and with what the log knows of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError, LogError
from allos.log import vote_import
from allos.log.vote_signature import page_key, signature
from tests.support.log_rows import a_response, record

PAGE = "page_01KAN3T5W8YQ2B7C9D0EFGHJKM"
ONE, TWO, THREE = (a_response(number) for number in (1, 2, 3))


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open()
    record(ONE, TWO, THREE)
    return log_path


def _vote(id: str = "vote-0001", **changes: Any) -> dict[str, Any]:
    vote = {"id": id, "cast_at": 1_790_000_000_000, "a": ONE.id, "b": TWO.id, "winner": "a"}
    return {**vote, **changes}


def _file(log: Path, *votes: Any, rater: Any = "Ann", **changes: Any) -> str:
    body = json.dumps({"rater": rater, "votes": list(votes)})
    file = {"allos_votes": 1, "page": PAGE, "body": body}
    file["signature"] = signature(page_key(log, PAGE), body)
    return json.dumps({**file, **changes})


def test_votes_are_rows_of_their_rater(log: Path, tmp_path: Path) -> None:
    """From a file or a text; prompt, models and comparison are those of the log."""
    path = tmp_path / "votes.json"
    path.write_text(
        _file(log, _vote(note="shorter", tags=["style"], shown_first="b", time_taken_s=3))
    )
    added = allos.import_votes(path)
    again = allos.import_votes(path.read_text())
    (vote,) = allos.votes().to_dict("records")

    assert len(added) == 1
    assert len(again) == 0
    assert (vote["rater"], vote["winner"], vote["shown_first"]) == ("Ann", "a", "b")
    assert (vote["time_taken_s"], vote["note"], vote["tags"]) == (3.0, "shorter", '["style"]')
    assert vote["model_a"] is not None
    assert (vote["response_a"], vote["response_b"]) == (ONE.id, TWO.id)


def test_a_later_file_adds_what_is_new_and_takes_back_what_was_undone(log: Path) -> None:
    """A colleague who goes on saves a file with all of it again."""
    allos.import_votes(_file(log, _vote()))
    undone = {"id": "undo-0001", "cast_at": 0, "withdraws": "vote-0001"}
    both = _vote("vote-0003"), {"id": "undo-0002", "cast_at": 0, "withdraws": "vote-0003"}
    later = _file(log, _vote(), undone, _vote("vote-0002", winner="tie"), *both)
    added = allos.import_votes(later, rater="Bo")
    frame = allos.votes()

    assert frame["id"].tolist() == added["id"].tolist() == ["vote-0002"]
    assert frame["rater"].tolist() == ["Bo"]


def test_unknown_answers_are_told_and_left_out(log: Path) -> None:
    """The others are imported."""
    other = _vote("vote-0002", b="01UNKNOWNRESPONSE")
    with pytest.warns(
        UserWarning, match="votes on 1 answers that this log does not have.*01UNKNOWN"
    ):
        added = allos.import_votes(_file(log, _vote(), other))

    assert added["id"].tolist() == ["vote-0001"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (lambda log: _file(log, _vote(), body="{}"), "were changed since"),
        (lambda log: _file(log, _vote(), signature="00"), "were changed since"),
        (lambda log: _file(log, _vote(), signature="é" * 64), "were changed since"),
        (lambda log: _file(log, _vote(), page="page_other"), "were changed since"),
        (lambda log: _file(log, _vote(), page=7), "no valid page"),
        (lambda log: '{"a": 1}', "not a file of votes"),
        (lambda log: "[" * 100_000, "was not read"),
        (lambda log: "{" * 100_000, "not a file of votes"),
        (lambda log: "nowhere.json", "was not read"),
        (lambda log: "a\0b", "was not read"),
        (lambda log: 7, "needs the file"),
        (lambda log: _file(log, _vote(), rater=""), "not the name of a person"),
        (lambda log: _file(log, _vote(), rater="judge:gpt"), "not the name of a person"),
        (lambda log: _file(log, _vote(), rater=["Ann"]), "not the name of a person"),
        (lambda log: _file(log, _vote(winner="c")), "vote 1 is not valid: it names no winner"),
        (lambda log: _file(log, _vote(a=TWO.id)), "vote 1 is not valid"),
        (lambda log: _file(log, _vote(id="' OR 1")), "vote 1 is not valid: .* is not an id"),
        (lambda log: _file(log, _vote(cast_at="x")), "vote 1 is not valid"),
        (lambda log: _file(log, "vote"), "vote 1 is not valid"),
        (
            lambda log: _file(log, {"id": "undo-0001", "cast_at": 0, "withdraws": "01OTHERVOTE"}),
            "takes back a vote that is not in the file",
        ),
    ],
)
def test_a_bad_file_is_one_line_and_adds_nothing(log: Path, file: Any, message: str) -> None:
    """Changed, of another log, of no page, or not what it should be."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        allos.import_votes(file(log))

    assert "\n" not in str(caught.value)
    assert len(allos.votes()) == 0


def test_sizes_are_capped(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge file, many votes, long notes and names, and times that cannot be."""
    wild = _vote(note="x" * 20_000, tags=["y" * 900] * 99, time_taken_s=1e300, cast_at=10**17)
    (vote,) = allos.import_votes(_file(log, wild)).to_dict("records")
    monkeypatch.setattr(vote_import, "MAX_VOTES", 1)
    with pytest.raises(ConfigurationError, match="at most 1 votes"):
        allos.import_votes(_file(log, _vote("vote-0003"), _vote("vote-0004")))
    monkeypatch.setattr(vote_import, "MAX_BYTES", 10)
    path = tmp_path / "votes.json"
    path.write_text("{" + " " * 20)
    for given in (path, path.read_text()):
        with pytest.raises(ConfigurationError, match="more than 10"):
            allos.import_votes(given)

    assert len(vote["note"]) == vote_import.MAX_NOTE_CHARS
    assert [len(tag) for tag in json.loads(vote["tags"])] == [200] * 50
    assert vote["created_at"].year < 2100


def test_without_a_log_it_says_so(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing that the votes could be on."""
    file = _file(log, _vote())
    allos.log.close()
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(LogError, match="the log is off"):
        allos.import_votes(file)


def test_settings_of_one_model_keep_their_names(log: Path) -> None:
    """As where the vote is cast in a notebook."""
    changes = {"temperature": 0.9, "params": None}
    hot = a_response(7, metadata=changes)
    record(hot)
    (vote,) = allos.import_votes(_file(log, _vote(b=hot.id))).to_dict("records")

    assert vote["model_a"].endswith("(temperature 0.2)")
    assert vote["model_b"].endswith("(temperature 0.9)")
    assert allos.votes()["model_b"].tolist() == [vote["model_b"]]
