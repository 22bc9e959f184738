"""Views of comparisons that tests draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from allos.errors import IncompleteStreamError
from allos.messages import Message, MessageRole, ToolCall
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView
from allos.response import ProviderResponse

ID = "cmp_01KAN3T5W8YQ2B7C9D0EFGHJKM"
FACTS: dict[str, Any] = {
    "latency_s": 0.92,
    "time_to_first_token_s": 0.18,
    "tokens_per_second": 209.8,
    "input_tokens": 42,
    "output_tokens": 187,
    "cost_usd": 0.00002,
    "finish_reason": "stop",
}
PROMPT = (Message(MessageRole.USER, "Explain gravity."),)


def answer(text: str = "Hi", **changes: Any) -> ProviderResponse:
    """Response with all facts of a call; None is unknown."""
    return ProviderResponse(text, metadata={**FACTS, **changes})


def finished(response: ProviderResponse, column: int = 0, sample_index: int = 0) -> CellView:
    """Cell of a call that has ended."""
    return CellView(
        column=column,
        sample_index=sample_index,
        state=response.status,
        text=response.content,
        response=response,
    )


def view_of(
    columns: list[ColumnView],
    cells: list[CellView],
    messages: tuple[Message, ...] = PROMPT,
    n: int = 1,
    id: str = ID,
) -> ComparisonView:
    """View with an id and a prompt."""
    return ComparisonView(
        id=id, prompt=PromptView.of(messages), columns=tuple(columns), cells=tuple(cells), n=n
    )


def comparison(**answers: ProviderResponse) -> ComparisonView:
    """One column for each response, named after its keyword."""
    columns = [
        ColumnView(index=k, name=name.replace("_", "/", 1)) for k, name in enumerate(answers)
    ]
    return view_of(columns, [finished(r, k) for k, r in enumerate(answers.values())])


def with_params(view: ComparisonView, *params: dict[str, Any]) -> ComparisonView:
    """The same comparison, its columns with these parameters."""
    columns = [replace(c, params=p) for c, p in zip(view.columns, params, strict=True)]
    return replace(view, columns=tuple(columns))


def repeats(*responses: ProviderResponse) -> ComparisonView:
    """One column with a repeat for each response."""
    cells = [finished(response, 0, k) for k, response in enumerate(responses)]
    return view_of([ColumnView(index=0, name="local/smollm2")], cells, n=len(cells))


def hostile(text: str) -> ComparisonView:
    """Comparison that holds a text wherever there can be one."""
    full = ProviderResponse(
        text,
        reasoning=text,
        refusal=text,
        tool_calls=[ToolCall("1", text, {text: text}), ToolCall("2", "f", {}, text, text)],
        error=IncompleteStreamError(text),
        metadata={
            **FACTS,
            "provider": text,
            "model": text,
            "finish_reason": text,
            "cost_usd": None,
        },
    )
    columns = [
        ColumnView(index=0, name=text, params={text: 1, "stop": text}),
        ColumnView(index=1, name=f"a/{text}", params={"stop": [text]}),
    ]
    waiting = {"message": text, "attempt": 1, "max_attempts": 5}
    cells = [
        finished(full),
        CellView(column=0, sample_index=1, state="running", text=text),
        finished(answer(text), 1),
        CellView(column=1, sample_index=1, state="waiting", text=text, attempt=waiting),
    ]
    messages = (Message(MessageRole.SYSTEM, text), Message(MessageRole.USER, text))
    return view_of(columns, cells, messages, n=2, id=f"cmp_{text}")
