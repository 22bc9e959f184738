from __future__ import annotations

import dataclasses

from allos.messages import Message, MessageRole
from allos.request import Request


def test_system_and_prompt_of_a_request() -> None:
    """A request knows its system texts and the last question."""
    request = Request(
        provider="p",
        api="chat",
        base_url="u",
        model="m",
        messages=(
            Message(MessageRole.SYSTEM, "One"),
            Message(MessageRole.USER, "first"),
            Message(MessageRole.ASSISTANT, "answer"),
            Message(MessageRole.SYSTEM, "Two"),
            Message(MessageRole.USER, "second"),
        ),
    )

    assert request.system == "One\n\nTwo"
    assert request.prompt == "second"
    assert dataclasses.replace(request, messages=()).system is None
    assert dataclasses.replace(request, messages=()).prompt is None
