"""`%allos summary`, `cost`, `search`, `rank` and the switches of `%allos log`, in a plain IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.testing import ScriptedProvider
from tests.support.log_rows import a_response, record


@pytest.fixture(autouse=True)
def rows(tmp_path: Path) -> Iterator[None]:
    """Six answers of two models, with costs, and a failure whose cost is unknown."""
    allos.log.open(tmp_path / "log.sqlite")
    record(
        *(
            a_response(n, metadata={"cost_usd": 0.01 * n, "model": "ab"[n % 2], "latency_s": n / 7})
            for n in range(6)
        ),
        a_response(
            7,
            content="",
            metadata={
                "provider": "openai",
                "model": "gpt-5",
                "status": "error",
                "error_type": "RateLimitError",
                "error_message": "openai/gpt-5: rate limit (429).",
            },
        ),
    )
    yield
    allos.log.on()
    allos.log.close()


def shown(shell: Any, value: Any) -> str:
    return str(shell.display_formatter.format(value)[0]["text/plain"])


def test_summary_is_by_provider_and_model(shell: Any) -> None:
    """One row per model with what is known of it; words choose rows, --by other groups."""
    frame = shell.run_line_magic("allos", "summary")
    failed = shell.run_line_magic("allos", "summary failed --by status,model")

    assert isinstance(frame, pd.DataFrame)
    assert frame["model"].tolist() == ["a", "b", "gpt-5"]
    assert list(failed.columns[:2]) == ["status", "model"]
    assert failed["calls"].tolist() == [1]
    assert "7 calls" in shown(shell, frame)
    assert "100%" in shown(shell, frame)


def test_cost_says_what_is_unknown(shell: Any) -> None:
    """The total counts unknown costs, and a group without a known one says so."""
    text = shown(shell, shell.run_line_magic("allos", "cost"))

    assert "$0.15 + 1 unknown for 7 calls" in text
    assert "unknown" in text.splitlines()[-1]


def test_search_takes_words_and_phrases(shell: Any) -> None:
    """All words must occur; what is quoted stays together; --grep takes filters as well."""
    both = shell.run_line_magic("allos", "search answer 3")
    phrase = shell.run_line_magic("allos", 'search "question 3"')
    grep = shell.run_line_magic("allos", "log 2 groq/b --grep answer")
    nothing = shell.run_line_magic("allos", "search trampoline")

    assert both["content"].tolist() == ["Answer 3"]
    assert phrase["prompt"].tolist() == ["Question 3"]
    assert grep["model"].tolist() == ["b", "b"]
    assert "1 response found" in shown(shell, both)
    assert shown(shell, nothing) == "No response has these words."


def test_rank_is_of_the_votes(shell: Any) -> None:
    """Without votes a line says how to cast one; with people's votes models are ranked, notes below."""
    before = shell.run_line_magic("allos", "rank")
    for number in (0, 2, 4):
        allos.vote(a_response(number), a_response(number + 1), "b")
        allos.vote(a_response(number), a_response(number + 1), "a", rater="judge:gpt-5")
    frame = shell.run_line_magic("allos", "rank today")
    judged = [
        shell.run_line_magic("allos", f"rank {words}") for words in ("judge:gpt-5", "gpt-5 today")
    ]

    assert "No votes. Vote on the board" in before
    assert "allos.vote(a, b, 'a')" in before
    assert frame["model"].tolist() == ["groq/b", "groq/a"]
    assert "3 votes today, by " in shown(shell, frame)
    assert "3 votes of judges do not count" in shown(shell, frame)
    for each in judged:
        assert each["model"].tolist() == ["groq/a", "groq/b"]
        assert "by judge:gpt-5" in shown(shell, each)
        assert "of people" not in shown(shell, each)
    assert frame.attrs["notes"][0] in shown(shell, frame)


def test_settings_of_one_model_are_ranked_by_their_names(shell: Any) -> None:
    """As the comparison ranks them; two answers of one setting rank nothing, and a line says so."""
    both = allos.compare(
        "Hi", models=[ScriptedProvider("Hello")], params=[{"temperature": 0}, {"temperature": 1}]
    ).wait(10)
    again = allos.compare("Hi", models=[ScriptedProvider("Hello")], n=2).wait(10)
    allos.vote(*again.responses, "a")
    line = shell.run_line_magic("allos", "rank")
    allos.vote(*both.responses, "a")
    ranked = shell.run_line_magic("allos", "rank")

    assert "1 vote, by " in line
    assert "between answers of one setting, which rank nothing" in line
    assert ranked["model"].tolist() == both.winner().ranking["model"].tolist()
    assert "temperature 0" in ranked["model"].tolist()[0]
    assert "1 vote between two answers of one model was left out" in shown(shell, ranked)


def test_logging_is_switched_off_and_on(shell: Any) -> None:
    """Between off and on no call becomes a row; what is there can be read and rated."""
    provider = ScriptedProvider("Hello")
    shell.run_line_magic("allos", "log off")
    allos.ask("Private", model=provider)
    allos.rate(a_response(1), 1)
    text = shown(shell, shell.run_line_magic("allos", "log"))
    on = shell.run_line_magic("allos", "log on")
    allos.ask("Public", model=provider)

    assert "New calls are not logged" in text
    assert on.startswith("Calls are logged again.")
    assert allos.responses()["prompt"].tolist()[-1] == "Public"
    assert "Private" not in set(allos.responses()["prompt"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("search", "needs words to look for"),
        ("rank nope", "does not know 'nope'"),
        ("rank today monday", "does not know 'today monday'"),
        ("summary 3", "takes no number of rows"),
        ("summary --by", "--by needs a value"),
        ("summary --by model --by status", "--by is given twice"),
        ("cost --by modle", "no column 'modle'. Did you mean 'model'"),
        ("cost tody", "Did you mean 'today'"),
        ("log --grep", "--grep needs a value"),
        ("log off now", "'off'"),
    ],
)
def test_mistakes_are_one_line(shell: Any, line: str, message: str) -> None:
    """What a line does not understand, it names."""
    with pytest.raises(ConfigurationError) as caught:
        shell.run_line_magic("allos", line)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
