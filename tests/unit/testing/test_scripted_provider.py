from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import allos
from allos.errors import BudgetError, ConfigurationError
from allos.providers import ProviderRegistry
from allos.request import Request
from allos.session import Session
from allos.testing import Answer, Hold, ScriptedProvider, register, unregister
from allos.usage import Usage


class Count(BaseModel):
    n: int


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session().active() as active:
        allos.log.open(tmp_path / "log.sqlite")
        yield active
        allos.log.close()


@pytest.fixture
def mock() -> Iterator[None]:
    yield
    unregister("mock")


def test_a_row_as_of_any_model(session: Session) -> None:
    """What a script answers is a row of the log, with its tokens and its error."""
    usage = Usage(input_tokens=9, output_tokens=2, source="provider")
    allos.ask("Hi", model=ScriptedProvider(Answer("Yes.", usage=usage)), tags="t")
    with pytest.raises(allos.ProviderError):
        allos.ask("Ho", model=ScriptedProvider(allos.ProviderError("no")), tags="t")
    frame = allos.responses(tags="t")

    assert frame["content"].dropna().tolist() == ["Yes."]
    assert frame["status"].tolist() == ["ok", "error"]
    assert set(frame["provider"]) == {"scripted"}
    assert set(frame["api"]) == {"scripted"}
    assert frame["output_tokens"].tolist()[0] == 2


def test_comparison_of_objects_and_names(session: Session, mock: None) -> None:
    """Objects and registered names stand side by side; a failing one leaves the other alone."""
    script = register("mock", lambda request: f"I am {request.model}.")
    broken = ScriptedProvider(allos.ProviderError("no"), model="broken")
    run = allos.compare("Who?", models=[broken, "mock/a", "mock/b"], n=2).wait(timeout_s=10)

    assert [response.ok for response in run.responses] == [False] * 2 + [True] * 4
    assert [response.content for response in run.responses[2:]] == ["I am a."] * 2 + ["I am b."] * 2
    assert sorted(request.model for request in script.requests) == ["a", "a", "b", "b"]


def test_budget_holds(session: Session) -> None:
    """Scripted tokens cost what the table says and count against a budget; a call over it is not asked."""
    usage = Usage(input_tokens=100_000, output_tokens=10, source="provider")
    provider = ScriptedProvider(Answer("Yes.", usage=usage), model="gpt-4o", price_id="openai")
    with allos.budget(0.2):
        cost = provider.chat("Hi", max_tokens=10).metadata["cost_usd"]
        with pytest.raises(BudgetError):
            provider.chat("Hi", max_tokens=10_000)

    assert cost == pytest.approx(0.2501)
    assert len(provider.requests) == 1


def test_limits_hold(session: Session) -> None:
    """`max_in_flight` is kept: the second call waits until the first has ended."""
    hold = Hold()
    provider = ScriptedProvider(Answer([hold, "Yes."]), max_in_flight=1)

    async def two() -> int:
        asking = [asyncio.create_task(provider.achat("Hi")) for _ in range(2)]
        await asyncio.to_thread(hold.wait_until_reached)
        seen = len(provider.requests)
        hold.release()
        await asyncio.gather(*asking)
        return seen

    assert asyncio.run(two()) == 1
    assert len(provider.requests) == 2


def test_recorded_and_replayed(session: Session, tmp_path: Path) -> None:
    """A replay file serves a script's answers again; the script is not asked."""
    provider = ScriptedProvider(["Once."])
    session.open_replay(tmp_path / "a.jsonl", "record")
    first = provider.chat("Hi")
    session.open_replay(tmp_path / "a.jsonl", "strict")
    again = ScriptedProvider([]).chat("Hi")
    session.close_replay()

    assert (again.content, again.replayed) == (first.content, True)
    assert len(provider.requests) == 1


def test_tool_loop(session: Session) -> None:
    """`ask` runs the tools that a script calls, and asks again with their results."""

    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    call = allos.ToolCall("call_1", "add", {"a": 2, "b": 3})
    provider = ScriptedProvider([Answer(tool_calls=[call]), "Five."])

    assert allos.ask("2 + 3?", model=provider, tools=[add]).content == "Five."
    assert [tool.name for tool in provider.requests[0].tools] == ["add"]
    assert provider.requests[1].messages[-1].content == "5"


def test_schema(session: Session) -> None:
    """A JSON answer is parsed as that of any model."""
    assert ScriptedProvider('{"n": 3}').chat("Hi", schema=Count).parsed == Count(n=3)


def test_options_and_names() -> None:
    """Options are those of any provider; it is called as it was named."""
    provider = ScriptedProvider("Hi", name="mock", model="large", temperature=0.5)

    assert repr(provider) == "Provider('mock', model='large')"
    with pytest.raises(ConfigurationError, match="Did you mean 'temperature'"):
        ScriptedProvider("Hi", temperatur=1)


def test_registered_name(mock: None) -> None:
    """A name is a provider of the registry; registering it again replaces its script."""
    register("mock", "One.")
    assert "mock" in ProviderRegistry.list_providers()
    register("mock", "Two.")

    assert ProviderRegistry.get_provider("mock", model="m").chat("Hi").content == "Two."
    unregister("mock")
    with pytest.raises(ConfigurationError, match="Unknown provider 'mock'"):
        ProviderRegistry.get_provider("mock", model="m")


@pytest.mark.parametrize("name", ["groq", "models", "Mock"])
def test_names_that_are_taken(name: str) -> None:
    """A script takes nobody's name."""
    with pytest.raises(
        ConfigurationError, match=r"cannot be the name of a provider|not a valid name of a provider"
    ):
        register(name, "Hi")


def test_many_threads_share_a_provider() -> None:
    """Every request gets its own answer, whoever asks."""
    provider = ScriptedProvider(lambda request: request.prompt or "")
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = provider.chat(str(number)).content

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert answers == {number: str(number) for number in range(20)}
    assert sorted(map(_number, provider.requests)) == list(range(20))


def _number(request: Request) -> int:
    return int(request.prompt or -1)
