"""Votes between two answers, read from a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allos.analysis.arguments import codes_of, require_columns
from allos.errors import ConfigurationError, did_you_mean
from allos.raters import find_rater, is_judge

WINNERS = ("a", "b", "tie", "bad")
"""Which answer is better: the first, the second, neither, or both are bad."""
_COLUMNS = ("rater", "prompt", "model_a", "model_b", "winner")
_THUMBS = ("rating", "thumb", "thumbs", "liked")


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes as numbers, one entry each."""

    models: pd.Index
    """Names of the models, in order of first appearance."""
    first: np.ndarray
    second: np.ndarray
    """Numbers of the two models."""
    outcome: np.ndarray
    """1 where the first was better, 0 where the second was, 0.5 where neither was."""
    is_bad: np.ndarray
    """Whether both answers were said to be bad."""
    rater: np.ndarray
    prompt: np.ndarray
    """Numbers of rater and prompt, from 0."""

    def __len__(self) -> int:
        return len(self.first)


def read_votes(votes: pd.DataFrame) -> Votes:
    """Check votes and turn them into numbers.

    Parameters
    ----------
    votes : pandas.DataFrame
        Columns `rater`, `prompt`, `model_a`, `model_b`, `winner`; not changed.

    Returns
    -------
    Votes
        In the same order.

    Raises
    ------
    ConfigurationError
        These are no votes between two answers, or one of them is not valid.
    """
    read = _read(votes)
    same = read.first == read.second
    if same.any():
        model = read.models[int(read.first[same][0])]
        raise ConfigurationError(
            f"{int(same.sum()):,} of {len(votes):,} votes are between two answers of one model, such as "
            f"{model!r}; a ranking needs votes between two models. Leave these rows out."
        )
    return read


def read_votes_between_models(votes: pd.DataFrame) -> tuple[pd.DataFrame, Votes, list[str]]:
    """Rows between two models, the same as numbers, and a sentence where others were left out.

    Two answers of one model, such as with two temperatures, say nothing about models. Votes on nothing but
    such answers are an error, as for `read_votes`.
    """
    read = _read(votes)
    same = read.first == read.second
    if not same.any():
        return votes, read, []
    kept = votes if same.all() else votes[~same]
    count = int(same.sum())
    which = "1 vote between two answers of one model was"
    if count > 1:
        which = f"{count:,} votes between two answers of one model were"
    return kept, read_votes(kept), [f"{which} left out: they rank no models."]


def _read(votes: pd.DataFrame) -> Votes:
    """Votes as numbers, those between two answers of one model among them."""
    _refuse_thumbs(votes)
    require_columns(votes, _COLUMNS)
    winners = _winners(votes["winner"])
    rater, _ = codes_of(votes, "rater")
    prompt, _ = codes_of(votes, "prompt")
    first, first_names = codes_of(votes, "model_a")
    second, second_names = codes_of(votes, "model_b")
    models = first_names.append(second_names.difference(first_names, sort=False))
    second = models.get_indexer(second_names)[second]
    outcome = np.array([1.0, 0.0, 0.5, 0.5])[winners]
    return Votes(models, first, second, outcome, winners == 3, rater, prompt)


def votes_that_count(
    votes: pd.DataFrame, rater: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Votes of one rater; or without those of judges, where both are there; and sentences that say so.

    Votes of judges alone stay: then they are what is asked about.

    Raises
    ------
    ConfigurationError
        There is no vote of the rater.
    """
    if "rater" not in getattr(votes, "columns", ()):
        return votes, []
    if rater is not None:
        return votes[votes["rater"] == find_rater(rater, votes["rater"])], []
    judges = np.array([is_judge(each) for each in votes["rater"]], dtype=bool)
    if not judges.any():
        return votes, []
    names = sorted(set(votes["rater"][judges]))
    if judges.all():
        return votes, [f"No person has voted: these are votes of {', '.join(names)}."]
    count = int(judges.sum())
    were = "vote of a judge was" if count == 1 else "votes of judges were"
    note = (
        f"{count:,} {were} left out: they are not mixed with those of people. "
        f"rater={names[0]!r} ranks by those of a judge alone."
    )
    return votes[~judges], [note]


def _winners(column: pd.Series[str]) -> np.ndarray:
    """Place in `WINNERS` of each vote."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    for value in values:
        if not isinstance(value, str) or value not in WINNERS:
            said = "missing" if pd.isna(value) else repr(value)
            raise ConfigurationError(
                f"A winner is {said}; expected 'a', 'b', 'tie' or 'bad' (both are bad)."
                + did_you_mean(str(value).lower(), WINNERS)
            )
    places = np.array([WINNERS.index(value) for value in values], dtype=np.int64)
    return np.asarray(places[codes])


def _refuse_thumbs(votes: object) -> None:
    columns = [str(name) for name in votes.columns] if isinstance(votes, pd.DataFrame) else []
    if "winner" in columns or "model_a" in columns:
        return
    thumbs = [name for name in _THUMBS if name in columns]
    if thumbs:
        raise ConfigurationError(
            "Thumbs rate one answer alone and cannot rank models: a ranking needs votes between two answers "
            f"to one prompt, with columns {', '.join(_COLUMNS)}. "
            f"score_summary(frame, score={thumbs[0]!r}) describes thumbs."
        )
