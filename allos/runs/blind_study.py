"""What an exported page needs to ask for blind votes without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allos import _process
from allos.errors import ConfigurationError
from allos.log.vote_signature import page_key
from allos.render.plain import clean_text
from allos.runs.board_messages.source import BoardSource
from allos.runs.board_messages.vote_messages import asked, names_told, side
from allos.runs.vote_pairs import make_pairs
from allos.runs.voting import answers_of, column_labels


def make_study(comparison: BoardSource, page: str, rubric: tuple[str, ...] = ()) -> dict[str, Any]:
    """Pairs to vote on, as JSON values; `allos.import_votes` knows votes on them by their signature.

    Parameters
    ----------
    comparison : BoardSource
        It has ended.
    page : str
        Id of the page.
    rubric : tuple of str
        Questions beside which answer is better.

    Raises
    ------
    ConfigurationError
        Nothing to vote on, or no log that the votes could come back to.
    """
    answers = answers_of(comparison)
    pairs = make_pairs(answers, page)
    if not pairs:
        raise ConfigurationError(
            "there is nothing to vote on: no prompt has two different answers of two models"
        )
    layout = comparison.layout()
    labels = [clean_text(label) for label in column_labels(comparison)]
    asked_about = {
        str(each.response.id): each for pair in pairs for each in (pair.left, pair.right)
    }
    return {
        "page": page,
        "key": page_key(_log_path(), page),
        "rubric": [clean_text(question) for question in rubric],
        "not_told": "Names are shown after the last pair of a prompt.",
        "told": {each: names_told(each, "{left}", "{right}") for each in ("a", "b", "tie", "bad")},
        "prompts": {str(pair.row): asked(layout, pair.row) for pair in pairs},
        "answers": {
            id: {**side(layout, answer), "label": labels[answer.column]}
            for id, answer in asked_about.items()
        },
        "pairs": [
            {
                "key": pair.key,
                "row": str(pair.row),
                "left": pair.left.response.id,
                "right": pair.right.response.id,
            }
            for pair in pairs
        ],
    }


def _log_path() -> Path:
    path: Path | None = _process.current_session().log.open().path
    if path is None:
        raise ConfigurationError(
            "votes are rows of the log, and the log is off: unset ALLOS_LOG, or call allos.log.open(path)"
        )
    return path
