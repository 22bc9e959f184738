"""A budget in front of real calls: it is never exceeded, and unknown costs count as worst case."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import allos
from allos.errors import BudgetError, ConfigurationError, ProviderError
from allos.providers import Provider, ProviderRegistry
from allos.providers.pricing import budgets as budgets
from allos.providers.pricing.budgets import Budget
from allos.response import ProviderResponse
from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.layers import answering

USAGE = {"input_tokens": 1000, "output_tokens": 1000}
COST = 1000 * 2.5e-6 + 1000 * 10e-6  # gpt-4o, https://openai.com/api/pricing (genai-prices 0.2.3)


@pytest.fixture(autouse=True)
def no_budget() -> Iterator[None]:
    yield
    allos.budget(None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """The address of `openai` and `ollama`, as their own variables name it."""
    with FakeServer(Reply(usage=USAGE)) as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
        monkeypatch.setenv("OLLAMA_BASE_URL", started.base_url)
        yield started


def gpt(**options: Any) -> Provider:
    settings = {"model": "gpt-4o", "api": "chat", "max_tokens": 1000, **options}
    return ProviderRegistry.get_provider("openai", **settings)


# A call whose worst case is 0.0101 or so: 1,000 output tokens and a short prompt.
WORST = 1000 * 10e-6


def test_the_real_cost_takes_the_place_of_the_reservation(server: FakeServer) -> None:
    """After a call its own cost is spent and nothing is reserved."""
    budget = allos.budget(1.0)
    answer = gpt().chat("Hi")

    assert answer.cost_usd == pytest.approx(COST)
    assert budget.spent_usd == pytest.approx(COST)
    assert (budget.reserved_usd, budget.uncertain_usd, budget.calls) == (0.0, 0.0, 1)
    assert budget.left_usd == pytest.approx(1.0 - COST)


@pytest.mark.parametrize(
    ("extra", "spent", "uncertain"),
    [
        # 3,000 tokens that only the total has are output
        ({"total_tokens": 5000}, 1000 * 2.5e-6 + 4000 * 10e-6, 0.0),
        # the user's own key at an intermediary: fee and price, or the worst case
        (
            {
                "cost": 0.01,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 0.2},
            },
            0.21,
            0.0,
        ),
        ({"cost": 0.0, "is_byok": True}, pytest.approx(WORST, rel=0.1), WORST),
    ],
)
def test_a_budget_counts_the_whole(
    server: FakeServer, extra: dict[str, Any], spent: Any, uncertain: float
) -> None:
    """Where reported numbers contradict each other, the budget has the resolved ones."""
    server.reply(Reply(usage=USAGE, usage_extra=extra))
    budget = allos.budget(1.0)
    gpt().chat("Hi")

    assert budget.spent_usd == pytest.approx(spent)
    assert budget.uncertain_usd == pytest.approx(uncertain, rel=0.1)


def test_a_call_that_exceeds_the_budget_is_not_sent(server: FakeServer) -> None:
    """The worst case decides; the error is one line with what is spent and how to go on."""
    allos.budget(0.02)
    gpt().chat("Hi")
    with pytest.raises(BudgetError) as caught:
        gpt().chat("Hi")

    assert server.count == 1
    assert "\n" not in str(caught.value)
    assert str(caught.value) == (
        "openai/gpt-4o: the call may cost $0.010, and $0.013 of $0.020 are spent. "
        "Pass a smaller max_tokens=, or set another budget: allos.budget(USD). Nothing was sent."
    )
    assert repr(allos.budget()) == ("<Budget: $0.013 of $0.020 spent by 1 call, 1 call not sent>")
    gpt(max_tokens=10).chat("Hi")
    assert server.count == 2


def test_every_way_to_ask_is_held(server: FakeServer) -> None:
    """chat, achat, stream, astream, ask, aask and compare: none of them sends past a budget."""
    allos.budget(0.001)
    given: dict[str, Any] = {"model": "openai/gpt-4o", "api": "chat", "max_tokens": 1000}

    async def asynchronous() -> None:
        with pytest.raises(BudgetError):
            await gpt().achat("Hi")
        with pytest.raises(BudgetError):
            await allos.aask("Hi", **given)
        async with gpt().astream("Hi") as pieces:
            with pytest.raises(BudgetError):
                async for _ in pieces:
                    pass

    with pytest.raises(BudgetError):
        gpt().chat("Hi")
    with pytest.raises(BudgetError):
        allos.ask("Hi", **given)
    with gpt().stream("Hi") as pieces, pytest.raises(BudgetError):
        list(pieces)
    asyncio.run(asynchronous())
    refused = allos.compare("Hi", models=["openai/gpt-4o"], api="chat", max_tokens=1000).responses

    assert server.count == 0
    assert isinstance(refused[0].error, BudgetError)
    assert (refused[0].metadata["error_type"], refused[0].metadata["attempts"]) == (
        "BudgetError",
        0,
    )


def test_many_calls_at_once_never_pass_it_together(server: FakeServer) -> None:
    """32 columns race for a budget that has room for ten worst cases: ten are sent, no more."""
    gate = threading.Event()
    server.reply(Reply(usage=USAGE, first_delay_s=0.5))
    most: list[float] = []
    budget = allos.budget(10.5 * (WORST + 0.0005))
    watching = threading.Thread(target=_watch, args=(budget, most, gate))
    watching.start()
    done = allos.compare("Hi", models=["openai/gpt-4o"], n=32, api="chat", max_tokens=1000)
    responses = done.wait(60).responses
    gate.set()
    watching.join()
    sent = [r for r in responses if r.ok]

    assert len(sent) == 10 == server.count
    assert budget.refused == 22
    assert max(most) <= budget.usd
    assert budget.spent_usd == pytest.approx(10 * COST)
    assert budget.reserved_usd == 0


def _watch(budget: Budget, most: list[float], until: threading.Event) -> None:
    while True:
        most.append(budget.spent_usd + budget.reserved_usd if budget.calls == 0 else 0.0)
        if until.wait(0.001):
            return


@pytest.mark.parametrize("whole", [0.03, 0.07, 0.2])
def test_spending_stops_below_the_budget_under_threads(server: FakeServer, whole: float) -> None:
    """Whatever the order in which threads ask, what is spent and billed stays within the budget."""
    billed = {"input_tokens": 10, "output_tokens": 1000}
    server.reply(Reply(usage=billed))
    budget = allos.budget(whole)

    def work() -> None:
        for _ in range(4):
            try:
                gpt().chat("Hi")
            except BudgetError:
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cost = 10 * 2.5e-6 + 1000 * 10e-6

    assert server.count * cost == pytest.approx(budget.spent_usd)
    assert budget.spent_usd <= whole
    assert budget.spent_usd > whole - 2 * (WORST + 0.001), "it does not stop too early either"


# ---- what is not known --------------------------------------------------------------------------


def test_unknown_price_is_an_error(server: FakeServer) -> None:
    """A model that the tables do not hold is refused, and the sentence says how to say it is free."""
    allos.budget(1.0)
    with pytest.raises(BudgetError) as caught:
        ProviderRegistry.get_provider("ollama", model="llama3", max_tokens=5).chat("Hi")

    assert server.count == 0
    assert str(caught.value) == (
        "ollama/llama3: its price is unknown, and a budget of $1.00 is set. If it is free "
        "of charge: allos.budget(1, free=['ollama']); allos.budget(None) removes the budget. "
        "Nothing was sent."
    )


@pytest.mark.parametrize("amount", [-1, "5", float("inf"), float("nan"), 10**400, True])
def test_invalid_amounts(amount: Any) -> None:
    """A budget is a number of dollars."""
    with pytest.raises(ConfigurationError, match="A budget must be a number >= 0"):
        allos.budget(amount)


@pytest.mark.parametrize("free", [5, [5], None])
def test_what_cannot_be_free(free: Any) -> None:
    """`free` accepts names; anything else raises."""
    with pytest.raises(ConfigurationError, match="free must"):
        allos.budget(1, free=free)


@pytest.mark.parametrize("free", ["ollama", "ollama/llama3", ["openai", "ollama_compat"]])
def test_what_the_user_calls_free_is_free(server: FakeServer, free: Any) -> None:
    """A service or model named as free needs no price; its row's cost stays unknown."""
    budget = allos.budget(0.0, free=free)
    answer = ProviderRegistry.get_provider("ollama", model="llama3").chat("Hi")

    assert answer.cost_usd is None
    assert (budget.spent_usd, budget.calls) == (0.0, 1)


