"""Tools on every API, whole and streamed: what is sent, what comes back, what goes back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from allos.errors import ConfigurationError, ToolError
from allos.messages import ToolCall
from allos.profiles import Api
from allos.providers import Message, MessageRole, Provider, ProviderRegistry
from allos.tools.tool import as_tool
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import Call, FakeServer, Reply

CALLS = (
    Call("weather", {"city": "Rome", "days": 2}, id="call_1"),
    Call("weather", {"city": "Oslo"}, id="call_2"),
)


def weather(city: str, days: int = 1) -> str:
    """Weather of a city.

    Parameters
    ----------
    city : str
        Its English name.
    """
    raise AssertionError("a provider runs nothing")


PARAMETERS = {
    "additionalProperties": False,
    "properties": {
        "city": {"description": "Its English name.", "type": "string"},
        "days": {"default": 1, "type": "integer"},
    },
    "required": ["city"],
    "type": "object",
}


class Pay(BaseModel):
    """Pay an amount."""

    model_config = ConfigDict(regex_engine="python-re")
    amount: Decimal
    account: str = Field(pattern="^(?!admin)[a-z]+$")


PAY = {
    "name": "pay",
    "parameters": {
        "$ref": "#/definitions/Pay",
        "definitions": {
            "Pay": {
                "type": "object",
                "properties": {"account": {"type": "string", "pattern": "^(?!admin)[a-z]+$"}},
            }
        },
    },
}


@pytest.mark.parametrize("source", [Pay, PAY])
def test_arguments_that_no_service_can_enforce(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, source: Any
) -> None:
    """Patterns with look-around are refused in any schema, so they are only checked here."""
    ask(provider, "Pay.", tools=[source])
    [described] = server.requests[0].body["tools"]
    if api == "chat":
        described = described["function"]
    parameters = described["input_schema" if api == "messages" else "parameters"]

    assert parameters["type"] == "object"
    assert parameters["properties"]["account"] == {"type": "string"}
    assert "(?!" not in json.dumps(parameters["properties"])
    with pytest.raises(ToolError, match="account"):
        as_tool(source).check({"amount": "1.5", "account": "admin"})


def test_calls_come_back_and_nothing_runs(
    server: FakeServer, provider: Provider, ask: Ask, api: Api
) -> None:
    """Tools given to a provider are described to the model; its calls are alike on every API."""
    server.reply(Reply(tool_calls=CALLS))
    response = ask(provider, "Weather?", tools=[weather], tool_choice="required")
    sent = server.requests[0].body
    described = sent["tools"][0]

    assert response.tool_calls == [
        ToolCall("call_1", "weather", {"city": "Rome", "days": 2}),
        ToolCall("call_2", "weather", {"city": "Oslo"}),
    ]
    assert response.finish_reason == "tool_calls"
    assert response.metadata["params"] == {"tools": ["weather"], "tool_choice": "required"}
    if api == "chat":
        assert described["function"].pop("parameters") == PARAMETERS
        assert described == {
            "type": "function",
            "function": {"name": "weather", "description": "Weather of a city."},
        }
    else:
        assert described["name"] == "weather"
        assert described["input_schema" if api == "messages" else "parameters"] == PARAMETERS
    assert sent["tool_choice"] == ({"type": "any"} if api == "messages" else "required")


def test_whole_round_trip(server: FakeServer, ask: Ask, api: Api) -> None:
    """A turn with text, reasoning and two calls goes back with its results, part by part."""
    provider = ProviderRegistry.get_provider(
        {"chat": "deepseek", "responses": "openai", "messages": "anthropic"}[api],
        model="gpt-5",
        base_url=server.base_url,
        api=api,
        api_key=KEY,
    )
    server.reply(Reply("Let me look.", reasoning="Both cities.", tool_calls=CALLS))
    first = ask(provider, "Weather?", tools=[weather])
    turns = [
        Message(MessageRole.USER, "Weather?"),
        first.to_message(),
        Message(MessageRole.TOOL, "sunny", tool_call_id="call_1"),
        Message(MessageRole.TOOL, "snow", tool_call_id="call_2"),
    ]
    server.reply("Sun and snow.")
    second = ask(provider, turns, tools=[weather])
    sent = server.requests[-1].body
    back = sent["input" if api == "responses" else "messages"]

    assert second.content == "Sun and snow."
    assert back[0] == {"role": "user", "content": "Weather?"}
    if api == "chat":
        assert back[1:] == [
            {
                "role": "assistant",
                "content": "Let me look.",
                "reasoning_content": "Both cities.",
                "tool_calls": [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": "weather", "arguments": json.dumps(call.arguments)},
                    }
                    for call in CALLS
                ],
            },
            {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
            {"role": "tool", "content": "snow", "tool_call_id": "call_2"},
        ]
    elif api == "responses":
        reasoning = back[1]
        assert reasoning["type"] == "reasoning"
        assert reasoning["encrypted_content"]
        assert back[2:] == [
            {"type": "message", "role": "assistant", "content": "Let me look."},
            *(
                {
                    "type": "function_call",
                    "call_id": call.id,
                    "name": "weather",
                    "arguments": json.dumps(call.arguments),
                }
                for call in CALLS
            ),
            {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
            {"type": "function_call_output", "call_id": "call_2", "output": "snow"},
        ]
    else:
        thinking = back[1]["content"].pop(0)
        assert thinking["thinking"] == "Both cities."
        assert thinking["signature"]
        assert back[1:] == [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me look."},
                    *(
                        {
                            "type": "tool_use",
                            "id": call.id,
                            "name": "weather",
                            "input": call.arguments,
                        }
                        for call in CALLS
                    ),
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "snow"},
                ],
            },
        ]


def test_signed_calls_go_back_signed(server: FakeServer, ask: Ask) -> None:
    """Extra fields of a tool call (Gemini's thought signatures) are sent back with it."""
    provider = ProviderRegistry.get_provider(
        "gemini", model="m", base_url=server.base_url, api_key=KEY
    )
    extra = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": "{}"},
        "extra_content": extra,
    }

    def answer(seen: Any) -> Any:
        from tests.support.fake_server import Raw

        choice: dict[str, Any] = {"index": 0, "finish_reason": "tool_calls"}
        part = {"role": "assistant", "tool_calls": [call]}
        whole = {"id": "c", "model": "m", "choices": [{**choice, "message": part}]}
        streamed = {"id": "c", "model": "m", "choices": [{**choice, "delta": part}]}
        return Raw.sse([json.dumps(streamed), "[DONE]"]) if seen.stream else Raw.json(whole)

    server.reply(answer)
    first = ask(provider, "Hi", tools=[weather])
    server.reply("Done.")
    ask(provider, [Message(MessageRole.USER, "Hi"), first.to_message()])

    assert first.tool_calls == [ToolCall("call_1", "weather")]
    assert server.requests[-1].body["messages"][1]["tool_calls"][0]["extra_content"] == extra


def test_rejected_tool_choice_causes_a_warning(server: FakeServer, ask: Ask) -> None:
    """A forced call that the model does not take is left out, with one warning."""
    provider = ProviderRegistry.get_provider(
        "deepseek", model="deepseek-reasoner", base_url=server.base_url, api_key=KEY
    )
    with pytest.warns(UserWarning, match="tool_choice=required"):
        response = ask(provider, tools=[weather], tool_choice="required")

    assert "tool_choice" not in server.requests[0].body
    assert response.metadata["params"]["dropped"] == ["tool_choice=required"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tools": [weather, weather]}, "Two tools have the name 'weather'"),
        ({"tools": weather}, r"tools must be a list"),
        ({"tools": [weather], "tool_choice": "wether"}, "Did you mean 'weather'"),
        ({"tool_choice": "required"}, r"needs tools="),
        ({"tools": [lambda x: x]}, "has no name"),
    ],
)
def test_mistakes_send_nothing(
    server: FakeServer, make: Make, options: dict[str, Any], message: str
) -> None:
    """What cannot be a tool is an error before anything is sent."""
    with pytest.raises(ConfigurationError, match=message):
        make().chat("Hi", **options)
    assert server.requests == []
