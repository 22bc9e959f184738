"""`disagreement`: the prompts on which answers differ most."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.frames import By, by_names, check_columns, equals, numbers
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result

# A word, or one sign of a script that writes without spaces.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:[.,]\d+)*")
_LONGEST = 20_000
"""Characters of an answer that are compared."""


@returns_result("disagreement")
@groups_settings("frame")
def disagreement(
    frame: pd.DataFrame,
    by: By = "model",
    *,
    prompt: str = "prompt",
    answer: str = "content",
    score: str | None = None,
) -> pd.DataFrame:
    """Prompts ordered by how much the answers of different models differ, the most first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`: several models on the same prompts.
    by : str or iterable of str
        Columns whose values are compared; repeats of one value are averaged, and never compared with
        each other.
    prompt : str
        Column with what was asked.
    answer : str
        Column with the answers' text.
    score : str, optional
        Column with a number or pass/fail per answer: the difference is then that of the highest and
        the lowest mean, and the text is not compared.

    Returns
    -------
    pandas.DataFrame
        `prompt` (under its own name), `disagreement`, `models` (distinct values of `by`), `answers`, `distinct`
        (answers that differ, case and spaces apart), and the two that differ most, `most_different`.
        Prompts that fewer than two values of `by` answered are left out. Without `score`, `disagreement` is 1 minus
        the share of words that two answers have in common (Dice's coefficient on words with their counts),
        0 to 1, the mean over pairs.

    Raises
    ------
    ConfigurationError
        The frame has no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"prompt": ["p", "p", "q", "q"], "model": ["a", "b"] * 2, "content": ["Rome", "Oslo", "4", "4"]})
    >>> disagreement(df)[["prompt", "disagreement", "distinct"]].values.tolist()
    [['p', 1.0, 2], ['q', 0.0, 1]]
    """
    names = by_names(frame, by, "disagreement")
    value = answer if score is None else score
    check_columns(frame, [*names, prompt, value], "disagreement")
    answered = ~(equals(frame, "status", "error") | equals(frame, "status", "cancelled"))
    if score is not None:
        frame = frame.assign(**{score: numbers(frame, score)})
    frame = frame[answered & frame[value].notna().to_numpy(bool)]
    rows = []
    for asked, answers in frame.groupby(prompt, sort=False, dropna=False):
        by_model: dict[str, list[Any]] = {}
        for key, given in zip(_labels(answers, names), answers[value], strict=True):
            by_model.setdefault(key, []).append(given)
        if len(by_model) < 2:
            continue
        if score is None:
            amount, pair = _of_texts(by_model)
            distinct = len({" ".join(text.split()).casefold() for text in answers[value]})
        else:
            means = {key: float(np.mean(scores)) for key, scores in by_model.items()}
            lowest, highest = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
            amount, pair = means[highest] - means[lowest], (highest, lowest)
            distinct = len(set(answers[value]))
        rows.append((asked, amount, len(by_model), len(answers), distinct, " | ".join(pair)))
    columns = [prompt, "disagreement", "models", "answers", "distinct", "most_different"]
    kinds = {"disagreement": "Float64", "models": "Int64", "answers": "Int64", "distinct": "Int64"}
    result = pd.DataFrame(rows, columns=columns).astype(kinds)
    result[prompt] = result[prompt].astype(frame[prompt].dtype)
    return result.sort_values("disagreement", ascending=False, kind="stable", ignore_index=True)


def _labels(frame: pd.DataFrame, names: list[str]) -> list[str]:
    if not names:  # each answer is one of its own
        return [str(number) for number in range(len(frame))]
    return [" / ".join(map(str, key)) for key in frame[names].itertuples(index=False)]


def _of_texts(by_model: dict[str, list[str]]) -> tuple[float, tuple[str, str]]:
    """Mean difference of the pairs of models, and the pair that differs most."""
    words = {
        key: [Counter(_WORD.findall(text[:_LONGEST].casefold())) for text in texts]
        for key, texts in by_model.items()
    }
    differences = {}
    for one, other in combinations(words, 2):
        values = [_difference(a, b) for a in words[one] for b in words[other]]
        differences[one, other] = sum(values) / len(values)
    pair = max(differences, key=differences.__getitem__)
    return sum(differences.values()) / len(differences), pair


def _difference(a: Counter[str], b: Counter[str]) -> float:
    total = a.total() + b.total()
    if not total:
        return 0.0
    return 1.0 - 2 * (a & b).total() / total