def test_what_is_free_is_free_in_a_block_too(server: FakeServer) -> None:
    """What the sentence of a block's refusal says to do helps: free outside is free inside."""
    outer = allos.budget(1.0, free="ollama")
    with allos.budget(0.1) as inner:
        ProviderRegistry.get_provider("ollama", model="llama3").chat("Hi")

    assert (outer.calls, inner.calls, inner.spent_usd) == (1, 1, 0.0)


def test_a_free_service_is_not_free_at_a_custom_host(server: FakeServer) -> None:
    """`free` by a service's name does not apply to a custom base_url; the host's does."""
    other = "http://127.0.0.2:1/v1"
    allos.budget(0.0, free="openai")
    with pytest.raises(BudgetError, match=r"free=\['http://127.0.0.2:1'\]"):
        gpt(base_url=other).chat("Hi")

    allos.budget(0.0, free="http://127.0.0.2:1")
    with pytest.raises(ProviderError, match="no answer"):
        gpt(base_url=other, max_attempts=1).chat("Hi")


def test_mistyped_free_service() -> None:
    """An unknown service in `free` raises with the closest match."""
    with pytest.raises(ConfigurationError, match="Did you mean 'ollama'"):
        allos.budget(1.0, free=["olama"])


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), True, "1"])
def test_wrong_amount(wrong: Any) -> None:
    """A budget is a number of dollars from 0."""
    with pytest.raises(ConfigurationError, match="US dollars"):
        allos.budget(wrong)


