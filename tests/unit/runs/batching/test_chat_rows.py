from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.runs.batching.chat_rows import chats_of


def test_an_exported_chat_is_asked_without_its_last_answer() -> None:
    """The answer is the column `ideal`; a system message of ours comes first."""
    chat = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": "Hello."},
    ]
    found = chats_of(pd.DataFrame({"messages": [chat, chat[:2]]}), "Be terse.")

    assert [[turn.role.value for turn in each] for each in found.conversations] == [
        ["system", "system", "user"]
    ] * 2
    assert found.conversations[0][-1].text == "Hi"
    assert found.frame["ideal"].tolist()[0] == "Hello."
    assert found.frame["ideal"].isna().tolist() == [False, True]


def test_a_sample_of_evals_keeps_its_ideal() -> None:
    """Also where the conversation is JSON text, as in a CSV file."""
    data = pd.DataFrame({"input": ['[{"role": "user", "content": "2+2?"}]'], "ideal": ["4"]})
    found = chats_of(data, None)

    assert found.conversations[0][0].text == "2+2?"
    assert found.frame["ideal"].tolist() == ["4"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"text": ["a"]}, "must have a column 'messages'"),
        ({"messages": ["no JSON"]}, "at index 0 is not a list of messages"),
        ({"messages": [[]]}, "it is empty"),
        ({"messages": [[{"role": "robot", "content": "x"}]]}, "robot"),
        ({"messages": [[{"role": "user"}]]}, "content"),
        ({"messages": [[{"role": "user", "content": [{"type": "image_url"}]}]]}, "only text"),
    ],
)
def test_what_is_no_conversation_is_refused(data: Any, message: str) -> None:
    """One line with the row's index."""
    with pytest.raises(ConfigurationError, match=message) as raised:
        chats_of(pd.DataFrame(data), None)

    assert "Nothing was sent." in str(raised.value)
