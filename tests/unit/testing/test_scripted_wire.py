from __future__ import annotations

import pytest

from allos.errors import IncompleteStreamError, ServerError
from allos.events import ResponseFacts
from allos.messages import ToolCall
from allos.response import ProviderResponse
from allos.testing import Answer, ScriptedProvider
from allos.usage import Usage


def both(answer: Answer, **options: object) -> tuple[ProviderResponse, ProviderResponse]:
    """The answer whole and streamed."""
    provider = ScriptedProvider(answer, **options)
    with provider.stream("Hi") as stream:
        list(stream)
    assert stream.response is not None
    return provider.chat("Hi"), stream.response


def test_everything_of_an_answer_arrives() -> None:
    """Text, reasoning, tool calls, usage and facts stand in the response, whole and streamed."""
    call = ToolCall("call_1", "add", {"a": 1})
    usage = Usage(input_tokens=9, output_tokens=3, source="provider", raw={"in": 9})
    answer = Answer(
        "Let me see.",
        reasoning="1 + 1",
        tool_calls=[call],
        usage=usage,
        facts=ResponseFacts(response_model="m-2", request_id="req_1", cost_usd=0.25),
    )
    for response in both(answer):
        assert (response.content, response.reasoning) == ("Let me see.", "1 + 1")
        assert response.tool_calls == [call]
        assert response.finish_reason == "tool_calls"
        assert response.usage == usage
        assert response.metadata["response_model"] == "m-2"
        assert response.metadata["request_id"] == "req_1"
        assert response.metadata["cost_usd"] == 0.25


def test_broken_arguments() -> None:
    """Arguments that are no JSON arrive as a model wrote them."""
    call = ToolCall("call_1", "add", raw_arguments='{"a": ')
    for response in both(Answer(tool_calls=[call])):
        assert response.tool_calls[0].raw_arguments == '{"a": '
        assert response.tool_calls[0].error is not None


@pytest.mark.parametrize(
    ("answer", "finish_reason"),
    [
        (Answer("Hi"), "stop"),
        (Answer("Hi", finish_reason="length"), "length"),
        (Answer(refusal="I cannot."), "refusal"),
    ],
)
def test_finish_reason(answer: Answer, finish_reason: str) -> None:
    """What a script does not say follows from the answer."""
    for response in both(answer):
        assert response.finish_reason == finish_reason
        assert response.refusal == (answer.refusal or None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer("Half of", cut=True), IncompleteStreamError),
        (Answer("Half of", error=ServerError("overloaded", status_code=529)), ServerError),
    ],
)
def test_what_came_before_a_fault_is_kept(answer: Answer, error: type[Exception]) -> None:
    """A fault after the first piece is not tried again; the piece stands in the error's response."""
    provider = ScriptedProvider(answer)
    with pytest.raises(error) as whole:
        provider.chat("Hi")
    with pytest.raises(error) as streamed, provider.stream("Hi") as stream:
        list(stream)

    for caught in (whole, streamed):
        assert caught.value.response.content == "Half of"  # type: ignore[attr-defined]
        assert caught.value.response.status == "error"  # type: ignore[attr-defined]
    assert len(provider.requests) == 2


def test_delays_pass_on_paper() -> None:
    """Delays show in the response's times, and take no time."""
    usage = Usage(output_tokens=5, source="provider")
    answer = Answer(["a", "b", "c"], first_delay_s=20, delay_s=5, usage=usage)
    whole, streamed = both(answer)

    assert whole.metadata["latency_s"] == 30
    assert "time_to_first_token_s" not in whole.metadata
    assert streamed.metadata["latency_s"] == 30
    assert streamed.metadata["time_to_first_token_s"] == 20
    assert streamed.metadata["tokens_per_second"] == 0.4
    assert streamed.metadata["total_time_s"] < 5


def test_times_without_delays_are_real() -> None:
    """Where a script names no delay, the clock counts."""
    whole, streamed = both(Answer(["a", "b"]))

    assert 0 < whole.metadata["latency_s"] < 5
    assert 0 < streamed.metadata["time_to_first_token_s"] <= streamed.metadata["latency_s"]


def test_body_and_preview() -> None:
    """A preview shows what a service would get; every parameter is taken."""
    provider = ScriptedProvider("Hello.", temperature=0.5)
    planned = provider.preview("Hi", seed=3, extra={"mirostat": 2}).requests[0]

    assert planned.body == {
        "model": "scripted",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "seed": 3,
        "mirostat": 2,
    }
    assert planned.dropped == ()
    assert provider.requests == []


def test_models() -> None:
    """Any name is a model, so none is listed, and no window is known."""
    provider = ScriptedProvider("Hello.")

    assert list(provider.list_models()) == []
    assert provider.get_context_window(refresh=True) is None