def test_no_limit_on_the_answer_is_refused(server: FakeServer) -> None:
    """Without max_tokens, and for a model with an unknown output limit, nothing is sent."""
    allos.budget(1.0)
    with pytest.raises(
        BudgetError, match="without max_tokens the cost of the call is unknown"
    ) as caught:
        gpt(max_tokens=None, model="gpt-4-0314").chat("Hi")

    assert server.count == 0
    assert str(caught.value).endswith("Pass max_tokens=. Nothing was sent.")


def test_what_a_model_can_write_is_the_worst_case(server: FakeServer) -> None:
    """Without max_tokens the most that the model writes at all counts, where that is known."""
    allos.budget(0.10)
    with pytest.raises(BudgetError, match=r"may cost \$0.16"):
        gpt(max_tokens=None).chat("Hi")

    allos.budget(0.20)
    gpt(max_tokens=None).chat("Hi")
    assert server.count == 1


def test_the_limit_that_the_api_demands_counts(server: FakeServer, monkeypatch: Any) -> None:
    """Messages always sends a limit; that one is the worst case."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-test")
    budget = allos.budget(1.0)
    ProviderRegistry.get_provider("anthropic", model="claude-haiku-4-5").chat("Hi")

    assert server.requests[0].body["max_tokens"] >= 1
    assert budget.calls == 1


def test_repeats_inside_one_request_count(server: FakeServer) -> None:
    """`n` in the body multiplies the answer's worst case."""
    allos.budget(0.02)
    with pytest.raises(BudgetError, match=r"may cost \$0.050"):
        gpt().chat("Hi", extra={"n": 5})


