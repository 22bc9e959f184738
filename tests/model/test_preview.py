"""The embedded model counts a prompt's tokens as it then uses them."""

from __future__ import annotations

import allos


def test_exact_count_is_what_the_answer_reports() -> None:
    """`exact=True` gives the number of tokens that the answer's usage tells."""
    given = {"model": "local/smollm2", "max_tokens": 1}
    prompt = "Zwölf Boxkämpfer jagen 12,345 Eulen: def f(x): return x**2"
    plan = allos.preview(prompt, exact=True, **given)
    answer = allos.ask(prompt, **given)

    assert plan.requests[0].estimate.counted
    assert plan.requests[0].estimate.input_tokens == answer.usage.input_tokens


def test_embedded_model_costs_a_budget_nothing() -> None:
    """It runs on the user's own computer: a budget of nothing lets it answer; the log has no cost."""
    with allos.budget(0) as budget:
        answer = allos.ask("Hi", model="local/smollm2", max_tokens=1)

    assert answer.ok
    assert answer.cost_usd is None
    assert (budget.spent_usd, budget.calls) == (0.0, 1)
