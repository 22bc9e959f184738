"""Structured output on every API, whole and streamed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, field_validator

import allos
from allos.engine import runtime
from allos.errors import ConfigurationError, SchemaError
from allos.profiles import Api
from allos.providers import Provider, ProviderRegistry
from allos.response import ProviderResponse
from tests.contract.conftest import KEY, Ask
from tests.support.fake_server import Call, FakeServer, Reply

ROME = '{"name": "Rome", "people": 2750000}'


class City(BaseModel):
    """A city."""

    name: str
    people: int = 0


@dataclass
class Place:
    name: str
    people: int


JSON_SCHEMA = {
    "title": "City",
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
}
SENT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
    "additionalProperties": False,
}


def sent_schema(api: Api, body: dict[str, Any], name: str = "City") -> dict[str, Any]:
    if api == "chat":
        found = body["response_format"]["json_schema"]
        assert found["strict"] is True
        assert found["name"] == name
    elif api == "responses":
        found = body["text"]["format"]
        assert found["strict"] is True
    else:
        found = body["output_config"]["format"]
    schema: dict[str, Any] = found["schema"]
    schema.pop("title", None)
    schema["required"].sort()
    return schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (City, City(name="Rome", people=2750000)),
        (JSON_SCHEMA, {"name": "Rome", "people": 2750000}),
        ({"name": "City", "schema": JSON_SCHEMA}, {"name": "Rome", "people": 2750000}),
    ],
)
def test_answer_becomes_a_value(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, schema: Any, value: Any
) -> None:
    """The schema is sent in the API's own form, and the answer comes back as its value."""
    server.reply(Reply(ROME))
    response = ask(provider, schema=schema)

    assert response.parsed == value
    assert type(response.parsed) is type(value)
    assert response.content == ROME
    assert sent_schema(api, server.requests[0].body) == SENT
    assert response.metadata["params"] == {"schema": "City"}
    assert "Rome" not in repr(response.request)


@pytest.mark.parametrize("schema", ["City", '{"type": "object"}', '"', ""])
def test_a_string_is_not_a_schema(server: FakeServer, provider: Provider, schema: str) -> None:
    """JSON as a text, or a type's name, is an error of one line; nothing is sent."""
    with pytest.raises(ConfigurationError, match="schema must be a type or a JSON schema as a map"):
        provider.chat("Hi", schema=schema)
    assert server.requests == []


def test_list_is_wrapped_and_unwrapped(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """Services want an object at the root, so another type travels in one field."""
    server.reply(Reply('{"value": [' + ROME + "]}"))

    assert ask(provider, schema=list[Place]).parsed == [Place("Rome", 2750000)]


def test_code_fence_is_tolerated(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """JSON inside a code fence, words around it included, is read."""
    server.reply(Reply(f"Here you are:\n```json\n{ROME}\n```\nAnything else?"))

    assert ask(provider, schema=City).parsed == City(name="Rome", people=2750000)


@pytest.mark.parametrize(
    "answer",
    [
        f"Sure! {ROME}",
        f"{ROME}\n\nLet me know if you need more.",
        f"```json{ROME}```",
        f"~~~\n{ROME}\n~~~",
        f"```json\n{ROME}",
        f"\ufeffjson\n{ROME}<|im_end|>",
        f'{{"place": "Rome"}}\n{ROME}',
        f"According to [1]: {ROME}",
    ],
)
def test_json_with_something_around_it(
    server: FakeServer, provider: Provider, ask: Ask, answer: str
) -> None:
    """Words, fences and marks around the JSON of an answer cost nothing, and stay in the content."""
    server.reply(Reply(answer))
    response = ask(provider, schema=City)

    assert response.parsed == City(name="Rome", people=2750000)
    assert response.content == answer


@pytest.mark.parametrize(
    ("answer", "schema", "value"),
    [
        ('{"name": "Ro\nme\t!", "people": 3}', City, City(name="Ro\nme\t!", people=3)),
        ('{"name": "Ro\nme", "people": 3}', JSON_SCHEMA, {"name": "Ro\nme", "people": 3}),
        (f"[{ROME}]", list[Place], [Place("Rome", 2750000)]),
        (f"Two: [{ROME}, {ROME}].", list[Place], [Place("Rome", 2750000)] * 2),
        ("```json\n[]\n```", list[Place], []),
        ("42", int, 42),
        ('{"value": 42}', int, 42),
        ('"red"', Literal["red", "green"], "red"),
        (ROME, Place | None, Place("Rome", 2750000)),
    ],
)
def test_json_as_models_write_it(
    server: FakeServer, provider: Provider, ask: Ask, answer: str, schema: Any, value: Any
) -> None:
    """Raw line breaks in strings, and a bare list or value where a field was asked for, are read."""
    server.reply(Reply(answer))

    assert ask(provider, schema=schema).parsed == value


@pytest.mark.parametrize(
    "answer",
    [
        "Rome has 3 people.",
        '{"name": "Rome", "people": 3',
        '[{"name": "Rome", "people": 3}, {"na',
        '[{"name": "Rome", "people": 3}]',
        '{"city": {"name": "Rome", "people": 3}}',
        '{"wrong": wrong, "city": {"name": "Rome", "people": 3}}',
        "{'name': 'Rome', 'people': 3}",
        '{"name": "Rome", "people": "many"}',
        "",
    ],
)
def test_what_does_not_fit_stays_an_error(
    server: FakeServer, provider: Provider, ask: Ask, answer: str
) -> None:
    """Nothing is guessed: no part of another value, nothing that is cut off, no other syntax."""
    server.reply(Reply(answer))
    with pytest.raises(SchemaError) as caught:
        ask(provider, schema=Place)

    assert caught.value.response is not None
    assert caught.value.response.content == answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "tagged", ["One city.\n</think>\n\n", "<think>{}</think>", "[THINK]a[/THINK]"]
)
def test_reasoning_in_the_text_is_not_part_of_the_value(
    server: FakeServer, provider: Provider, stream: bool, tagged: str
) -> None:
    """The schema, the content and the next turn see the answer alone."""
    server.reply(Reply(tagged + ROME, chunk_size=3))
    if stream:
        with provider.stream("Hi", schema=City) as streamed:
            for _ in streamed:
                pass
    response = streamed.response if stream else provider.chat("Hi", schema=City)

    assert response is not None
    assert response.parsed == City(name="Rome", people=2750000)
    assert response.content == ROME
    assert response.to_message().text == ROME
    assert response.reasoning


class Node(BaseModel):
    """A node."""

    name: str
    next: Node | None = None


@pytest.mark.parametrize("schema", [Node, Node.model_json_schema()])
def test_schema_with_a_reference_at_its_root(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, schema: Any
) -> None:
    """A recursive type's schema is sent as an object, as services require."""
    server.reply(Reply('{"name": "a", "next": {"name": "b", "next": null}}'))
    parsed = ask(provider, schema=schema).parsed
    named = server.requests[0].body

    assert (parsed.next.name if isinstance(parsed, Node) else parsed["next"]["name"]) == "b"
    assert sent_schema(api, named, name="Node")["type"] == "object"


def test_mismatch_is_an_error_that_keeps_the_text(
    server: FakeServer, provider: Provider, ask: Ask, observed: list[ProviderResponse]
) -> None:
    """The call was fine, so its row is ok and says what does not match; the caller gets an error."""
    server.reply(Reply('{"name": "Rome", "people": "many"}'))
    with pytest.raises(SchemaError, match="does not match City: people: Input should") as caught:
        ask(provider, schema=City)
    response = caught.value.response

    assert response is not None
    assert observed == [response]
    assert response.content == '{"name": "Rome", "people": "many"}'
    assert response.parsed is None
    assert response.status == "ok"
    assert response.error is caught.value
    assert response.metadata["error_type"] == "SchemaError"
    assert response.metadata["output_tokens"] == 7
    assert "many" not in str(caught.value), "a model's words stay out of messages"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply('{"name": "Ro', finish="length"), "cut off at max_tokens .* Raise max_tokens"),
        (Reply(refusal="I would rather not."), "declined to answer"),
        (Reply("Rome is a city."), "it is not valid JSON"),
    ],
)
def test_reasons(
    server: FakeServer, provider: Provider, ask: Ask, reply: Reply, message: str
) -> None:
    """A cut-off, a refusal and plain prose have a message each."""
    server.reply(reply)
    with pytest.raises(SchemaError, match=message):
        ask(provider, schema=City)