# ---- how calls end ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.bad_key(), Fault.status(500), Fault.model_not_found()])
def test_a_refused_request_costs_nothing(server: FakeServer, fault: Fault) -> None:
    """A service bills no request that it answers with an error."""
    server.reply(fault)
    budget = allos.budget(1.0)
    with pytest.raises(ProviderError):
        gpt(max_attempts=2).chat("Hi")

    assert (budget.spent_usd, budget.reserved_usd, budget.calls) == (0.0, 0.0, 1)


@pytest.mark.parametrize(
    "fault", [Fault.reset(after_deltas=2), Fault.truncate(after_deltas=2), Fault.reset()]
)
def test_a_call_that_broke_off_keeps_its_worst_case(server: FakeServer, fault: Fault) -> None:
    """The cost of an incomplete answer is unknown: the worst case counts, and the repr says so."""
    server.reply(fault)
    budget = allos.budget(1.0)
    with gpt(max_attempts=1).stream("Hi") as pieces, pytest.raises(ProviderError):
        list(pieces)

    assert budget.spent_usd == budget.uncertain_usd
    assert budget.spent_usd == pytest.approx(WORST, rel=0.1)
    assert "worst cases of calls with unknown cost" in repr(budget)


def test_an_attempt_that_broke_off_is_not_forgotten(server: FakeServer) -> None:
    """A first attempt that may have been billed keeps the worst case, though the last was refused."""
    server.script(Fault.reset(), Fault.bad_key())
    budget = allos.budget(1.0)
    with pytest.raises(ProviderError):
        gpt(max_attempts=2).chat("Hi")

    assert server.count == 2
    assert budget.uncertain_usd == pytest.approx(WORST, rel=0.1)


def test_a_stopped_call_keeps_its_worst_case(server: FakeServer) -> None:
    """Leaving a stream early stops the call; what it cost is not known."""
    server.reply(Reply(chunks=["word "] * 200, delay_s=0.02))
    budget = allos.budget(1.0)
    with gpt().stream("Hi") as pieces:
        next(iter(pieces))

    server.wait_for(lambda: budget.calls == 1)
    assert budget.uncertain_usd == pytest.approx(WORST, rel=0.1)
    assert budget.reserved_usd == 0


def test_an_answer_without_usage_keeps_its_worst_case(server: FakeServer) -> None:
    """A service that does not tell what it used leaves the worst case."""
    server.reply(Reply(usage=None))
    budget = allos.budget(1.0)
    gpt().chat("Hi")

    assert budget.uncertain_usd == pytest.approx(WORST, rel=0.1)


def test_replayed_answers_cost_nothing(server: FakeServer) -> None:
    """A recorded answer passes any budget, unknown prices too, and is not counted."""
    recorded = ProviderResponse("From the file.", metadata={"cost_usd": 5.0}, replayed=True)
    layer = answering(lambda request: recorded)
    allos.current_session().add_interceptor(layer)
    try:
        budget = allos.budget(0.0)
        responses = [
            gpt().chat("Hi"),
            ProviderRegistry.get_provider("ollama", model="m").chat("Hi"),
        ]
    finally:
        allos.current_session().remove_interceptor(layer)

    assert [each.content for each in responses] == ["From the file."] * 2
    assert (budget.spent_usd, budget.calls, server.count) == (0.0, 0, 0)


# ---- blocks -------------------------------------------------------------------------------------


def test_block_holds_inside_the_process_budget(server: FakeServer) -> None:
    """A block's calls count for both; outside, the process's budget alone is in force again."""
    whole = allos.budget(1.0)
    with allos.budget(0.02) as block:
        gpt().chat("Hi")
        with pytest.raises(BudgetError):
            gpt().chat("Hi")
        assert allos.budget() is block
    gpt().chat("Hi")

    assert block.spent_usd == pytest.approx(COST)
    assert whole.spent_usd == pytest.approx(2 * COST)
    assert allos.budget() is whole


