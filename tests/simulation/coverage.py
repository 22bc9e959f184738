"""Studies with a known truth: how often do the intervals contain it, and the naive ones?

Run ``python -m tests.simulation.coverage`` to print the table of
``docs/explanation/interval-coverage.md`` (under a minute).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allos.analysis import leaderboard, paired, score_summary
from allos.analysis.rankings import SCALE

STUDIES = 2000
FEWEST, MOST = 15, 500
"""Prompts of a study."""
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(60)


@dataclass(frozen=True)
class Coverage:
    """Of one kind of study: percent of intervals that contain the truth."""

    kind: str
    ours: float
    naive: float
    """Intervals of 1.96 standard errors that take every answer, or vote, as independent."""
    small: float
    """Ours, in the third of the studies with the fewest prompts, or raters."""


def _coverage(kind: str, hits: list[bool], naive: list[bool], sizes: list[int]) -> Coverage:
    few = np.array(sizes) <= np.quantile(sizes, 1 / 3)
    inside = np.array(hits)
    return Coverage(kind, 100 * inside.mean(), 100 * np.mean(naive), 100 * inside[few].mean())


def _sizes(chooser: np.random.Generator, studies: int) -> np.ndarray:
    """Numbers of prompts, from 15 to 500, the small ones as likely as the large ones."""
    return np.exp(chooser.uniform(math.log(FEWEST), math.log(MOST + 1), studies)).astype(int)


def _clusters(chooser: np.random.Generator, prompts: int) -> np.ndarray:
    """Documents of unequal size, five prompts each on average."""
    count = max(3, prompts // 5)
    extra = chooser.choice(count, size=prompts - count, p=chooser.dirichlet(np.full(count, 3.0)))
    return np.concatenate([np.arange(count), extra])


def logistic_mean(centre: float | np.ndarray, spread: float) -> np.ndarray:
    """Mean of the logistic function of a normal variable."""
    nodes = np.asarray(centre)[..., None] + math.sqrt(2) * spread * _NODES
    return np.asarray((_WEIGHTS / math.sqrt(math.pi) / (1 + np.exp(-nodes))).sum(axis=-1))


def scores(
    kind: str, *, pass_fail: bool, repeats: int, clustered: bool, studies: int, seed: int
) -> Coverage:
    """Studies of one model, all summarised in one call."""
    chooser = np.random.default_rng(seed)
    frames, truths, sizes = [], [], _sizes(chooser, studies)
    for prompts in sizes:
        centre = chooser.uniform(-1.5, 2.5)
        document = _clusters(chooser, prompts) if clustered else np.arange(prompts)
        # As much between documents as between the prompts of one.
        hard = chooser.normal(size=prompts) + clustered * chooser.normal(size=prompts)[document]
        level = (centre + hard)[:, None]
        if pass_fail:
            score = (chooser.random((prompts, repeats)) < 1 / (1 + np.exp(-level))).astype(float)
            truths.append(float(logistic_mean(centre, math.sqrt(1 + clustered))))
        else:
            score = level + chooser.normal(size=(prompts, repeats))
            truths.append(centre)
        frames.append(
            (np.repeat(np.arange(prompts), repeats), np.repeat(document, repeats), score.ravel())
        )
    prompt, document, score = (np.concatenate(parts) for parts in zip(*frames, strict=True))
    study = np.repeat(np.arange(studies), [len(parts[0]) for parts in frames])
    frame = pd.DataFrame({"study": study, "prompt": prompt, "document": document, "score": score})
    cluster = "document" if clustered else None
    found = score_summary(frame, score="score", by="study", cluster=cluster).sort_values("study")
    grouped = frame.groupby("study")["score"]
    reach = 1.96 * grouped.std() / np.sqrt(grouped.count())
    truth = np.array(truths)
    inside = ((found["low"] <= truth) & (found["high"] >= truth)).tolist()
    naive = ((grouped.mean() - truth).abs() <= reach).tolist()
    return _coverage(kind, inside, naive, sizes.tolist())


def differences(
    kind: str, *, pass_fail: bool, repeats: int, clustered: bool, studies: int, seed: int
) -> Coverage:
    """Studies of two models on the same prompts."""
    chooser = np.random.default_rng(seed)
    sizes = _sizes(chooser, studies)
    hits, naive = [], []
    for prompts in sizes:
        gap, centre = chooser.uniform(-1, 1), chooser.uniform(-1, 1)
        document = _clusters(chooser, prompts) if clustered else np.arange(prompts)
        # How much the models differ depends on the prompt, and on its document.
        own = chooser.normal(size=prompts) / 2
        own = own + clustered * chooser.normal(size=prompts)[document] / 2
        hard = chooser.normal(size=prompts)
        levels = np.stack([centre + gap + hard + own, centre + hard])[:, :, None]
        shape = (2, prompts, repeats)
        truth = gap
        if pass_fail:
            score = (chooser.random(shape) < 1 / (1 + np.exp(-levels))).astype(float)
            spread = math.sqrt(1.25 + clustered / 4)
            truth = float(logistic_mean(centre + gap, spread) - logistic_mean(centre, 1.0))
        else:
            score = levels + chooser.normal(size=shape)
        frame = pd.DataFrame(
            {
                "model": np.repeat(["a", "b"], prompts * repeats),
                "prompt": np.tile(np.repeat(np.arange(prompts), repeats), 2),
                "document": np.tile(np.repeat(document, repeats), 2),
                "score": score.ravel(),
            }
        )
        cluster = "document" if clustered else None
        found = paired(frame, score="score", a="a", b="b", cluster=cluster).iloc[0]
        hits.append(bool(found["low"] <= truth <= found["high"]))
        flat = score.reshape(2, -1)
        reach = 1.96 * math.sqrt((flat.var(axis=1, ddof=1) / flat.shape[1]).sum())
        naive.append(bool(abs(flat[0].mean() - flat[1].mean() - truth) <= reach))
    return _coverage(kind, hits, naive, sizes.tolist())


@dataclass(frozen=True)
class VotesStudied:
    """Votes of many studies."""

    coverage: Coverage
    order: float
    """Rank correlation of the ratings with the truth, on average."""
    ranks: float
    """Percent of models whose true rank lies from `rank_low` to `rank_high`."""


def rankings(
    kind: str, *, by_rater: float, by_prompt: float, studies: int, seed: int
) -> VotesStudied:
    """Studies in which raters, and prompts, have leanings of their own."""
    chooser = np.random.default_rng(seed)
    hits, naive, sizes, orders, ranks = [], [], [], [], []
    for prompts in _sizes(chooser, studies):
        models = int(chooser.integers(3, 7))
        raters = int(chooser.integers(8, 60))
        count = raters * int(chooser.integers(10, 31))
        strength = np.sort(chooser.normal(size=models))[::-1]
        rater = np.repeat(np.arange(raters), count // raters)
        prompt = chooser.integers(prompts, size=count)
        first = chooser.integers(models, size=count)
        second = (first + 1 + chooser.integers(models - 1, size=count)) % models
        lean = chooser.normal(size=(raters, models))[rater] * by_rater
        lean = lean + chooser.normal(size=(prompts, models))[prompt] * by_prompt
        row = np.arange(count)
        odds = strength[first] - strength[second] + lean[row, first] - lean[row, second]
        winner = np.where(chooser.random(count) < 1 / (1 + np.exp(-odds)), "a", "b")
        winner = np.where(chooser.random(count) < 0.1, "tie", winner)
        frame = pd.DataFrame(
            {
                "rater": rater,
                "prompt": prompt,
                "model_a": first,
                "model_b": second,
                "winner": winner,
            }
        )
        spread = math.sqrt(2 * (by_rater**2 + by_prompt**2))
        truth = SCALE * _average_strengths(strength, spread)
        found = leaderboard(frame).sort_values("model")
        hits.append(((found["low"] <= 1000 + truth) & (1000 + truth <= found["high"])).to_numpy())
        reach = 1.96 * SCALE * _naive_errors(frame, truth / SCALE)
        naive.append(np.abs(found["rating"] - 1000 - truth) <= reach)
        true_rank = np.arange(1, models + 1)
        ranks.append((found["rank_low"] <= true_rank) & (true_rank <= found["rank_high"]))
        orders.append(float(np.corrcoef(found["rating"].rank(), truth)[0, 1]))
        sizes.extend([raters] * models)
    inside, plain = (np.concatenate(parts).tolist() for parts in (hits, naive))
    within = 100 * float(np.concatenate(ranks).mean())
    return VotesStudied(_coverage(kind, inside, plain, sizes), float(np.mean(orders)), within)


def _average_strengths(strength: np.ndarray, spread: float) -> np.ndarray:
    """Strengths that explain the votes of all raters on all prompts, a tenth of them ties."""
    chance = 0.9 * logistic_mean(strength[:, None] - strength, spread) + 0.05
    found = np.zeros(len(strength))
    for _ in range(12):
        fitted = 1 / (1 + np.exp(found - found[:, None]))
        weight = fitted * (1 - fitted)
        np.fill_diagonal(weight, 0)
        information = np.diag(weight.sum(axis=1)) - weight
        found = found + _inverse(information) @ (chance - fitted).sum(axis=1)
    return found


def _naive_errors(frame: pd.DataFrame, strength: np.ndarray) -> np.ndarray:
    """Standard errors of strengths if all votes were independent."""
    first, second = frame["model_a"].to_numpy(), frame["model_b"].to_numpy()
    chance = 1 / (1 + np.exp(strength[second] - strength[first]))
    information = np.zeros((len(strength), len(strength)))
    weight = chance * (1 - chance)
    np.add.at(information, (first, first), weight)
    np.add.at(information, (second, second), weight)
    np.add.at(information, (first, second), -weight)
    np.add.at(information, (second, first), -weight)
    return np.sqrt(np.diag(_inverse(information)))


def _inverse(information: np.ndarray) -> np.ndarray:
    """Pseudo-inverse of a matrix whose rows sum to 0."""
    level = np.full(information.shape, 1 / len(information))
    return np.asarray(np.linalg.inv(information + level) - level)


def null_p_values(*, pass_fail: bool, studies: int, seed: int) -> np.ndarray:
    """P-values of two models that are equally good."""
    chooser = np.random.default_rng(seed)
    found = np.empty(studies)
    for study, prompts in enumerate(_sizes(chooser, studies) + 60):
        hard = chooser.normal(size=prompts)
        if pass_fail:
            score = (chooser.random((2, prompts)) < 1 / (1 + np.exp(-hard))).astype(float)
        else:
            score = hard + chooser.normal(size=(2, prompts))
        frame = pd.DataFrame(
            {
                "model": np.repeat(["a", "b"], prompts),
                "prompt": np.tile(np.arange(prompts), 2),
                "score": score.ravel(),
            }
        )
        found[study] = paired(frame, score="score", a="a", b="b")["p_value"].item()
    return found


SCORES = {
    (
        f"{'pass/fail' if pass_fail else 'numbers'}, {'1 answer' if repeats == 1 else f'{repeats} answers'}"
        f"{', prompts in documents' if clustered else ''}"
    ): {"pass_fail": pass_fail, "repeats": repeats, "clustered": clustered}
    for pass_fail in (False, True)
    for repeats, clustered in ((1, False), (4, False), (1, True), (4, True))
}
PAIRED = {kind: how for kind, how in SCORES.items() if (how["repeats"] > 1) == how["clustered"]}
VOTES = {
    "raters differ": {"by_rater": 0.8, "by_prompt": 0.0},
    "prompts differ": {"by_rater": 0.0, "by_prompt": 0.8},
    "raters and prompts differ": {"by_rater": 0.7, "by_prompt": 0.7},
}


def table(studies: int = STUDIES) -> str:
    """All studies, as a table in Markdown."""
    found = [
        *(scores(f"mean: {kind}", studies=studies, seed=1, **how) for kind, how in SCORES.items()),
        *(
            differences(f"difference: {kind}", studies=studies, seed=2, **how)
            for kind, how in PAIRED.items()
        ),
    ]
    ranked = [
        rankings(f"votes: {kind}", studies=studies, seed=3, **how) for kind, how in VOTES.items()
    ]
    lines = [
        "| studies | intervals of allos | of these, the smallest third | naive intervals |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.kind} | {one.ours:.1f} % | {one.small:.1f} % | {one.naive:.1f} % |"
        for one in [*found, *(one.coverage for one in ranked)]
    ]
    lines += [
        "",
        "| votes | true rank within the set | rank correlation with the truth |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {one.coverage.kind.removeprefix('votes: ')} | {one.ranks:.1f} % | {one.order:.3f} |"
        for one in ranked
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
