from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

import allos
from allos.errors import ConfigurationError, Interrupted, RateLimitError, SchemaError, ToolError
from allos.messages import ToolCall
from allos.response import ProviderResponse
from allos.tools import tool_loop
from tests.support.fake_server import Call, FakeServer, Fault, Reply


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer("It is sunny.") as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        yield started


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield
    allos.log.close()


def weather(city: str, days: int = 1) -> dict[str, Any]:
    """Weather of a city."""
    return {"city": city, "days": days, "sky": "clear"}


def call(arguments: Any, name: str = "weather", id: str = "call_1") -> Reply:
    return Reply(tool_calls=[Call(name, arguments, id=id)])


def results(server: FakeServer, at: int = -1) -> list[str]:
    """What the tools gave, as the model was told with a request."""
    turns = server.requests[at].body["messages"]
    return [turn["content"] for turn in turns if turn["role"] == "tool"]


def ask(**options: Any) -> ProviderResponse:
    return allos.ask("Weather?", model="groq/m", **{"tools": [weather], **options})


def test_model_tools_model(server: FakeServer, log: None) -> None:
    """Tools run with checked arguments, their results go back, and each step is a linked row."""
    server.script(call({"city": "Rome", "days": "3"}), call({"city": "Oslo"}, id="call_2"))
    answer = ask(system="Be terse")
    sent = server.requests[2].body["messages"]
    frame = allos.responses()

    assert answer.content == "It is sunny."
    assert answer.tool_calls == []
    assert [turn["role"] for turn in sent] == [
        *("system", "user", "assistant", "tool", "assistant", "tool")
    ]
    assert results(server) == [
        '{"city":"Rome","days":3,"sky":"clear"}',
        '{"city":"Oslo","days":1,"sky":"clear"}',
    ]
    assert [turn.get("tool_call_id") for turn in sent if turn["role"] == "tool"] == [
        "call_1",
        "call_2",
    ]
    assert [step.id for step in answer.steps] == frame["id"].tolist()
    assert answer.id == answer.steps[-1].id
    assert frame["parent_id"].tolist()[1:] == frame["id"].tolist()[:2]
    assert frame["parent_id"].isna().tolist() == [True, False, False]
    assert frame["conversation_id"].nunique() == 1
    assert frame["conversation_id"][0].startswith("conv_")


def test_without_calls_it_is_one_step(server: FakeServer) -> None:
    """An answer that needs no tool ends the run at once."""
    answer = ask()

    assert answer.content == "It is sunny."
    assert len(answer.steps) == len(server.requests) == 1


def test_several_calls_run_in_their_order(server: FakeServer) -> None:
    """Calls of one turn run one after the other, off the caller's thread, in its context."""
    seen: list[tuple[int, bool]] = []

    def note(number: int) -> str:
        """Note a number."""
        seen.append((number, threading.current_thread() is threading.main_thread()))
        return f"noted {number}"

    server.script(Reply(tool_calls=[Call("note", {"number": n}) for n in (1, 2, 3)]))
    ask(tools=[note])

    assert seen == [(1, False), (2, False), (3, False)]
    assert results(server) == ["noted 1", "noted 2", "noted 3"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (call({"city": 5}), "Error: invalid arguments for weather: city: Input should be"),
        (call({}), "Error: invalid arguments for weather: city: Field required"),
        (call({"city": "x", "sky": 1}), "Error: invalid arguments for weather: sky: Extra"),
        (call("{city: Rome"), "Error: arguments are not valid JSON"),
        (call("[1]"), "Error: arguments must be a JSON object"),
        (call({}, name="wether"), "Error: there is no tool 'wether'. Did you mean 'weather'?"),
    ],
)
def test_invalid_calls_are_answered_with_an_error(
    server: FakeServer, reply: Reply, expected: str
) -> None:
    """A call that cannot run is answered with one short line, and the model may try again."""
    server.script(reply)
    answer = ask()

    assert answer.ok
    assert results(server)[0].startswith(expected)
    assert "\n" not in results(server)[0]


def test_failing_tool_goes_back_to_the_model(server: FakeServer) -> None:
    """An exception is told by its class and words, without a traceback; ToolError by its words."""

    def fails() -> str:
        raise KeyError("x" * 900)

    def says() -> str:
        raise ToolError("there is no such city")

    def leaves() -> str:
        raise SystemExit(2)  # as argparse does

    server.script(Reply(tool_calls=[Call("fails"), Call("says"), Call("leaves")]))
    ask(tools=[fails, says, leaves])
    first, second, third = results(server)

    assert first.startswith("Error: KeyError: 'xxx")
    assert len(first) < 600
    assert second == "Error: there is no such city"
    assert third == "Error: SystemExit: 2"


def test_step_limit(server: FakeServer) -> None:
    """The run ends at `max_steps`, says so, and leaves the last calls unanswered."""
    server.reply(call({"city": "Rome"}))
    with pytest.warns(UserWarning, match="max_steps=3"):
        answer = ask(max_steps=3)

    assert len(server.requests) == len(answer.steps) == 3
    assert [each.name for each in answer.tool_calls] == ["weather"]
    with pytest.raises(ConfigurationError, match="max_steps"):
        ask(max_steps=0)


