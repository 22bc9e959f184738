"""Ratios measured in one run: A and B take turns, so that a slow moment hits both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from importlib.metadata import version
from platform import machine, python_version
from time import perf_counter


def seconds(run: Callable[[], object]) -> float:
    """Wall seconds of one run."""
    start = perf_counter()
    run()
    return perf_counter() - start


def ratio(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Median of the pairwise ratios ours / theirs, and both medians in seconds."""
    ours(), theirs()  # warm up
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def heading(*packages: str) -> str:
    """Versions of what was measured."""
    found = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"Python {python_version()} on {machine()}; {found}"
