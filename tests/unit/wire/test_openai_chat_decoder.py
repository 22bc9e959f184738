"""The shortcut for chunks that repeat the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count, repeat
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allos.events import Event
from allos.wire.openai_chat_decoder import ChatDecoder

_PIECES = st.sampled_from(
    [
        {"delta": {"content": "a"}},
        {"delta": {"content": " b"}},
        {"delta": {"content": "<think>"}},
        {"delta": {"content": "</think>"}},
        {"delta": {"content": ""}},
        {"delta": {"content": "a", "role": "assistant"}},
        {"delta": {"content": "a", "reasoning": "hm"}},
        {"delta": {"content": "a", "vendor": 1}},
        {"delta": {"content": "a"}, "index": 1},
        {"delta": {"content": "a"}, "logprobs": {"content": [{"token": "a", "logprob": -1.0}]}},
        {"delta": {"content": "a"}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        {"delta": {"content": "a"}, "finish_reason": "stop"},
        {"delta": {}, "finish_reason": "length"},
        {"message": {"content": "a"}},
        {"text": "a"},
    ]
)


@given(st.lists(_PIECES, max_size=8), st.booleans())
def test_equal_chunks_are_read_like_different_ones(
    pieces: list[dict[str, Any]], think_tags: bool
) -> None:
    """A chunk that repeats the one before but for its text means what it would mean alone."""

    def events(numbers: Iterable[int]) -> list[Event]:
        decoder = ChatDecoder(think_tags=think_tags)
        found: list[Event] = []
        for created, piece in zip(numbers, pieces, strict=False):
            chunk = {
                "id": "c",
                "created": created,
                "model": "m",
                "choices": [{"index": 0, **piece}],
            }
            found += decoder.decode_event("", json.dumps(chunk).encode())
        return [*found, *decoder.flush()]

    assert events(repeat(7)) == events(count())