def test_process_budget_holds_inside_a_larger_block(server: FakeServer) -> None:
    """A block cannot spend what the process may not."""
    allos.budget(0.001)
    with allos.budget(1.0) as block, pytest.raises(BudgetError, match=r"\$0.0010"):
        gpt().chat("Hi")

    assert (block.spent_usd, block.reserved_usd) == (0.0, 0.0)


def test_block_is_of_its_own_thread_and_reaches_its_comparison(server: FakeServer) -> None:
    """Other threads are not held by a block; a comparison started in it is, after its end too."""
    with allos.budget(0.001):
        responses: list[Any] = []
        thread = threading.Thread(target=lambda: responses.append(gpt().chat("Hi")))
        thread.start()
        thread.join()
        started = allos.compare("Hi", models=["openai/gpt-4o"], api="chat", max_tokens=1000)
    started.wait(30)
    started.cells[0].retry()
    started.wait(30)

    assert responses[0].ok
    assert isinstance(started.responses[0].error, BudgetError)


# ---- asking -------------------------------------------------------------------------------------


def test_confirm_is_asked_only_when_a_call_does_not_fit(server: FakeServer) -> None:
    """A yes sends the one call past the budget, a no leaves the usual error."""
    questions: list[str] = []
    answers = [True, False]

    def confirm(question: str) -> bool:
        questions.append(question)
        return answers.pop(0)

    budget = allos.budget(0.02, confirm=confirm)
    gpt().chat("Hi")
    assert questions == []

    gpt().chat("Hi")
    with pytest.raises(BudgetError):
        gpt().chat("Hi")
    assert questions[0] == (
        "openai/gpt-4o: the call may cost $0.010, and $0.013 of $0.020 are spent. Send anyway?"
    )
    assert (server.count, len(questions)) == (2, 2)
    assert budget.spent_usd == pytest.approx(2 * COST)


def test_comparison_is_confirmed_before_anything_is_sent(server: FakeServer) -> None:
    """`confirm` sees the whole plan; no sends nothing, yes sends all."""
    plans: list[Any] = []
    given: dict[str, Any] = {"models": ["openai/gpt-4o"], "n": 3, "api": "chat", "max_tokens": 1000}

    def no(plan: Any) -> bool:
        plans.append(plan)
        return False

    with pytest.raises(BudgetError, match="not confirmed"):
        allos.compare("Hi", confirm=no, **given)
    assert server.count == 0
    assert plans[0].calls == 3
    assert plans[0].worst_cost_usd == pytest.approx(3 * WORST, rel=0.1)

    allos.compare("Hi", confirm=lambda plan: True, **given).wait(30)
    assert server.count == 3


def test_no_budget_costs_no_estimate(server: FakeServer, monkeypatch: Any) -> None:
    """Without a budget nothing is estimated, so that plain calls stay as fast as they were."""
    monkeypatch.setattr(budgets, "Reservation", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = gpt().chat("Hi")

    assert answer.ok


def test_calls_that_wait_are_sent_when_others_have_ended(server: FakeServer) -> None:
    """Where it was asked for, a reservation that does not fit waits; what can never fit is refused."""
    server.reply(Reply("Hi", usage={"input_tokens": 10, "output_tokens": 5}, first_delay_s=0.02))
    with allos.budget(2.5 * WORST) as small, budgets.waiting():
        context = contextvars.copy_context()
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(context.copy().run, gpt().chat, "Hi") for _ in range(10)]
        answered = [future.result() for future in futures]
    with allos.budget(WORST / 2), budgets.waiting(), pytest.raises(BudgetError):
        gpt().chat("Hi")

    assert len(answered) == 10
    assert small.spent_usd <= small.usd
    assert small.refused == 0
    assert server.max_concurrency_seen <= 2
