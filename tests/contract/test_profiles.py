"""What each service does differently, seen in the body that is sent to it."""

from __future__ import annotations

from typing import Any

import pytest

from allos.errors import BadRequestError, ConfigurationError
from allos.parts import Image
from allos.providers import Message, Provider, ProviderRegistry, ToolCall
from tests.contract.conftest import Ask
from tests.support.fake_server import Call, FakeServer, Fault, Reply


@pytest.fixture
def at(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Build a provider of a named service whose own address is the server."""

    def build(name: str, model: str, **options: Any) -> Provider:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://unused.example")
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "unused")
        monkeypatch.setenv("DATABRICKS_HOST", "unused.example")
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url)
        return ProviderRegistry.get_provider(name, model=model, api_key="k", **options)

    return build


def weather(city: str) -> str:
    """Weather of a city."""
    return city


TOKENS = {"max_tokens": 50}
PENALTIES = {"presence_penalty": 0.1, "frequency_penalty": 0.2}
SAMPLING = {"temperature": 0.5, "top_p": 0.9}

# service, model, options of the provider, parameters of the call, fields in the body, what is left out
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any], set[str]]] = [
    # ---- name of the token limit
    ("openai", "gpt-4o", {"api": "chat"}, TOKENS, {"max_tokens": 50}, set()),
    ("openai", "o3-mini", {"api": "chat"}, TOKENS, {"max_completion_tokens": 50}, set()),
    ("openai", "gpt-5", {"api": "chat"}, TOKENS, {"max_completion_tokens": 50}, set()),
    ("openai", "gpt-5", {}, TOKENS, {"max_output_tokens": 50}, set()),
    *(
        (name, "m", {}, TOKENS, {"max_tokens": 50}, set())
        for name in ("mistral", "deepseek", "moonshot", "sambanova", "nvidia", "cohere", "ollama")
    ),
    ("azure", "gpt-5-mini", {"api": "chat"}, TOKENS, {"max_completion_tokens": 50}, set()),
    ("azure", "Mistral-Large", {"api": "chat"}, TOKENS, {"max_tokens": 50}, set()),
    # ---- parameters that are refused
    ("groq", "m", {}, {"logprobs": True, "top_logprobs": 2, "logit_bias": {"1": 2}}, {},
     {"logprobs", "top_logprobs", "logit_bias"}),
    ("cerebras", "m", {}, {**PENALTIES, "logit_bias": {"1": 2}}, {}, {*PENALTIES, "logit_bias"}),
    ("xai", "grok-4.5", {"api": "chat"}, {**PENALTIES, "stop": "x"}, {}, {*PENALTIES, "stop"}),
    ("xai", "grok-3", {"api": "chat"}, {**PENALTIES, "stop": "x"}, {**PENALTIES, "stop": "x"}, set()),
    ("openai", "gpt-5", {"api": "chat"}, {**SAMPLING, **PENALTIES, "logprobs": True}, {},
     {*SAMPLING, *PENALTIES, "logprobs"}),
    ("openai", "gpt-5", {}, SAMPLING, {}, set(SAMPLING)),
    ("openai", "gpt-5", {"api": "chat"}, {"temperature": 0.5, "effort": "none"},
     {"temperature": 0.5, "reasoning_effort": "none"}, set()),
    ("moonshot", "kimi-k2-thinking", {}, {"temperature": 0.5}, {}, {"temperature"}),
    ("moonshot", "moonshot-v1-8k", {}, {"temperature": 0.5}, {"temperature": 0.5}, set()),
    ("anthropic", "claude-opus-5", {}, {**SAMPLING, "seed": 3}, {}, {*SAMPLING, "seed"}),
    ("anthropic", "claude-haiku-4-5", {}, {"temperature": 0.5}, {"temperature": 0.5}, set()),
    # ---- other names
    ("mistral", "m", {}, {"seed": 3}, {"random_seed": 3}, {"seed"}),
    ("groq", "m", {}, {"seed": 3}, {"seed": 3}, set()),
    # ---- the switch for reasoning
    ("groq", "qwen/qwen3-32b", {}, {"effort": "none"}, {"reasoning_effort": "none"}, set()),
    ("groq", "openai/gpt-oss-20b", {}, {"effort": "low"}, {"reasoning_effort": "low"}, set()),
    ("groq", "openai/gpt-oss-20b", {}, {"effort": "none"}, {}, {"reasoning_effort"}),
    ("cerebras", "gpt-oss-120b", {}, {"effort": "none"}, {}, {"reasoning_effort"}),
    ("mistral", "m", {}, {"effort": "high"}, {"reasoning_effort": "high"}, set()),
    ("mistral", "m", {}, {"effort": "low"}, {}, {"reasoning_effort"}),
    ("deepseek", "m", {}, {"effort": "none"}, {"thinking": {"type": "disabled"}}, {"reasoning_effort"}),
    ("deepseek", "m", {}, {"effort": "high"}, {"thinking": {"type": "enabled"}}, {"reasoning_effort"}),
    ("openrouter", "a/b", {}, {"effort": "low"}, {"reasoning": {"effort": "low"}}, {"reasoning_effort"}),
    ("openai", "gpt-5", {}, {"effort": "low"}, {"reasoning": {"effort": "low"}}, set()),
    ("anthropic", "claude-opus-5", {}, {"effort": "low"},
     {"output_config": {"effort": "low"},
      "thinking": {"type": "adaptive", "display": "summarized"}}, set()),
    ("anthropic", "claude-opus-4-7", {}, {"effort": "high"},
     {"output_config": {"effort": "high"},
      "thinking": {"type": "adaptive", "display": "summarized"}}, set()),
    ("anthropic", "claude-opus-4-6", {}, {"effort": "high"},
     {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}, set()),
    ("anthropic", "claude-mythos-5-2", {}, {"effort": "none"},
     {"thinking": {"type": "disabled"}}, set()),
    # ---- tools
    ("mistral", "m", {}, {"tools": [weather], "tool_choice": "required"}, {"tool_choice": "any"}, set()),
    ("deepseek", "deepseek-reasoner", {}, {"tools": [weather], "tool_choice": "required"}, {},
     {"tool_choice"}),
    ("moonshot", "kimi-k2-thinking", {}, {"tools": [weather], "tool_choice": "required"}, {},
     {"tool_choice"}),
    ("zai", "glm-5", {}, {"tools": [weather], "tool_choice": "weather"}, {}, {"tool_choice"}),
    ("groq", "m", {}, {"tools": []}, {}, {"tools"}),
    # ---- schemas
    ("groq", "m", {}, {"schema": int}, {}, set()),
    ("deepseek", "m", {}, {"schema": int}, {"response_format": {"type": "json_object"}}, set()),
    ("zai", "m", {}, {"schema": int}, {"response_format": {"type": "json_object"}}, set()),
    # ---- copies
    ("openai", "m", {}, {}, {"store": False}, set()),
    *((name, "m", {"api": "responses"}, {}, {}, {"store"}) for name in ("together", "openrouter", "ollama")),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*was left out:UserWarning")
@pytest.mark.parametrize(("name", "model", "options", "params", "sent", "unsent"), CASES)
def test_body(
    server: FakeServer,
    at: Any,
    name: str,
    model: str,
    options: dict[str, Any],
    params: dict[str, Any],
    sent: dict[str, Any],
    unsent: set[str],
) -> None:
    """The body has each field as the service wants it, and none that it refuses."""
    server.reply('{"value": 1}' if "schema" in params else "Hello")
    at(name, model, **options).chat("Hi", **params)
    (seen,) = server.requests

    assert {field: seen.body.get(field) for field in sent} == sent
    assert not unsent & set(seen.body)


@pytest.mark.parametrize(
    ("name", "params", "left_out"),
    [
        ("mistral", {"effort": "low"}, "'effort=low'"),
        ("groq", {"logprobs": True}, "'logprobs'"),
        ("zai", {"tools": [weather], "tool_choice": "required"}, "'tool_choice=required'"),
    ],
)
def test_left_out_parameters_cause_a_warning(
    server: FakeServer, at: Any, name: str, params: dict[str, Any], left_out: str
) -> None:
    """Nothing is dropped in silence: the caller is warned once, and the response says so."""
    provider = at(name, "m")
    with pytest.warns(UserWarning, match=f"{name}/m does not support {left_out}"):
        response = provider.chat("Hi", **params)
    provider.chat("Hi", **params)

    assert left_out.strip("'") in response.metadata["params"]["dropped"]


@pytest.mark.parametrize(
    ("name", "asks"),
    [("groq", True), ("openrouter", True), ("vllm", True), ("cohere", False), ("mistral", False)],
)
def test_usage_is_asked_for_in_streams(server: FakeServer, at: Any, name: str, asks: bool) -> None:
    """`stream_options` is sent where it is accepted, and not where it is refused."""
    with at(name, "m").stream("Hi") as stream:
        list(stream)

    assert ("stream_options" in server.requests[0].body) is asks


@pytest.mark.parametrize("name", ["deepseek", "moonshot", "ollama", "xai", "zai"])
def test_left_out_strict_causes_no_warning(server: FakeServer, at: Any, name: str) -> None:
    """Services that do not know `strict` do not get it."""
    options = {"api": "chat"} if name == "xai" else {}
    at(name, "m", **options).chat("Hi", tools=[weather])

    assert "strict" not in str(server.requests[0].body["tools"])


def test_ids_of_tool_calls(server: FakeServer, at: Any) -> None:
    """Mistral gets ids of nine letters and digits, the same for a call and its result."""
    turns = [
        Message("user", "Hi"),
        Message(
            "assistant", tool_calls=[ToolCall("call_from_elsewhere", "weather", {"city": "x"})]
        ),
        Message("tool", "sunny", tool_call_id="call_from_elsewhere"),
    ]
    at("mistral", "m").chat(turns)
    _, assistant, result = server.requests[0].body["messages"]

    assert len(assistant["tool_calls"][0]["id"]) == 9
    assert assistant["tool_calls"][0]["id"].isalnum()
    assert result["tool_call_id"] == assistant["tool_calls"][0]["id"]
    assert "content" not in assistant


@pytest.mark.parametrize(
    ("name", "model"), [("sambanova", "DeepSeek-V3"), ("moonshot", "moonshot-v1-8k"), ("groq", "m")]
)
def test_texts_are_one_text(server: FakeServer, at: Any, name: str, model: str) -> None:
    """Texts alone are never sent as a list of parts."""
    at(name, model).chat(["one", "two"])

    assert server.requests[0].body["messages"] == [{"role": "user", "content": "one\ntwo"}]


@pytest.mark.parametrize(
    ("name", "model"), [("sambanova", "DeepSeek-V3"), ("moonshot", "moonshot-v1-8k")]
)
def test_pictures_for_models_that_read_text(
    server: FakeServer, at: Any, name: str, model: str
) -> None:
    """A picture for a model that takes no parts is refused before anything is sent."""
    with pytest.raises(ConfigurationError):
        at(name, model).chat(["What is it?", Image(url="https://example.org/cat.jpg")])

    assert server.requests == []


@pytest.mark.parametrize("name", ["groq", "cerebras", "vllm", "litellm", "openrouter"])
def test_leading_system_texts_are_one_message(server: FakeServer, at: Any, name: str) -> None:
    """Some servers take one system message, first; a later one stays where it is, as `system`."""
    turns = [
        Message("system", "one"),
        Message("system", "two"),
        Message("user", "Hi"),
        Message("system", "three"),
    ]
    at(name, "m").chat(turns)

    assert server.requests[0].body["messages"] == [
        {"role": "system", "content": "one\n\ntwo"},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "three"},
    ]


@pytest.mark.parametrize("name", ["deepseek", "moonshot"])
def test_reasoning_goes_back_beside_calls(server: FakeServer, at: Any, ask: Ask, name: str) -> None:
    """A turn with calls takes its `reasoning_content` back; other turns do not."""
    calls = Reply(reasoning="hm", tool_calls=[Call("weather", {"city": "x"})])
    server.script(calls, Reply("Sunny", reasoning="aha"), Reply("Bye"))
    provider = at(name, "m")
    first = ask(provider, "Hi", tools=[weather])
    result = Message("tool", "sunny", tool_call_id=first.tool_calls[0].id)
    turns = [Message("user", "Hi"), first.to_message(), result]
    second = ask(provider, turns, tools=[weather])
    ask(provider, [*turns, second.to_message(), Message("user", "Thanks")], tools=[weather])
    messages = server.requests[2].body["messages"]

    assert messages[1]["reasoning_content"] == "hm"
    assert "reasoning_content" not in messages[3]


@pytest.mark.parametrize("name", ["minimax", "sambanova", "llamafile", "groq", "chat_completions"])
def test_reasoning_in_tags(server: FakeServer, at: Any, ask: Ask, name: str) -> None:
    """Where a service writes `<think>` into the text, it becomes reasoning."""
    server.reply(Reply("Four.", reasoning="2 + 2", reasoning_as="tags", chunk_size=3))
    response = ask(at(name, "m"))

    assert response.content == "Four."
    assert response.reasoning is not None
    assert response.reasoning.strip() == "2 + 2"


# ---- what a rejection teaches --------------------------------------------------------------------


def refusing(field: str, words: str) -> Any:
    """A server that answers 400 with these words as long as the field is sent."""

    def answer(seen: Any) -> Fault | Reply:
        return Fault.status(400, message=words) if field in seen.body else Reply("Hello")

    return answer


STREAM_OPTIONS = refusing("stream_options", "Extra inputs are not permitted: stream_options")
MAX_TOKENS = refusing(
    "max_tokens",
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
)


def test_server_without_stream_options(server: FakeServer, at: Any) -> None:
    """A server that refuses `stream_options` gets one more request without it, and never again one with it."""
    server.reply(STREAM_OPTIONS)
    for _ in range(2):
        # A new provider each time, as every call of `ask` makes one.
        with at("vllm", "m").stream("Hi") as stream:
            assert "".join(stream) == "Hello"
    assert stream.response is not None

    assert ["stream_options" in seen.body for seen in server.requests] == [True, False, False]
    assert stream.response.metadata["attempts"] == 1


def test_deployment_of_a_reasoning_model(server: FakeServer, at: Any, ask: Ask) -> None:
    """A deployment's name does not tell its model; its refusal does."""
    server.reply(MAX_TOKENS)
    provider = at("azure", "my-deployment", api="chat")
    first = ask(provider, "Hi", max_tokens=5)
    second = ask(provider, "Hi", max_tokens=5)

    assert first.content == second.content == "Hello"
    assert first.metadata["attempts"] == 2
    assert first.metadata["retry_log"][0]["http_status"] == 400
    assert first.metadata["retry_log"][0]["wait_s"] == 0
    assert second.metadata["attempts"] == 1
    assert [seen.body.get("max_completion_tokens") for seen in server.requests] == [None, 5, 5]
    assert first.body == server.requests[1].body


def test_a_lesson_is_learnt_once(server: FakeServer, at: Any, ask: Ask) -> None:
    """A server that refuses either way ends the call."""
    server.reply(Fault.status(400, message="no stream_options, no max_completion_tokens"))
    with pytest.raises(BadRequestError):
        ask(at("vllm", "other"), "Hi", max_tokens=5)

    assert len(server.requests) <= 3