def test_forced_call_is_forced_once(server: FakeServer) -> None:
    """`required` holds for the first step: else the model could never answer."""
    server.script(call({"city": "Rome"}))
    ask(tool_choice="required")

    assert [seen.body.get("tool_choice") for seen in server.requests] == ["required", None]


@pytest.mark.parametrize("allowed", [True, False])
def test_approve_decides(server: FakeServer, allowed: bool) -> None:
    """A function says whether a call may run; the model is told when it may not."""
    approved: list[ToolCall] = []

    def approve(wanted: ToolCall) -> bool:
        approved.append(wanted)
        return allowed

    server.script(call({"city": "Rome"}))
    ask(approve=approve)

    assert [each.arguments for each in approved] == [{"city": "Rome"}]
    assert ("sky" in results(server)[0]) is allowed
    assert allowed or results(server) == ["The user did not allow this call."]


def test_whoever_is_there_is_asked(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `approve` the approvers decide; trusted tools and "always" need no approval."""
    approved: list[str] = []

    def user(wanted: ToolCall) -> bool:
        approved.append(wanted.name)
        return False

    monkeypatch.setattr(allos.current_session(), "approvers", [lambda _: None, user])
    for options in ({}, {"approve": "always"}, {"tools": [allos.tool(weather, trusted=True)]}):
        server.script(call({"city": "Rome"}))
        ask(**options)
    monkeypatch.setattr(allos.current_session(), "approvers", [lambda _: None])
    server.script(call({"city": "Rome"}))
    ask()

    assert approved == ["weather"]
    assert [results(server, at)[0][:8] for at in (1, 3, 5, 7)] == [
        "The user",
        *['{"city":'] * 3,
    ]


def test_described_tool_comes_back(server: FakeServer) -> None:
    """A tool without a function ends the run: its call is the caller's."""
    described = {
        "name": "buy",
        "description": "Buy it.",
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
    }
    server.script(call({"n": 2}, name="buy"))
    answer = ask(tools=[weather, described])

    assert [each.arguments for each in answer.tool_calls] == [{"n": 2}]
    assert len(server.requests) == 1


def test_failed_step_carries_the_others(server: FakeServer) -> None:
    """When a later call of the model fails, its error holds what came before."""
    server.script(call({"city": "Rome"}), Fault.status(429, retry_after="86400"))
    with pytest.raises(RateLimitError) as caught:
        ask()
    assert caught.value.response is not None
    steps = caught.value.response.steps

    assert [step.status for step in steps] == ["ok", "error"]


def test_schema_at_the_end(server: FakeServer) -> None:
    """With a schema the answer is its value; the steps before it are not held to it."""

    class Sky(BaseModel):
        sky: str

    server.script(call({"city": "Rome"}), Reply('{"sky": "clear"}'))
    answer = ask(schema=Sky)
    server.script(call({"city": "Rome"}))
    with pytest.raises(SchemaError) as caught:
        ask(schema=Sky)

    assert answer.parsed == Sky(sky="clear")
    assert answer.steps[0].error is None
    assert caught.value.response is not None
    assert len(caught.value.response.steps) == 2


def test_interrupt_while_a_tool_runs(server: FakeServer) -> None:
    """Ctrl-C during a tool ends the run and keeps its steps."""

    def stops() -> None:
        raise KeyboardInterrupt

    server.script(call({}, name="stops"))
    with pytest.raises(Interrupted, match="steps so far are kept") as caught:
        ask(tools=[stops])

    assert caught.value.response is not None
    assert len(caught.value.response.steps) == 1


def test_async_tools(server: FakeServer) -> None:
    """An async tool runs in `ask` on a loop of its own, in `aask` on the caller's."""
    loops: list[Any] = []

    async def look(city: str) -> str:
        """Look."""
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return f"{city}: clear"

    async def awaited() -> tuple[ProviderResponse, Any]:
        async def approve(_: ToolCall) -> bool:
            return True

        answer = await allos.aask("Hi", model="groq/m", tools=[look, weather], approve=approve)
        return answer, asyncio.get_running_loop()

    server.script(call({"city": "Rome"}, name="look"))
    ask(tools=[look])
    server.script(
        Reply(tool_calls=[Call("look", {"city": "Oslo"}), Call("weather", {"city": "x"})])
    )
    answer, here = asyncio.run(awaited())

    assert results(server, 1) == ["Rome: clear"]
    assert results(server, 3) == ["Oslo: clear", '{"city":"x","days":1,"sky":"clear"}']
    assert loops[0] is not here
    assert loops[1] is here
    assert len(answer.steps) == 2


def test_a_string_is_not_an_approval(server: FakeServer) -> None:
    """`approve=lambda call: input("ok? ")` would run a tool whatever is typed; it is refused."""
    ran: list[str] = []

    def act() -> str:
        ran.append("act")
        return "done"

    server.script(call({}, name="act"), call({}, name="act"))
    with pytest.raises(
        ConfigurationError, match="approve must return True or False, got the string"
    ):
        ask(tools=[act], approve=lambda _: "no")
    with pytest.raises(
        ConfigurationError, match="approve must return True or False, got the string"
    ):
        asyncio.run(
            allos.aask("Hi", model="groq/m", tools=[act], approve=lambda _: "no")  # type: ignore[arg-type, return-value]
        )

    assert ran == []


def test_async_approve_needs_aask(server: FakeServer) -> None:
    """The sync face says so instead of taking a coroutine for a yes."""

    async def approve(_: ToolCall) -> bool:
        return False

    server.script(call({"city": "Rome"}))
    with pytest.raises(ConfigurationError, match=r"aask"):
        ask(approve=approve)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (None, "null"),
        ([1, 2.5], "[1,2.5]"),
        ({"a": float("nan")}, '{"a":"NaN"}'),
        (ToolCall("1", "f"), '{"id":"1","name":"f","arguments":{},"raw_arguments":null,'),
        (object, "class"),
        (b"\xff", "xff"),
    ],
)
def test_results_become_text(server: FakeServer, value: Any, text: str) -> None:
    """A text goes as it is, anything else as JSON, and what JSON does not know as its `str`."""

    def give() -> Any:
        return value

    server.script(call({}, name="give"))
    ask(tools=[give])

    assert text in results(server)[0]


