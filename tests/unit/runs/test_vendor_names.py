"""Whether an answer says which model gave it."""

from __future__ import annotations

import pytest

from allos.runs.vendor_names import named_vendor


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        ("I am ChatGPT.", "OpenAI"),
        ("As a model trained by OpenAI, I cannot.", "OpenAI"),
        ("gpt-4o here", "OpenAI"),
        ("I'm Claude, made by Anthropic.", "Anthropic"),
        ("Soy Gemini, de Google.", "Google"),
        ("我是通义千问。", "Alibaba"),
        ("I am Qwen2.5", "Alibaba"),
        ("LLaMA 3", "Meta"),
        ("Ich bin Mistral-7B", "Mistral"),
        ("A large claude-shaped cloud", "Anthropic"),
        ("The Claudette of Geminis", ""),
        ("A glama rocks", ""),
        ("", ""),
    ],
)
def test_a_vendor_is_found_as_a_word(text: str, vendor: str) -> None:
    """In any case and language; a part of another word is none."""
    assert named_vendor(text) == vendor


def test_the_names_that_are_compared_count_too() -> None:
    """As far as they are no ordinary words; a name in the prompt tells nothing."""
    models = ["acme/tiny-2b:free", "acme/large"]

    assert named_vendor("This is tiny-2b speaking.", models) == "tiny-2b"
    assert named_vendor("A large free answer.", models) == ""
    assert named_vendor("tiny-2b is small.", models, "What is tiny-2b?") == ""
    assert named_vendor("Claude Monet painted.", prompt="Who was Claude Monet?") == ""
