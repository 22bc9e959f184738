"""What statistics take: rankings with intervals, and summaries of scores.

Run: ``python -m tests.perf.bench_analysis``. It prints figures with versions and asserts nothing; the
aims are 10 ms for 2,000 votes of 8 models, and 1 s for a million votes of 100 models or a million scores.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import allos
from allos.analysis import leaderboard, paired, score_summary


def names(kind: str, count: int, size: int, chooser: np.random.Generator) -> np.ndarray:
    return np.array([f"{kind}-{number}" for number in range(count)])[
        chooser.integers(count, size=size)
    ]


def votes(count: int, models: int, raters: int, prompts: int) -> pd.DataFrame:
    chooser = np.random.default_rng(1)
    strength = np.linspace(0, 2, models)
    first = chooser.integers(models, size=count)
    second = (first + 1 + chooser.integers(models - 1, size=count)) % models
    wins = chooser.random(count) < 1 / (1 + np.exp(strength[second] - strength[first]))
    winner = np.where(wins, "a", "b")
    labels = np.array([f"provider/model-{number}" for number in range(models)])
    return pd.DataFrame(
        {
            "rater": names("rater", raters, count, chooser),
            "prompt": names("prompt", prompts, count, chooser),
            "model_a": labels[first],
            "model_b": labels[second],
            "winner": np.where(chooser.random(count) < 0.1, "tie", winner),
        }
    )


def scores(count: int) -> pd.DataFrame:
    chooser = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "model": names("provider/model", 8, count, chooser),
            "prompt": names("prompt", 20_000, count, chooser),
            "notebook": names("notebook", 300, count, chooser),
            "score": chooser.random(count),
        }
    )


def best_s(task: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Least seconds by the clock, and of CPU, of some runs of a task."""
    clock, cpu = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        task()
        clock.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return min(clock), min(cpu)


def main() -> None:
    print(
        f"allos {allos.__version__}, Python {platform.python_version()}, pandas {pd.__version__}, "
        f"NumPy {np.__version__}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    few, many = votes(2_000, 8, 30, 200), votes(1_000_000, 100, 20_000, 100_000)
    frame = scores(1_000_000)
    frame["passed"] = frame["score"] > 0.4
    first, second = frame["model"].unique()[:2]
    tasks: list[tuple[str, Callable[[], object], int]] = [
        ("leaderboard, 2,000 votes x 8 models", lambda: leaderboard(few), 20),
        ("leaderboard, 1,000,000 votes x 100 models", lambda: leaderboard(many), 3),
        ("score_summary, 1,000,000 numbers", lambda: score_summary(frame, score="score"), 3),
        ("score_summary, 1,000,000 pass/fail", lambda: score_summary(frame, score="passed"), 3),
        (
            "score_summary, 1,000,000 numbers in 300 notebooks",
            lambda: score_summary(frame, score="score", cluster="notebook"),
            3,
        ),
        ("paired, 1,000,000 rows", lambda: paired(frame, score="score", a=first, b=second), 3),
    ]
    for label, task, repeats in tasks:
        clock, cpu = best_s(task, repeats)
        print(f"{label:52} {clock * 1e3:9.1f} ms, CPU {cpu * 1e3:9.1f} ms")


if __name__ == "__main__":
    main()