def test_a_table_becomes_its_text(server: FakeServer) -> None:
    """A DataFrame goes to the model as in a prompt, not as a JSON text with its line ends escaped."""
    table = pd.DataFrame({"city": ["Rome", "Oslo"]})

    def give() -> pd.DataFrame:
        return table

    server.script(call({}, name="give"))
    ask(tools=[give])

    assert results(server)[0].endswith("\n\nAll rows:\ncity\nRome\nOslo")


def test_always_is_for_the_function_not_its_name(server: FakeServer) -> None:
    """After "always" a function is not asked about again in its session; another of its name is."""
    asked: list[str] = []

    def approver(call: ToolCall) -> Any:
        asked.append(call.name)
        return "always" if len(asked) == 1 else False

    session = allos.current_session()
    session.approvers.append(approver)
    try:
        for turn in ("Rome", "Oslo"):
            server.script(call({"city": turn}), Reply("Sunny."))
            ask()
        assert asked == ["weather"]
        assert "Oslo" in results(server)[0]

        def other(city: str) -> str:
            """Weather."""
            return "run"

        other.__name__ = "weather"
        server.script(call({"city": "Bonn"}), Reply("Sunny."))
        ask(tools=[other])
        assert asked == ["weather", "weather"]
        assert "did not allow" in results(server)[0]
    finally:
        session.approvers.remove(approver)
        session.always_allowed_tools.remove(weather)


def test_an_interrupt_during_the_question_says_that_nothing_ran(server: FakeServer) -> None:
    """While the user is asked no tool runs, and the message says so; approvers and `approve` alike."""

    def interrupted(call: ToolCall) -> bool:
        raise KeyboardInterrupt

    session = allos.current_session()
    session.approvers.append(interrupted)
    try:
        for approve in (None, interrupted):
            server.script(call({"city": "Rome"}))
            with pytest.raises(Interrupted, match="'weather' was not run") as raised:
                ask(approve=approve)
            assert raised.value.response is not None
    finally:
        session.approvers.remove(interrupted)


@pytest.mark.parametrize("asks", ["approver", "approve", "async approve"])
def test_waiting_for_the_person_is_not_counted(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    """The time of a run, as shown, is that of its calls and tools; the person's is told apart."""
    from allos.render.answer import answer_text

    clock = [0.0]
    monkeypatch.setattr(tool_loop, "perf_counter", lambda: clock[0])
    server.script(call({"city": "Rome"}), call({"city": "Oslo"}))

    def person(_: ToolCall) -> bool:
        clock[0] += 30
        return True

    async def slow_person(wanted: ToolCall) -> bool:
        return person(wanted)

    def work(city: str) -> str:
        """Weather."""
        clock[0] += 500  # a tool's own time is no waiting
        return "sunny"

    work.__name__ = "weather"
    session = allos.current_session()
    monkeypatch.setattr(session, "approvers", [person] if asks == "approver" else [])
    approve: Any = {"approver": None, "approve": person, "async approve": slow_person}[asks]
    if asks == "async approve":
        options = {"model": "groq/m", "tools": [work], "approve": approve}
        answer = asyncio.run(allos.aask("Weather?", **options))
    else:
        answer = ask(tools=[work], approve=approve)

    assert answer.approval_s == 60
    start = answer.steps[0].created_at
    assert start is not None
    # As if the clock of the calls had seen the person's minute and two seconds of work.
    last = replace(answer.steps[-1], completed_at=start + timedelta(seconds=62))
    shown = answer_text(replace(answer, steps=(*answer.steps[:-1], last)))
    assert "  2.0 s  3 calls" in shown
