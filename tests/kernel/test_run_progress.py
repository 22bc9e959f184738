"""A cell that waits for a judge says how far it is: to a person, in one line; to a program it says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel

_JUDGE = """
both = allos.compare(prompts=["Hi", "Bye"], models=["groq/a", "groq/b"]).wait()
found = allos.judge(both, rubric="Short.", model="groq/judge", planted=0)
"""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    verdict = json.dumps({"rationale": "So.", "winner": "A"})
    with FakeServer() as started:
        started.reply(Reply(verdict, first_delay_s=1.3), on="judge")
        for name in "ab":
            started.reply(Reply(f"Answer {name}"), on=name)
        yield started


@pytest.mark.parametrize("allow_stdin", [True, False])
def test_a_judge_says_how_far_it_is(kernel: Kernel, *, allow_stdin: bool) -> None:
    """The line is drawn anew, and is the only output."""
    result = kernel.run(_JUDGE, allow_stdin=allow_stdin)

    assert result.status == "ok", result.evalue
    assert kernel.value("len(found.frame)") == 4
    if not allow_stdin:
        assert result.outputs == []
        return
    shown = result.displays
    kinds = [message["header"]["msg_type"] for message in shown]
    lines = [message["content"]["data"]["text/plain"] for message in shown]
    assert lines[-1] == "groq/judge judges: 4 of 4"
    assert kinds == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    assert len({message["content"]["transient"]["display_id"] for message in shown}) == 1
