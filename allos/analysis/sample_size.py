"""What a study can show, before anything is paid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.arguments import require_level, require_positive, values_of
from allos.analysis.distributions import normal_quantile, t_quantile
from allos.analysis.results import returns_result
from allos.analysis.scores import scored_answers
from allos.analysis.variance import variance_components
from allos.errors import ConfigurationError

_MOST_PROMPTS = 100_000_000


@returns_result("power")
def power(
    n_prompts: int | Sequence[int] | None = None,
    repeats: int | Sequence[int] = 1,
    *,
    difference: float | Sequence[float] | None = None,
    power: float = 0.8,
    level: float = 0.95,
    pass_rate: float = 0.5,
    prompt_sd: float | None = None,
    repeat_sd: float | None = None,
    pilot: pd.DataFrame | None = None,
    score: str | None = None,
    a: Any = None,
    b: Any = None,
    by: str = "model",
    prompt: str = "prompt",
) -> pd.DataFrame:
    """What difference of two models a study can show, or how many prompts it needs to show one.

    Parameters
    ----------
    n_prompts : int or sequence of int, optional
        Prompts, each answered by both models.
    repeats : int or sequence of int
        Answers of each model to each prompt.
    difference : float or sequence of float, optional
        Of mean scores or pass rates: 0.05 is 5 points. Without `n_prompts` the result is how many prompts show it;
        with `n_prompts`, how likely they do.
    power : float
        Chance to find the difference, where it is one of those asked for.
    level : float
        Of the interval that is to exclude 0.
    pass_rate : float
        Rough pass rate, for pass/fail scores of which nothing else is known.
    prompt_sd : float, optional
        Standard deviation over prompts of the true difference between the models.
    repeat_sd : float, optional
        Standard deviation of the scores of one model on one prompt.
    pilot : pandas.DataFrame, optional
        Answers of an earlier study: the standard deviations are estimated from them.
    score, a, b, by, prompt
        Columns and models of the pilot, as for `paired`.

    Returns
    -------
    pandas.DataFrame
        One row per combination: `n_prompts`, `repeats`, `n_answers` (of both models together), `difference`,
        `power` and `level`. ``attrs`` has `prompt_sd`, `repeat_sd` and `assumptions`, a sentence.

    Raises
    ------
    ConfigurationError
        Neither `n_prompts` nor `difference` is given, or a number is out of its range.

    Notes
    -----
    The paired t-test, with the variance (prompt_sd² + 2 repeat_sd² / repeats) / n_prompts of a difference
    of means (Miller 2024, arXiv:2411.00640, section 5). Without a pilot or standard deviations it is assumed that
    half of the variance p (1 - p) of an answer is between prompts, and that prompts are as hard for one model as for
    the other to a correlation of 0.5: rough, so take a pilot where there is one. Prompts in clusters need
    more.

    Examples
    --------
    >>> power(200, repeats=[1, 5])[["n_prompts", "repeats", "difference"]].round(3)
       n_prompts  repeats  difference
    0        200        1       0.122
    1        200        5       0.083
    >>> power(difference=0.05, prompt_sd=0.3, repeat_sd=0.2)["n_prompts"].item()
    536
    """
    require_level(level)
    require_level(power, "power")
    prompt_sd, repeat_sd, said = _spread(
        pass_rate, prompt_sd, repeat_sd, pilot, (score, a, b, by, prompt)
    )
    if n_prompts is None and difference is None:
        raise ConfigurationError(
            "Give n_prompts= for the difference they can show, or difference= for the prompts it needs."
        )
    rows = []
    for k in _integers("repeats", repeats, 1):
        variance = prompt_sd**2 + 2 * repeat_sd**2 / k
        sizes = [None] if n_prompts is None else _integers("n_prompts", n_prompts, 2)
        for size, gap in product(sizes, _differences(difference)):
            rows.append((k, *_solved(size, gap, variance, power, level)))
    result = pd.DataFrame(rows, columns=["repeats", "n_prompts", "difference", "power"])
    result["n_answers"] = 2 * result["n_prompts"] * result["repeats"]
    result["level"] = level
    result = result[["n_prompts", "repeats", "n_answers", "difference", "power", "level"]]
    result.attrs.update(prompt_sd=prompt_sd, repeat_sd=repeat_sd, assumptions=said)
    return result


def _solved(
    n_prompts: int | None, difference: float | None, variance: float, power: float, level: float
) -> tuple[int, float, float]:
    """Prompts, difference and power, of which one was not given."""
    if difference is None:
        assert n_prompts is not None
        return n_prompts, _detectable(n_prompts, variance, power, level), power
    if n_prompts is None:
        n_prompts = _prompts_needed(difference, variance, power, level)
    return n_prompts, difference, _power_of(n_prompts, difference, variance, level)


def _power_of(n_prompts: int, difference: float, variance: float, level: float) -> float:
    """Chance that the paired t-test finds a difference."""
    if variance == 0:
        return 1.0
    shift = difference / math.sqrt(variance / n_prompts)
    dof = n_prompts - 1
    # The noncentral t distribution, by the shifted one with its variance (Johnson and Welch 1940).
    reach = t_quantile(0.5 + level / 2, dof)
    scale = math.sqrt(1 + reach**2 / (2 * dof))
    corrected = 1 - 1 / (4 * dof) if dof > 1 else 0.8
    above = 0.5 * math.erfc((reach * corrected - shift) / scale / math.sqrt(2))
    below = 0.5 * math.erfc((reach * corrected + shift) / scale / math.sqrt(2))
    return min(1.0, above + below)


def _detectable(n_prompts: int, variance: float, power: float, level: float) -> float:
    """Smallest difference that is found with this power."""
    error = math.sqrt(variance / n_prompts)
    low, high = 0.0, 10 * error * t_quantile(0.5 + level / 2, n_prompts - 1)
    high += 10 * error * normal_quantile(max(power, 0.5))
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (
            (middle, high)
            if _power_of(n_prompts, middle, variance, level) < power
            else (low, middle)
        )
    return high


def _prompts_needed(difference: float, variance: float, power: float, level: float) -> int:
    """Fewest prompts that find a difference with this power."""
    low, high = 1, 2
    while _power_of(high, difference, variance, level) < power:
        low, high = high, high * 2
        if high > _MOST_PROMPTS:
            raise ConfigurationError(
                f"A difference of {difference:g} needs more than {_MOST_PROMPTS:,} prompts; expect a larger one."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high)
            if _power_of(middle, difference, variance, level) < power
            else (low, middle)
        )
    return high


def _spread(
    pass_rate: float,
    prompt_sd: float | None,
    repeat_sd: float | None,
    pilot: pd.DataFrame | None,
    names: tuple[Any, ...],
) -> tuple[float, float, str]:
    """Standard deviation of differences over prompts, and of repeats; where they are from."""
    for name, value in (("prompt_sd", prompt_sd), ("repeat_sd", repeat_sd)):
        if value is not None:
            require_positive(name, value)
    if pilot is not None:
        own, repeat, said = _of_pilot(pilot, *names)
        return (
            own if prompt_sd is None else float(prompt_sd),
            repeat if repeat_sd is None else float(repeat_sd),
            said,
        )
    require_level(pass_rate, "pass_rate")
    half = math.sqrt(pass_rate * (1 - pass_rate) / 2)
    if prompt_sd is not None or repeat_sd is not None:
        return float(prompt_sd or 0), float(repeat_sd or 0), "The standard deviations are yours."
    said = (
        f"Pass/fail scores with a pass rate of {pass_rate:g}, half of their variance between prompts, as "
        "hard for both models to a correlation of 0.5; a pilot= study tells better."
    )
    return half, half, said


def _of_pilot(
    pilot: pd.DataFrame, score: str | None, a: Any, b: Any, by: str, prompt: str
) -> tuple[float, float, str]:
    if score is None or a is None or b is None:
        raise ConfigurationError(
            "With pilot=, score= must name the column of scores, and a= and b= the two models."
        )
    from allos.analysis.paired_scores import paired

    paired(pilot, score=score, a=a, b=b, by=by, prompt=prompt)  # names what is missing
    answers = scored_answers(pilot[pilot[by].isin([a, b])], score, by, prompt, None)
    parts = [answers.of(list(answers.groups).index(model)) for model in (a, b)]
    within = []
    for prompts, scores, _ in parts:
        alike = np.zeros(len(scores), dtype=np.int64)
        within.append(variance_components(scores, prompts, np.arange(len(scores)), alike)[1])
    count = int(answers.prompt.max()) + 1
    sizes = [np.bincount(prompts, minlength=count) for prompts, _, _ in parts]
    both = np.flatnonzero((sizes[0] > 0) & (sizes[1] > 0))
    if len(both) < 2:
        raise ConfigurationError("The pilot has fewer than two prompts that both models answered.")
    means = [
        np.bincount(prompts, scores, minlength=count)[both] / size[both]
        for (prompts, scores, _), size in zip(parts, sizes, strict=True)
    ]
    spread = float(np.var(means[0] - means[1], ddof=1))
    known = [value for value in within if not math.isnan(value)]
    if not known:
        # No repeats: what is of the prompt and what of chance is unknown; it does not average out.
        return math.sqrt(spread), 0.0, "From the pilot, which has no repeats: they may help more."
    repeat = float(np.mean(known))
    noise = sum(repeat * float((1 / size[both]).mean()) for size in sizes)
    return math.sqrt(max(0.0, spread - noise)), math.sqrt(repeat), "From the pilot."


def _integers(name: str, value: Any, least: int) -> list[int]:
    values = values_of(value)
    for each in values:
        valid = isinstance(each, int | np.integer) and not isinstance(each, bool)
        if not valid or each < least:
            raise ConfigurationError(f"{name} must be an integer >= {least}; got {each!r}.")
    return [int(each) for each in values]


def _differences(value: Any) -> list[float | None]:
    if value is None:
        return [None]
    values = values_of(value)
    for each in values:
        valid = isinstance(each, int | float | np.number) and not isinstance(each, bool)
        if not valid or not 0 < abs(each) < math.inf:
            raise ConfigurationError(f"difference must be a number other than 0; got {each!r}.")
    return [abs(float(each)) for each in values]
