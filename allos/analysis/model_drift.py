"""`drift`: whether a model changed between two times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.frames import By, Floats, by_names, check_columns, costs, equals, numbers
from allos.analysis.model_settings import groups_settings
from allos.analysis.multiple_tests import holm
from allos.analysis.rank_tests import pairs, two_samples
from allos.analysis.results import returns_result

_MEASURES = (
    *("error_rate", "latency_s", "time_to_first_token_s", "tokens_per_second"),
    *("output_tokens", "reasoning_tokens", "cost_usd", "answer_chars"),
)
_LEAST_PAIRS = 5
SIGNIFICANT = 0.05
"""A corrected p-value below this is called a change."""


@returns_result("drift")
@groups_settings("a", "b")
def drift(
    a: pd.DataFrame,
    b: pd.DataFrame,
    by: By = "model",
    *,
    prompt: str = "prompt",
    score: str | None = None,
) -> pd.DataFrame:
    """Compare two times, measure by measure: before (`a`) against after (`b`).

    Parameters
    ----------
    a, b : pandas.DataFrame
        Rows of `allos.responses`: last week's and today's.
    by : str, iterable of str or None
        Columns whose values are compared with themselves; None: everything together.
    prompt : str
        Column that says which calls are repeats. Repeats are averaged first.
    score : str, optional
        Column with a number or pass/fail per answer, compared as well.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, `measure`, `a` and `b` (means over prompts), `difference` (``b - a``), `prompts`
        (how many were compared: pairs, or the smaller of both sides), `paired`, `p_value` (corrected
        for the number of measures of the group), `changed` (p-value below 0.05; null where there is
        too little to tell), and `note`.

        The measure ``same_answer`` is the share of equal answers to the same prompt: among the repeats
        of `a`, and between `a` and `b`. The measures ``response_model`` and ``system_fingerprint`` have the
        number of distinct values, and are changed where `b` has one that `a` has not; `note` names them.

    Raises
    ------
    ConfigurationError
        A frame has no such column.

    Notes
    -----
    Assumes that prompts are independent of each other. With at least 5 prompts in both frames these are compared in
    pairs (Wilcoxon's signed-rank test); otherwise all prompts of one with all of the other (Mann-Whitney), which cannot
    tell a change of the model from a change of the prompts. Both tests use ranks, so that a few slow calls do not decide.

    Examples
    --------
    >>> import pandas as pd
    >>> def week(seconds):
    ...     prompts = [f"p{n}" for n in range(20)]
    ...     return pd.DataFrame({"model": "m", "prompt": prompts, "latency_s": seconds})
    >>> found = drift(week([1 + n / 100 for n in range(20)]), week([2 + n / 100 for n in range(20)]))
    >>> found[["measure", "difference", "changed"]].values.tolist()
    [['latency_s', 1.0, True]]
    """
    names = by_names(a, by, "drift")
    needed = [*names, prompt, *([] if score is None else [score])]
    for frame in (a, b):
        by_names(frame, None, "drift")
        check_columns(frame, needed, "drift")
    rows: list[dict[str, Any]] = []
    sides = [dict(_split(frame, names)) for frame in (a, b)]
    for key in [key for key in sides[0] if key in sides[1]]:
        before, after = sides[0][key], sides[1][key]
        found = [*_compare(before, after, prompt, score), *_same_answer(before, after, prompt)]
        for row, p_value in zip(found, holm([row["p_value"] for row in found]), strict=True):
            row["p_value"] = float(p_value)
            row["changed"] = None if np.isnan(p_value) else bool(p_value < SIGNIFICANT)
        found += _served(before, after)
        rows += [dict(zip(names, key, strict=True)) | row for row in found]
    columns = [*names, "measure", "a", "b", "difference", "prompts", "paired", "p_value"]
    result = pd.DataFrame(rows, columns=[*columns, "changed", "note"])
    kinds = dict.fromkeys(["a", "b", "difference", "p_value"], "Float64")
    return result.astype(
        {**kinds, "prompts": "Int64", "paired": "boolean", "changed": "boolean", "note": "str"}
    )


def _split(frame: pd.DataFrame, names: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    if not names:
        yield (), frame
        return
    yield from frame.groupby(names, dropna=False, sort=False)


def _measure(frame: pd.DataFrame, name: str) -> Floats:
    failed = equals(frame, "status", "error")
    answered = ~(failed | equals(frame, "status", "cancelled"))
    if name == "error_rate":
        return failed.astype(float) if "status" in frame.columns else np.full(len(frame), np.nan)
    if name == "answer_chars":
        if "content" not in frame.columns:
            return np.full(len(frame), np.nan)
        values = numbers(frame.assign(answer_chars=frame["content"].str.len()), name)
    else:
        values = (
            costs(frame) if name == "cost_usd" and name in frame.columns else numbers(frame, name)
        )
    return np.where(answered, values, np.nan)


def _compare(
    a: pd.DataFrame, b: pd.DataFrame, prompt: str, score: str | None
) -> Iterator[dict[str, Any]]:
    for name in (*_MEASURES, *([] if score is None else [score])):
        before, after = (
            pd.Series(_measure(frame, name)).groupby(frame[prompt].to_numpy()).mean().dropna()
            for frame in (a, b)
        )
        if before.empty or after.empty:
            continue
        shared = before.index.intersection(after.index)
        paired = len(shared) >= _LEAST_PAIRS
        if paired:
            before, after = before[shared], after[shared]
            p_value = pairs(np.asarray(after - before, dtype=np.float64))
        else:
            p_value = two_samples(
                np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
            )
        first, second = float(before.mean()), float(after.mean())
        yield {
            "measure": name,
            "a": first,
            "b": second,
            "difference": second - first,
            "prompts": min(len(before), len(after)),
            "paired": paired,
            "p_value": p_value,
            "note": "" if paired else "not the same prompts",
        }


def _same_answer(a: pd.DataFrame, b: pd.DataFrame, prompt: str) -> list[dict[str, Any]]:
    """Equal answers among the repeats of `a`, and between `a` and `b`, by prompt that both have."""
    if "content" not in a.columns or "content" not in b.columns:
        return []
    before, after = (
        frame[frame["content"].notna()].groupby(prompt)["content"].agg(list) for frame in (a, b)
    )
    within, between = [], []
    for text in before.index.intersection(after.index):
        old, new = before[text], after[text]
        between.append(np.mean([one == other for one in old for other in new]))
        repeats = [old[i] == old[j] for i in range(len(old)) for j in range(i)]
        within.append(np.mean(repeats) if repeats else np.nan)
    if not between:
        return []
    inner, outer = np.array(within, dtype=float), np.array(between, dtype=float)
    both = ~np.isnan(inner)
    if both.any():  # these alone can be compared
        inner, outer = inner[both], outer[both]
    first, second = float(inner.mean()), float(outer.mean())
    return [
        {
            "measure": "same_answer",
            "a": first,
            "b": second,
            "difference": second - first,
            "prompts": len(outer),
            "paired": True,
            "p_value": pairs(outer - inner) if both.any() else math.nan,
            "note": ""
            if both.any()
            else "a has no repeats: how much its own answers differ is unknown",
        }
    ]


def _served(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for name in ("response_model", "system_fingerprint"):
        if name not in a.columns or name not in b.columns:
            continue
        before, after = (set(frame[name].dropna()) for frame in (a, b))
        if before and after:
            new = sorted(map(str, after - before))
            yield {
                "measure": name,
                "a": len(before),
                "b": len(after),
                "difference": len(after) - len(before),
                "changed": bool(new),
                "note": f"new: {', '.join(new)}" if new else "",
            }
