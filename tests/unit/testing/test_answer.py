from __future__ import annotations

import pytest

import allos
from allos.testing import Answer, Hold, ScriptedProvider


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        ("", []),
        ("Hello.", ["Hello."]),
        (" Hello  there.\n", [" Hello", "  there.", "\n"]),
        (["Hel", "lo"], ["Hel", "lo"]),
    ],
)
def test_pieces(content: str | list[str], pieces: list[str]) -> None:
    """A text comes word by word and a sequence as it is; nothing of either is lost."""
    assert Answer(content).pieces == pieces
    assert "".join(map(str, Answer(content).pieces)) == "".join(content)


def test_only_the_content_is_positional() -> None:
    """What is not the text is named."""
    with pytest.raises(TypeError, match="positional"):
        Answer("4", "2 + 2")  # type: ignore[misc]


def test_hold_keeps_a_stream_where_it_is() -> None:
    """Until it is released, a stream shows what came before; then the rest comes."""
    hold = Hold()
    with ScriptedProvider(Answer(["Hel", hold, "lo"])).stream("Hi") as stream:
        pieces = [next(stream)]
        hold.wait_until_reached()
        assert stream.response is None
        hold.release()
        pieces += stream

    assert pieces == ["Hel", "lo"]
    assert stream.response is not None
    assert stream.response.content == "Hello"


def test_hold_that_is_released_holds_nobody() -> None:
    """Who comes after `release` does not wait."""
    hold = Hold()
    hold.release()

    assert ScriptedProvider(Answer([hold, "Hello"])).chat("Hi").content == "Hello"
    hold.wait_until_reached()


def test_hold_holds_all_that_come() -> None:
    """One release lets every answer go on."""
    hold = Hold()
    holding = [Hold() for _ in range(3)]
    answers = [Answer([reached, hold, "Hello"]) for reached in holding]
    for reached in holding:
        reached.release()
    run = allos.compare("Hi", models=[ScriptedProvider(answers)], n=3)
    for reached in holding:
        reached.wait_until_reached()
    hold.release()

    assert [response.content for response in run.wait(10).responses] == ["Hello"] * 3


def test_cancelled_while_held() -> None:
    """A call that is cancelled while it is held keeps what had arrived, and a release finds nobody."""
    hold = Hold()
    with ScriptedProvider(Answer(["Hel", hold, "lo"])).stream("Hi") as stream:
        next(stream)
        hold.wait_until_reached()
    hold.release()

    assert stream.response is not None
    assert (stream.response.status, stream.response.content) == ("cancelled", "Hel")


def test_nobody_came() -> None:
    """Waiting for an answer that never comes ends with an error that says so."""
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        Hold().wait_until_reached(0.01)
