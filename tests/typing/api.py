"""The public types, as a user's type checker sees them; mypy reads this, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import pandas as pd

import allos
from allos.providers import (
    Message,
    MessageRole,
    ModelInfo,
    ModelList,
    Provider,
    ProviderRegistry,
    ProviderResponse,
    Service,
    Stream,
    ToolCall,
    Usage,
    cached_models,
    known_models,
    register,
)
from allos.providers.auth.key_store import KeyInfo
from allos.providers.pricing.budgets import Budget
from allos.providers.pricing.planned_requests import Preview
from allos.runs.doctor import Report


def providers() -> None:
    provider = ProviderRegistry.get_provider("groq", model="m")
    assert_type(provider, Provider)
    response = provider.chat([Message(role=MessageRole.USER, content="Hi")])
    assert_type(response, ProviderResponse)
    assert_type(response.content, str)
    assert_type(Message("user", "Hi").role, MessageRole)
    assert_type(response.tool_calls, list[ToolCall])
    assert_type(response.usage, Usage)
    assert_type(response.latency_s, float | None)
    assert_type(provider.get_context_window(), int | None)
    with provider.stream("Hi") as stream:
        assert_type(stream, Stream)
        for text in stream:
            assert_type(text, str)
    assert_type(stream.response, ProviderResponse | None)


def models() -> None:
    provider = ProviderRegistry.get_provider("groq", model="m")
    found = provider.list_models()
    assert_type(found, ModelList)
    assert_type(found[0], ModelInfo)
    assert_type(found[0].context_window, int | None)
    assert_type(found.frame, pd.DataFrame)
    assert_type(provider.get_context_window(refresh=True), int | None)
    assert_type(cached_models("groq"), list[str] | None)
    assert_type(known_models("groq"), list[str])


def own() -> None:
    row = Service(name="mine", base_url="https://mine.example/v1", api="chat")
    assert_type(register(row), Service)

    @register("other", base_url="https://mine.example/v1", api="chat")
    class Mine(Provider):
        """A provider of one's own."""

    assert_type(Mine(row, model="m"), Mine)


async def asynchronous() -> None:
    found = await ProviderRegistry.get_provider("groq", model="m").alist_models()
    assert_type(found, ModelList)
    assert_type(await allos.aask("Hi", model="local/smollm2"), ProviderResponse)
    provider = ProviderRegistry.get_provider("groq", model="m")
    async with provider.astream("Hi") as stream:
        async for text in stream:
            assert_type(text, str)


def questions() -> None:
    assert_type(allos.ask("Hi", model="local/smollm2", temperature=0), ProviderResponse)
    assert_type(allos.log.is_open(), bool)


def pictures() -> None:
    image = allos.Image(path="chart.png", detail="low")
    assert_type(image.size_bytes, int | None)
    message = Message(MessageRole.USER, ["What is it?", image, allos.File(data=b"text")])
    assert_type(message.text, str | None)
    allos.ask([message], model="groq/m")
    allos.ask(["What is it?", image], model="groq/m")
    allos.ask(image, model="groq/m")
    allos.compare(("What is it?", image), models=["groq/m"])


def money() -> None:
    budget = allos.budget(0.5, free=["ollama"], confirm=lambda question: False)
    assert_type(budget.left_usd, float)
    with allos.budget(0.1) as block:
        assert_type(block, Budget)
    assert_type(allos.budget(), Budget | None)
    allos.budget(None)
    plan = allos.preview("Hi", model="groq/m")
    assert_type(plan, Preview)
    assert_type(plan.worst_cost_usd, float | None)
    allos.compare("Hi", models=["groq/m"], confirm=lambda plan: plan.calls < 100)
    assert_type(ProviderRegistry.get_provider("groq", model="m").preview("Hi", exact=True), Preview)


def keys() -> None:
    assert_type(allos.set_key("groq"), KeyInfo)
    assert_type(allos.set_key("groq", "gsk-example", remember=False).source, str | None)
    assert_type(allos.forget_key("groq"), KeyInfo)
    assert_type(allos.doctor(online=False), Report)
