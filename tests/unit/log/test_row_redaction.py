from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.log.row_redaction import FAILED
from allos.messages import ToolCall
from tests.support.log_rows import a_response, record

ADDRESS = re.compile(r"[\w.]+@[\w.]+")


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open()
    return log_path


def hide(text: str) -> str:
    return ADDRESS.sub("(an address)", text)


def secret_response() -> object:
    address = "ann@example.org"
    return a_response(
        1,
        content=f"Write to {address}",
        reasoning=f"Who is {address}?",
        tool_calls=[ToolCall(id="c", name="mail", arguments={"to": address, "count": 5})],
        metadata={"error_message": f"no {address}", "temperature": 0.5},
    )


def test_texts_are_changed_before_they_are_written(log: Path) -> None:
    """Nothing of what the function takes out is in any file of the log; numbers and JSON stay whole."""
    allos.log.redact(hide)
    response = secret_response()
    record(response)  # type: ignore[arg-type]
    allos.rate(response, 1, note="ask ann@example.org", tags=["ann@example.org"])  # type: ignore[arg-type]
    row = allos.responses(raw=True).iloc[0]
    allos.search("write")
    allos.log.close()
    files = [path.read_bytes() for path in log.parent.iterdir() if path.is_file()]

    assert row["content"] == "Write to (an address)"
    assert row["reasoning"] == "Who is (an address)?"
    assert row["error_message"] == "no (an address)"
    assert json.loads(row["tool_calls"])[0]["arguments"] == {"to": "(an address)", "count": 5}
    assert row["temperature"] == 0.5
    assert (row["note"], row["rating_tags"]) == ("ask (an address)", '["(an address)"]')
    assert not any(b"ann@example" in data for data in files)


def test_the_answer_itself_is_as_it_was(log: Path) -> None:
    """Only what is written changes, not what the caller has."""
    allos.log.redact(hide)
    response = secret_response()
    record(response)  # type: ignore[arg-type]

    assert response.content == "Write to ann@example.org"  # type: ignore[attr-defined]


def _raises(text: str) -> str:
    raise ValueError(text)


@pytest.mark.parametrize("function", [_raises, lambda text: None, lambda text: text.encode()])
@pytest.mark.parametrize("action", ["always", "error"])
def test_where_it_fails_no_text_is_written(
    log: Path, function: Callable[[str], str], action: str
) -> None:
    """The row is there, with its numbers and without its texts; one warning says why."""
    allos.log.redact(function)
    response = secret_response()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        record(response)  # type: ignore[arg-type]
        allos.rate(response, -1, note="ann@example.org")  # type: ignore[arg-type]
        row = allos.responses().iloc[0]

    assert (row["content"], row["note"], row["rating"]) == (FAILED, FAILED, -1)
    assert row["input_tokens"] > 0
    assert action == "error" or "the redaction of the log failed" in str(caught[0].message)


def test_it_begins_and_ends(log: Path) -> None:
    """What was logged before stays; None ends it; what cannot be called is refused."""
    record(a_response(1, content="a@b.c"))
    allos.log.redact(hide)
    record(a_response(2, content="a@b.c"))
    allos.log.redact(None)
    record(a_response(3, content="a@b.c"))

    assert allos.responses()["content"].tolist() == ["a@b.c", "(an address)", "a@b.c"]
    with pytest.raises(ConfigurationError, match="needs a function"):
        allos.log.redact("a@b.c")  # type: ignore[arg-type]
