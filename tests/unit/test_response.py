from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from allos.errors import ServerError
from allos.messages import MessageRole, ToolCall
from allos.response import ProviderResponse
from allos.usage import Usage


def test_a_response_is_frozen() -> None:
    """A response is immutable."""
    response = ProviderResponse("x")
    for field in dataclasses.fields(response):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(response, field.name, "y")


def test_defaults_of_a_response() -> None:
    """An empty response has text, a list and a dict of its own, and unknown facts are None."""
    one, two = ProviderResponse(), ProviderResponse()

    assert (one.content, one.tool_calls, one.metadata) == ("", [], {})
    assert one.metadata is not two.metadata
    assert one.tool_calls is not two.tool_calls
    assert (one.status, one.ok) == ("ok", True)
    for name in ("provider", "model", "finish_reason", "latency_s", "cost_usd", "error"):
        assert getattr(one, name) is None
    assert one.usage == Usage()


def test_usage_of_a_response() -> None:
    """Usage is a view of the metadata."""
    response = ProviderResponse(
        metadata={
            "input_tokens": 3,
            "output_tokens": 0,
            "usage_source": "provider",
            "usage": {"x": 1},
        }
    )

    assert response.usage == Usage(input_tokens=3, output_tokens=0, source="provider", raw={"x": 1})


def test_response_as_text() -> None:
    """As text a response is its content; its repr is one short line."""
    facts = {"provider": "p", "model": "m", "status": "error"}
    response = ProviderResponse("long " * 50, [ToolCall("1", "f")], facts)

    assert str(response) == "long " * 50
    assert len(repr(response)) < 160
    assert repr(response).startswith("ProviderResponse('long long")
    for part in ("…", "tool_calls=['f']", "model='p/m'", "status='error'"):
        assert part in repr(response)
    assert "finish_reason='stop'" in repr(ProviderResponse("x", metadata={"finish_reason": "stop"}))


def test_next_turn_of_a_response() -> None:
    """The assistant's turn keeps text, calls and opaque parts; no text is None."""
    call = ToolCall("1", "f")
    turn = ProviderResponse("", [call], raw=({"type": "thinking"},)).to_message()

    assert (turn.role, turn.content, turn.tool_calls) == (MessageRole.ASSISTANT, None, (call,))
    assert turn.raw == ({"type": "thinking"},)


def test_with_metadata() -> None:
    """Further facts make a new response; unknown ones are left out."""
    first = ProviderResponse("x", metadata={"a": 1})
    second = first.with_metadata({"b": 2, "c": None})

    assert first.metadata == {"a": 1}
    assert second.metadata == {"a": 1, "b": 2}
    assert second.content == "x"


@pytest.mark.parametrize("failed", [True, False])
def test_responses_can_be_copied(failed: bool) -> None:
    """A response survives pickle and deep copy, its error included."""
    error = ServerError("sorry", status_code=500) if failed else None
    response = ProviderResponse("x", [ToolCall("1", "f")], {"a": 1}, error=error)
    if error is not None:
        error.response = response
    for made in (pickle.loads(pickle.dumps(response)), copy.deepcopy(response)):
        assert (made.content, made.tool_calls, made.metadata) == (
            "x",
            [ToolCall("1", "f")],
            {"a": 1},
        )
        if failed:
            assert made.error.status_code == 500
            assert made.error.response is made
