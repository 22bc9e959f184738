from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from allos.notebook import prompts
from allos.providers.pricing.estimates import Estimate
from allos.providers.pricing.planned_requests import LARGE_CALLS, PlannedRequest, Preview


def _plan(calls: int, worst_cost_usd: float | None) -> Preview:
    estimate = Estimate(input_tokens=1, bound_tokens=1, worst_cost_usd=worst_cost_usd)
    one = PlannedRequest(
        provider="groq", model="m", api="chat", method="POST", url="u", headers={}, body={},
        estimate=estimate, calls=calls,
    )  # fmt: skip
    return Preview((one,), {})


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answers to give; the questions stand behind them."""
    answers: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: answers.pop(0))
    return answers


def test_only_a_large_comparison_is_asked_about(typed: list[str]) -> None:
    """Few cheap calls go without a question; many, or dear ones, do not."""
    assert prompts.confirm(_plan(3, 0.01)) is True
    typed += ["n"]
    assert prompts.confirm(_plan(LARGE_CALLS, None)) is False
    typed += ["what?", "Y"]
    assert prompts.confirm(_plan(2, 0.6)) is True
    assert typed == []


def test_another_thread_cannot_ask(typed: list[str]) -> None:
    """A thread that cannot ask says no."""
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(prompts.confirm("Spend it?")))
    thread.start()
    thread.join()

    assert said == [False]


def test_nobody_there_nobody_asked() -> None:
    """Outside a kernel that takes questions there is nobody."""
    shell: Any = SimpleNamespace(display_pub=None, get_parent=dict)

    assert prompts.confirmation(None) is None
    assert prompts.confirmation(shell) is None
    assert prompts.comparison_confirmation(shell, 1000) is None
