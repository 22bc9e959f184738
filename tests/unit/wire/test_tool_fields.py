from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from allos.messages import Message, ToolCall
from allos.profiles import Api, ModelProfile, ServiceProfile
from allos.request import SchemaSpec, ToolSpec
from tests.support.decoding import APIS
from tests.support.decoding import body as made

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 1}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec(name="weather", description="Weather now.", parameters=PARAMETERS)
STRICT = ToolSpec(name="weather", parameters=PARAMETERS, strict=True)
CITY = SchemaSpec(name="City", schema=PARAMETERS, description="A city.")
LOOSE = SchemaSpec(name="City", schema={"type": "object"}, strict=False)
HI = Message("user", "Hi")  # type: ignore[arg-type]
CALL = ToolCall("call_abc", "weather", {"city": "Rome"})


def body(api: Api, *messages: Message, **options: Any) -> Any:
    return made(api, *messages, **options).body


@pytest.mark.parametrize("api", APIS)
def test_plain_request_names_no_tools(api: Api) -> None:
    """Without tools and schema none of their fields is sent: some services refuse an empty list."""
    sent = body(api, tool_choice="required")

    assert not {"tools", "tool_choice", "response_format", "text", "output_config"} & set(sent)


def test_tools_on_each_api() -> None:
    """The same tool in the words of each API."""
    assert body("chat", tools=(WEATHER,))["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Weather now.",
                "parameters": PARAMETERS,
            },
        }
    ]
    assert body("responses", tools=(WEATHER,))["tools"] == [
        {
            "type": "function",
            "name": "weather",
            "description": "Weather now.",
            "parameters": PARAMETERS,
            "strict": False,
        }
    ]
    assert body("messages", tools=(WEATHER,))["tools"] == [
        {"name": "weather", "description": "Weather now.", "input_schema": PARAMETERS}
    ]


def test_strict_tools() -> None:
    """`strict` goes where it is known; Messages gets a schema with what it enforces alone."""
    off = ServiceProfile(strict_tools=False)
    messages = body("messages", tools=(STRICT,))["tools"][0]

    assert body("chat", tools=(STRICT,))["tools"][0]["function"]["strict"] is True
    assert body("responses", tools=(STRICT,))["tools"][0]["strict"] is True
    assert messages["strict"] is True
    assert "minLength" not in messages["input_schema"]["properties"]["city"]
    assert "minLength" in messages["input_schema"]["properties"]["city"]["description"]
    for api in APIS:
        assert "'strict'" not in str(body(api, tools=(STRICT,), profile=off)["tools"])


CHOICES: list[tuple[str, list[Any]]] = [
    ("auto", ["auto", "auto", {"type": "auto"}]),
    ("none", ["none", "none", {"type": "none"}]),
    ("required", ["required", "required", {"type": "any"}]),
    (
        "weather",
        [
            {"type": "function", "function": {"name": "weather"}},
            {"type": "function", "name": "weather"},
            {"type": "tool", "name": "weather"},
        ],
    ),
]


@pytest.mark.parametrize(("choice", "words"), CHOICES)
def test_tool_choice_on_each_api(choice: str, words: list[Any]) -> None:
    """The four kinds of choice in the words of each API."""
    sent = [body(api, tools=(WEATHER,), tool_choice=choice)["tool_choice"] for api in APIS]

    assert sent == words


@pytest.mark.parametrize("api", APIS)
def test_tool_choice_that_a_service_lacks(api: Api) -> None:
    """A choice that the service or the model lacks is left out and named, another one stays."""
    service = ServiceProfile(tool_choice={"required": "", "named": ""})
    model = ServiceProfile(models=(ModelProfile(match="^m$", tool_choice={"required": ""}),))
    for profile in (service, model):
        refused = made(api, tools=(WEATHER,), tool_choice="required", profile=profile)
        accepted = made(api, tools=(WEATHER,), tool_choice="auto", profile=profile)

        assert "tool_choice" not in refused.body
        assert refused.dropped == ("tool_choice=required",)
        assert "tool_choice" in accepted.body
        assert accepted.dropped == ()
    assert "tool_choice" not in body(api, tools=(WEATHER,), tool_choice="weather", profile=service)


def test_tool_choice_by_another_word() -> None:
    """Mistral calls `required` `any`."""
    profile = ServiceProfile(tool_choice={"required": "any"})

    assert body("chat", tools=(WEATHER,), tool_choice="required", profile=profile)[
        "tool_choice"
    ] == ("any")