def test_tool_calls_are_not_parsed(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A turn that asks for tools is not held to the schema: the answer is still to come."""

    def look(name: str) -> str:
        return name

    server.reply(Reply(tool_calls=[Call("look", {"name": "Rome"})]))
    response = ask(provider, schema=City, tools=[look])

    assert response.parsed is None
    assert response.error is None
    assert [call.name for call in response.tool_calls] == ["look"]


def test_validators_of_the_user_run_off_the_loop(
    server: FakeServer, provider: Provider, ask: Ask
) -> None:
    """A type's own code never runs on the thread that carries every stream."""
    ran_on_the_loop: list[bool] = []

    class Checked(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def look(cls, value: str) -> str:
            ran_on_the_loop.append(runtime.get().is_loop_thread)
            return value

    server.reply(Reply('{"name": "Rome"}'))
    ask(provider, schema=Checked)

    assert ran_on_the_loop == [False]


@pytest.mark.parametrize(("name", "mode"), [("deepseek", {"type": "json_object"})])
def test_service_without_schemas(
    server: FakeServer, ask: Ask, name: str, mode: dict[str, str]
) -> None:
    """The schema is in the instructions, and JSON mode is requested."""
    provider = ProviderRegistry.get_provider(
        name, model="deepseek-chat", base_url=server.base_url, api_key=KEY
    )
    server.reply(Reply(ROME))
    response = ask(provider, schema=City)
    sent = server.requests[0].body

    assert sent["response_format"] == mode
    assert sent["messages"][0]["role"] == "system"
    assert '"people"' in sent["messages"][0]["content"]
    assert response.parsed == City(name="Rome", people=2750000)
    assert response.request is not None
    assert response.request.system is None, "the caller gave none"


def test_awaited_and_logged(server: FakeServer, provider: Provider, tmp_path: Path) -> None:
    """The async counterpart is the same, and a mismatch is found again in the log."""
    server.reply(Reply(ROME))
    found = asyncio.run(provider.achat("Hi", schema=City))
    allos.log.open(tmp_path / "log.sqlite")
    try:
        server.reply(Reply("{}"))
        with pytest.raises(SchemaError):
            provider.chat("Hi", schema=City)
        frame = allos.responses()
    finally:
        allos.log.close()

    assert found.parsed == City(name="Rome", people=2750000)
    assert frame["status"].tolist() == ["ok"]
    assert frame["error_type"].tolist() == ["SchemaError"]
    assert frame["content"].tolist() == ["{}"]
