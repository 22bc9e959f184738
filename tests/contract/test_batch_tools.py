"""Tools in batches: the loop of `allos.ask`, many rows at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import ConfigurationError
from tests.contract.conftest import Make
from tests.support.fake_server import Call, FakeServer, Fault, Reply, Seen


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield
    allos.stop_all()
    allos.log.close()


def table(count: int) -> pd.DataFrame:
    return pd.DataFrame({"item": [f"<{number}>" for number in range(count)]})


def stock(item: str) -> int:
    """Count an item.

    Parameters
    ----------
    item : str
        Its name.
    """
    return len(item) * 10


def result_of(seen: Seen) -> str | None:
    """What the tool gave, where the request has it."""
    last = (seen.body.get("messages") or seen.body.get("input"))[-1]
    if last.get("role") == "tool":
        return str(last["content"])
    if last.get("type") == "function_call_output":
        return str(last["output"])
    content = last.get("content")
    if isinstance(content, list) and content[0].get("type") == "tool_result":
        return str(content[0]["content"])
    return None


def asks_the_tool(seen: Seen) -> Reply:
    found = result_of(seen)
    item = seen.prompt.rpartition(" ")[2]
    if found is None and item:
        return Reply(tool_calls=[Call("stock", {"item": item})])
    return Reply(f"There are {found}.")


def test_tools_run_until_the_model_answers(server: FakeServer, make: Make) -> None:
    """One row of the frame for each row of the data, with the answer; each step is a row of the log."""
    server.reply(asks_the_tool)
    batch = allos.batch(table(40), "How many {{ item }}", models=make(), tools=[stock])
    frame = batch.wait(30).frame
    rows = allos.responses()

    expected = [f"There are {len(item) * 10}." for item in frame["item"]]
    assert list(frame["content"]) == expected
    assert len(rows) == 80
    assert rows["task_key"].notna().sum() == 40
    assert set(rows["run_id"]) == {batch.id}
    assert rows["conversation_id"].nunique() == 40
    assert batch.counts[0].output_tokens == 80 * 7
    again = allos.batch(table(40), "How many {{ item }}", models=make(), tools=[stock])
    assert again.done


def test_a_conversation_that_fails_half_way_is_asked_from_its_beginning(
    server: FakeServer, make: Make
) -> None:
    """Its first step is no answer."""
    server.reply(lambda seen: Fault.status(400) if result_of(seen) else asks_the_tool(seen))
    options: dict[str, Any] = {"models": make(), "tools": [stock]}
    frame = allos.batch(table(2), "How many {{ item }}", **options).frame
    assert set(frame["error_type"]) == {"BadRequestError"}

    server.reply(asks_the_tool)
    frame = allos.batch(table(2), "How many {{ item }}", **options).frame
    assert list(frame["content"]) == ["There are 30.", "There are 30."]


def test_a_batch_asks_nobody(server: FakeServer, make: Make) -> None:
    """A tool that would ask a person is refused before anything is sent; `approve` decides for all."""
    server.reply(asks_the_tool)
    session = allos.current_session()
    session.approvers.append(lambda call: False)
    options: dict[str, Any] = {"models": make(), "tools": [stock], "refresh": True}
    try:
        with pytest.raises(
            ConfigurationError, match=r"'stock' asks you before each call, and a batch"
        ):
            allos.batch(table(1), "How many {{ item }}", **options)
        assert not server.requests
        seen = []

        def decide(call: Any) -> bool:
            seen.append(call.arguments["item"])
            return call.arguments["item"] == "<1>"

        frame = allos.batch(table(2), "How many {{ item }}", approve=decide, **options).frame
        trusted = {**options, "tools": [allos.tool(stock, trusted=True)]}
        allowed = allos.batch(table(2), "How many {{ item }}", **trusted).frame
    finally:
        session.approvers.clear()

    assert sorted(seen) == ["<0>", "<1>"]
    assert "did not allow" in frame["content"].iloc[0]
    assert frame["content"].iloc[1] == "There are 30."
    assert list(allowed["content"]) == ["There are 30.", "There are 30."]


def test_a_tool_that_fails_or_waits_holds_up_nobody_else(server: FakeServer, make: Make) -> None:
    """Its error is what the model gets; rows without it are answered meanwhile."""
    server.reply(asks_the_tool)
    release = threading.Event()

    def slow(item: str) -> int:
        """Count an item."""
        if item == "<0>":
            release.wait(20)
        if item == "<1>":
            raise ValueError("no such item")
        return 30

    tools = [allos.tool(slow, name="stock")]
    batch = allos.batch(table(6), "How many {{ item }}", models=make(), tools=tools, concurrency=2)
    rows = iter(batch)
    answered = [next(rows).index for _ in range(5)]
    release.set()
    frame = batch.wait(30).frame

    assert sorted(answered) == [1, 2, 3, 4, 5]
    assert "no such item" in frame["content"].iloc[1]


def test_the_last_step_that_is_allowed(server: FakeServer, make: Make) -> None:
    """`max_steps` ends a loop; the row has the calls that were not run, and is not asked again."""
    server.reply(Reply(tool_calls=[Call("stock", {"item": "a"})]))
    options: dict[str, Any] = {"models": make(), "tools": [stock], "max_steps": 3}
    with pytest.warns(UserWarning, match="max_steps=3"):
        frame = allos.batch(table(1), "How many {{ item }}", **options).frame

    assert json.loads(frame["tool_calls"].iloc[0])[0]["name"] == "stock"
    assert len(server.requests) == 3
    assert allos.batch(table(1), "How many {{ item }}", **options).done


def test_evaluate_scores_the_last_answer(server: FakeServer, make: Make) -> None:
    """Tools run there as well."""
    server.reply(asks_the_tool)
    data = table(2).assign(expected="There are 30.")
    found = allos.evaluate(
        data,
        "How many {{ item }}",
        models=[make()],
        tools=[stock],
        scorers=["exact"],
        target="expected",
    )
    assert list(found.frame["exact"]) == [1, 1]


def test_no_tools_in_a_batch_of_the_service(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes one call for each row."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-test")
    with pytest.raises(ConfigurationError, match="Tools take several calls for each row"):
        allos.batch(table(1), "{{ item }}", models="openai/m", tools=[stock], mode="provider_batch")
    assert not server.requests
