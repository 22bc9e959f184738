"""A comparison of two or three scripted models whose answers are in a log of the test's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import allos
from allos import testing
from allos.runs.comparison import Comparison

MODELS = ("kind/model-a", "short/model-b", "odd/model-c")
ANSWERS = {
    "kind": ["I am sorry. We look into it.", "Of course you may.", "It is on its way."],
    "short": ["Wait.", "No.", "Ask again."],
    "odd": ["As ChatGPT I cannot.", "Perhaps.", "Who knows."],
}
PROMPTS = ("Where is my parcel?", "May I return it?", "Where is my refund?")


@contextmanager
def compared(
    path: Path, *, models: int = 2, prompts: Sequence[str] = PROMPTS, **options: Any
) -> Iterator[Comparison]:
    """Ask the models, and close the log at the end."""
    allos.log.open(path)
    for name, answers in ANSWERS.items():
        testing.register(name, [*answers] * 20)
    try:
        comparison = allos.compare(prompts=list(prompts), models=MODELS[:models], **options)
        yield comparison.wait(20)
    finally:
        for name in ANSWERS:
            testing.unregister(name)
        allos.log.close()