def test_ids_of_another_service() -> None:
    """Where ids have a fixed length, foreign ones are replaced alike in call and result."""
    turns = [
        Message("assistant", tool_calls=(CALL, ToolCall("Abc123xyz", "f"))),  # type: ignore[arg-type]
        Message("tool", "sun", tool_call_id="call_abc"),  # type: ignore[arg-type]
        Message("tool", "ok", tool_call_id="Abc123xyz"),  # type: ignore[arg-type]
    ]
    sent = body("chat", HI, *turns, profile=ServiceProfile(tool_id_length=9))["messages"]
    first, second = (call["id"] for call in sent[1]["tool_calls"])

    assert len(first) == 9
    assert first.isalnum()
    assert second == "Abc123xyz"
    assert [turn["tool_call_id"] for turn in sent[2:]] == [first, second]
    assert body("chat", HI, *turns)["messages"][1]["tool_calls"][0]["id"] == "call_abc"


# ---- schema


def test_schema_on_each_api() -> None:
    """The same schema in the words of each API."""
    named = {"name": "City", "schema": PARAMETERS, "description": "A city.", "strict": True}
    messages = body("messages", schema=CITY, params={"effort": "low"})["output_config"]

    assert body("chat", schema=CITY)["response_format"] == {
        "type": "json_schema",
        "json_schema": named,
    }
    assert body("responses", schema=CITY)["text"] == {"format": {"type": "json_schema", **named}}
    assert messages["effort"] == "low"
    assert messages["format"]["type"] == "json_schema"
    assert messages["format"]["schema"]["required"] == ["city"]
    assert "minLength" not in messages["format"]["schema"]["properties"]["city"]


def instructions(api: Api, sent: Any) -> str:
    if api == "chat":
        assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
        return str(sent["messages"][0]["content"])
    return str(sent["instructions" if api == "responses" else "system"])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("support", ["json_object", "prompt"])
def test_schema_that_is_not_enforced_stands_in_the_instructions(api: Api, support: Any) -> None:
    """Behind the caller's own instructions; JSON mode is requested where there is one."""
    system = Message("system", "Be terse.")  # type: ignore[arg-type]
    sent = body(api, system, HI, schema=CITY, profile=ServiceProfile(schema_support=support))
    text = instructions(api, sent)
    mode = sent.get("response_format") or sent.get("text", {}).get("format")

    assert text.startswith("Be terse.\n\nAnswer with one JSON object")
    assert '"minLength": 1' in text
    assert mode == ({"type": "json_object"} if (support, api) in JSON_MODE else None)
    assert "output_config" not in sent


JSON_MODE: Sequence[tuple[str, str]] = (("json_object", "chat"), ("json_object", "responses"))


def test_model_goes_before_its_service() -> None:
    """A model that takes schemas may belong to a service whose others do not."""
    profile = ServiceProfile(
        schema_support="json_object",
        models=(ModelProfile(match="m", schema_support="json_schema"),),
    )

    assert body("chat", schema=CITY, profile=profile)["response_format"]["type"] == "json_schema"


def test_schema_with_free_fields_is_only_instructed_on_messages() -> None:
    """Messages refuses a schema that allows further fields, so it is put into the instructions."""
    sent = body("messages", schema=LOOSE)

    assert "output_config" not in sent
    assert '{"type": "object"}' in sent["system"]
    assert body("chat", schema=LOOSE)["response_format"]["json_schema"]["strict"] is False


def test_schema_on_some_apis_only() -> None:
    """A server that enforces a schema on some of its APIs gets it in the instructions on the others."""
    profile = ServiceProfile(schema_apis=("chat", "responses"), schema_as_chat=True)
    chat, responses, messages = (body(api, schema=CITY, profile=profile) for api in APIS)

    assert responses["response_format"] == chat["response_format"]
    assert "text" not in responses
    assert "output_config" not in messages
    assert messages["system"].startswith("Answer with one JSON object")


@pytest.mark.parametrize("api", APIS)
def test_extra_has_the_last_word(api: Api) -> None:
    """What `extra` names goes into the body as it is, built-in tools of a service for example."""
    sent = body(api, tools=(WEATHER,), extra={"tools": [{"type": "web_search"}]})

    assert sent["tools"] == [{"type": "web_search"}]
