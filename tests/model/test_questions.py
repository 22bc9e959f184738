"""Simple questions to the embedded model, as a first user asks them."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest

from allos.local import LocalServer, serve
from allos.profiles import Api
from allos.providers import Message, MessageRole, ProviderRegistry

pytestmark = pytest.mark.model

CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Germany": "Berlin",
    "Japan": "Tokyo",
    "England": "London",
    "Egypt": "Cairo",
    "Russia": "Moscow",
}
QUESTIONS = {
    **{f"What is the capital of {country}?": city for country, city in CAPITALS.items()},
    "What is 2 + 2?": r"\b4\b|four",
    "What is 10 - 4?": r"= 6\b|\bsix\b",
    "How many days are in a week?": r"\b7\b|seven",
    "How many legs does a spider have?": r"\b8\b|eight",
    "Name the days of the week.": "Monday, Tuesday, Wednesday, Thursday, Friday",
    "Which day comes after Monday?": "Tuesday",
    "What color is the sky on a clear day?": "blue",
    "Which planet do we live on?": "Earth",
    "What is the opposite of hot?": "cold",
    "What is the largest ocean?": "Pacific",
    "Who wrote Romeo and Juliet?": "Shakespeare",
    "What is the boiling point of water in Celsius?": r"\b100\b",
}
EASY = [*list(QUESTIONS)[:9], "How many days are in a week?", "Name the days of the week."]
"""What a person tries first: a wrong answer here looks like a fault of the installation."""


def test_simple_questions() -> None:
    """The model answers at least 16 of 20 simple questions, and all of those tried first."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", temperature=0, max_tokens=24)
    answers = {question: provider.chat(question).content for question in QUESTIONS}
    right = [
        question for question, words in QUESTIONS.items() if re.search(words, answers[question])
    ]

    assert set(EASY) <= set(right), answers
    assert len(right) >= 16, answers


def prompt_of(server: LocalServer, *messages: Message) -> str:
    """The prompt that the model reads."""
    body = [{"role": message.role.value, "content": message.content} for message in messages]
    request = urllib.request.Request(
        f"{server.base_url.removesuffix('/v1')}/apply-template",
        data=json.dumps({"messages": body}).encode(),
        headers={
            "Authorization": f"Bearer {server.secret.reveal()}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        prompt: str = json.load(response)["prompt"]
    return prompt


def test_only_the_users_system_prompt() -> None:
    """The model reads no system prompt but that of the request."""
    hello = Message(MessageRole.USER, "Hi")
    system = Message(MessageRole.SYSTEM, "Be terse.")
    start = "<|im_start|>assistant\n"

    assert prompt_of(serve(), hello) == f"<|im_start|>user\nHi<|im_end|>\n{start}"
    assert prompt_of(serve(), system, hello) == (
        f"<|im_start|>system\nBe terse.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n{start}"
    )


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_every_api(api: Api) -> None:
    """The three APIs of the server read the same prompt."""
    options: dict[str, Any] = {"api": api, "temperature": 0, "max_tokens": 12}
    answer = ProviderRegistry.get_provider("local", model="smollm2", **options).chat(EASY[0])

    assert "Paris" in answer.content
    assert (
        answer.usage.input_tokens
        == ProviderRegistry.get_provider("local", model="smollm2")
        .chat(EASY[0], max_tokens=1)
        .usage.input_tokens
    )
