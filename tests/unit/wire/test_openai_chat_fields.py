from __future__ import annotations

from typing import Any

import pytest

from tests.support.decoding import accumulate, complete, streamed

ODD = [("reasoning", {"content": "hm"}), ("refusal", {"reason": "x"}), ("images", {"url": "x"})]


@pytest.mark.parametrize(("name", "value"), ODD)
def test_fields_of_another_type(name: str, value: Any) -> None:
    """A field that is read, and came in another form, is kept as it came."""
    whole = {"choices": [{"message": {"content": "x", name: value}, "finish_reason": "stop"}]}
    pieces = [
        {"choices": [{"delta": {name: value}}]},
        {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]},
    ]

    for events in (complete("chat", whole), streamed("chat", pieces)):
        found = accumulate(events)
        assert found.text("text") == "x"
        assert found.extra == {"message": {name: value}}
