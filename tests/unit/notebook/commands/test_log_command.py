"""`%allos log`, `last`, `show` and `spent`, in a plain IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from tests.support.log_rows import a_response, record

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def rows(tmp_path: Path) -> Iterator[None]:
    """Twelve answers of groq, one failure of openai, one old answer."""
    allos.log.open(tmp_path / "log.sqlite")
    new = [
        replace(a_response(n, metadata={"cost_usd": 0.01}), created_at=NOW - timedelta(seconds=n))
        for n in range(12)
    ]
    failed = a_response(
        20,
        content="",
        metadata={
            "provider": "openai",
            "model": "gpt-5",
            "status": "error",
            "error_type": "RateLimitError",
            "error_message": "openai/gpt-5: rate limit (429).",
        },
    )
    old = replace(a_response(30), created_at=NOW - timedelta(days=40))
    record(*new, replace(failed, created_at=NOW - timedelta(seconds=30)), old)
    yield
    allos.log.close()


def shown(shell: Any, value: Any) -> dict[str, str]:
    return dict(shell.display_formatter.format(value)[0])


def test_log_is_the_newest_ten(shell: Any) -> None:
    """Newest first, with what people look for; the frame has every column."""
    frame = shell.run_line_magic("allos", "log")
    data = shown(shell, frame)

    assert type(frame) is pd.DataFrame
    assert list(frame["content"]) == [f"Answer {n}" for n in range(10)]
    assert "request_hash" in frame.columns
    for head in ("time", "model", "prompt", "answer", "tokens", "cost", "status"):
        assert f">{head}</th>" in data["text/html"]
    assert "10 responses, newest first" in data["text/plain"]
    assert "groq/llama-3.1-8b-instant" in data["text/plain"]
    assert "10 in, 5 out" in data["text/html"]
    assert str(allos.log.path()) in data["text/plain"]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("3", 3),
        ("20", 14),
        ("20 groq", 13),
        ("groq 2", 2),
        ("openai/gpt-5", 1),
        ("failed", 1),
        ("error openai", 1),
        ("20 ok", 13),
        ("20 2h", 13),
        ("20 1w", 13),
        ("stopped", 0),
        ("0", 0),
    ],
)
def test_log_takes_a_number_and_filters(shell: Any, words: str, count: int) -> None:
    """Each word says what it is by itself, in any order."""
    assert len(shell.run_line_magic("allos", f"log {words}")) == count


def test_log_of_nothing_is_a_line(shell: Any) -> None:
    """Where no row matches, one line is shown."""
    frame = shell.run_line_magic("allos", "log stopped")

    assert shown(shell, frame)["text/plain"].startswith("No response in the log.")


def test_a_failed_call_says_why(shell: Any) -> None:
    """In place of the answer stands the reason."""
    html = shown(shell, shell.run_line_magic("allos", "log failed"))["text/html"]

    assert "rate limit (429)" in html
    assert ">failed</span>" in html


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("log grog", r"does not know 'grog'\. Did you mean 'groq'"),
        ("log yesterdy", r"Did you mean 'yesterday'"),
        ("log -1", r"does not know '-1'"),
        ("log 2 3", r"'3' and 2 both set limit; use one"),
        ("log groq openai", r"both set provider"),
        ("spent todya", r"%allos spent does not know 'todya'\. Did you mean 'today'"),
        ("spent 5", r"takes no number of rows"),
        ("show", r"needs the id"),
        ("show cmp_1", r"The log has no comparison"),
        ("show nonsense", r"The log has no comparison"),
    ],
)
def test_a_wrong_word_is_one_line(shell: Any, line: str, message: str) -> None:
    """No traceback, and the near match where there is one."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        shell.run_line_magic("allos", line)

    assert len(caught.value._render_traceback_()) == 1  # type: ignore[attr-defined]


def test_last_is_the_whole_answer_then_the_facts(shell: Any) -> None:
    """The newest response with its text, and when and what was asked; a notebook gets no second row."""
    response = shell.run_line_magic("allos", "last")
    data, metadata = shell.display_formatter.format(response)

    assert (response.content, response.metadata["provider"]) == ("Answer 0", "groq")
    assert data["text/plain"].startswith("Answer 0\n")
    assert 'asked "Question 0"' in data["text/plain"]
    assert response.id in data["text/plain"]
    assert "allos" not in metadata


def test_show_finds_a_response(shell: Any) -> None:
    """An id of a response shows that response."""
    wanted = allos.responses(status="error")["id"][0]

    assert shell.run_line_magic("allos", f"show {wanted}").error is not None


def test_spent_counts_what_it_does_not_know(shell: Any) -> None:
    """By provider and model, the dearest first; unknown costs are counted."""
    frame = shell.run_line_magic("allos", "spent")
    text = shown(shell, frame)["text/plain"]

    assert frame.loc[("groq", "llama-3.1-8b-instant"), "cost_usd"] == pytest.approx(0.12)
    assert frame.loc[("groq", "llama-3.1-8b-instant"), "unknown_costs"] == 1
    assert text.startswith("$0.12 + 2 unknown for 14 calls")
    assert "$0.12 + 1 unknown" in text
    assert "NaN" not in text


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("week", "this week"),
        ("2h", "for 13 calls in the last 2h"),
        ("groq 1h", "$0.12 for 12 calls in the last 1h"),
        ("openai", "Unknown cost for 1 call"),
        ("local", "No call."),
    ],
)
def test_spent_of_a_time_or_a_provider(shell: Any, words: str, title: str) -> None:
    """The title says of what."""
    frame = shell.run_line_magic("allos", f"spent {words}")

    assert title in shown(shell, frame)["text/plain"].splitlines()[0]


def test_the_embedded_model_is_free(shell: Any) -> None:
    """Its calls have no price because they cost nothing: they are not unknown."""
    record(a_response(40, metadata={"provider": "local", "model": "smollm2"}))
    text = shown(shell, shell.run_line_magic("allos", "spent local"))["text/plain"]

    assert text.startswith("$0 for 1 call")
    assert "free" in text
