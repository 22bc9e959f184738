from __future__ import annotations

from pathlib import Path

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError, LogError
from tests.support.log_rows import a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open(log_path)
    record(
        a_response(0, prompt="What is a trampoline?", content="A strong piece of fabric."),
        a_response(1, prompt="Explain gravity", content="On a TRAMPOLINE one feels gravity."),
        a_response(2, prompt="Dessert?", content="Crème brûlée", metadata={"model": "chef"}),
        a_response(3, prompt="天气怎么样", content="今天天气很好"),
        a_response(4, prompt="Nothing", content=None),
    )
    return log_path


def numbers(query: str, **filters: object) -> list[int]:
    return sorted(int(each[4:]) for each in allos.search(query, **filters)["id"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("trampoline", [0, 1]),
        ("TRAMPO", [0, 1]),
        ("trampoline gravity", [1]),
        ('"piece of"', [0]),
        ('"of piece"', []),
        ("brulee", [2]),
        ("BRÛLÉE", [2]),
        ("天气", [3]),
        ("好", [3]),
        ("天气 很好", [3]),
        ("of", [0]),
        ("poline", [0, 1]),
        ("poline gravity", [1]),
        ("piece-of", [0]),
        ("t", [0, 1]),
    ],
)
def test_words_are_found(log: Path, query: str, found: list[int]) -> None:
    """In prompt and content; beginnings of words, else their parts; phrases, other scripts, accents."""
    assert numbers(query) == found


@pytest.mark.parametrize(
    "query",
    [
        *(
            'a" OR "b',
            "NEAR(a b)",
            "xyz*",
            "-nope",
            "content:gravity",
            "a AND (",
            "NOT gravity",
        ),
        *(
            "'; DROP TABLE responses; --",
            "a\0b",
            "{nope}",
            "tram* OR",
            '"un',
        ),
    ],
)
def test_nothing_in_a_query_is_an_operator(log: Path, query: str) -> None:
    """Quotes, operators and what SQL knows are looked for like anything else."""
    assert numbers(query) == []
    assert len(allos.responses()) == 5


@pytest.mark.parametrize(
    "query",
    ["", "  ", '"', '""', "\0", "^", "%", "_ -", "\\", "\ud800", None, 5, "x" * 1001, "a " * 200],
)
def test_a_query_without_words_is_one_line(log: Path, query: str) -> None:
    """What cannot be looked for is refused."""
    if query == "a " * 200:
        query = " ".join(f"w{number}" for number in range(51))
    with pytest.raises(ConfigurationError, match=r"^search\(\) (needs words|takes at most)"):
        allos.search(query)


def test_the_best_match_comes_first(log: Path) -> None:
    """A row that speaks of it more, in less text, is above the others."""
    record(a_response(9, prompt="trampoline trampoline", content="trampoline"))

    assert allos.search("trampoline")["id"][0] == a_response(9).id


def test_the_frame(log: Path) -> None:
    """It says where the words are, and shows them in their text; without matches it has its columns."""
    frame = allos.search("gravity")
    (row,) = frame.to_dict("records")

    assert list(frame.columns[:5]) == ["created_at", "provider", "model", "found_in", "snippet"]
    assert row["found_in"] == "prompt, content"
    assert row["snippet"] == "On a TRAMPOLINE one feels gravity."
    assert list(allos.search("nowhere").columns) == list(frame.columns)
    assert list(allos.search("gravity", columns="id").columns) == ["id", "found_in", "snippet"]


def test_filters_and_limit(log: Path) -> None:
    """Those of `allos.responses`."""
    assert numbers("d", model="chef") == [2]
    assert numbers("d", provider="none") == []
    assert len(allos.search("trampoline", limit=1)) == 1
    assert len(allos.search("trampoline", limit=0)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modle": "x"}, "no filter 'modle'. Did you mean 'model'"),
        ({"limit": -1}, "limit= must be"),
        ({"limit": None}, "limit= must be"),
        ({"columns": "modle"}, "no column 'modle'"),
        ({"columns": "rating"}, "returns no ratings"),
        ({"since": "often"}, "since"),
    ],
)
def test_wrong_arguments_are_one_line(
    log: Path, arguments: dict[str, object], message: str
) -> None:
    """Each is named, with the closest one."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        allos.search("x", **arguments)  # type: ignore[arg-type]

    assert "\n" not in str(caught.value)


def test_off_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the log off there is nothing to search."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    with pytest.raises(LogError, match="the log is off"):
        allos.search("x")
