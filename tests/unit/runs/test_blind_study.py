"""What a blind page holds: each pair once, answers without their facts, and a key of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
import allos.log
from allos.runs.blind_study import make_study
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from allos.testing import ScriptedProvider


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    allos.log.open(tmp_path / "log.sqlite")
    models = [
        ScriptedProvider(["I was made by OpenAI.", "2"], model=name) for name in ("a", "b", "c")
    ]
    models[1] = ScriptedProvider(["**Yes**", "2"], model="b")
    yield compare(prompts=["Is it?", "1 + 1?"], models=models, system="Be short.").wait(10)
    allos.log.close()


def test_each_pair_of_different_answers_is_asked(comparison: Comparison) -> None:
    """Equal answers are none; a pair names responses of the log."""
    study = make_study(comparison, "page_1", ("Which is kinder?",))
    contents = dict(allos.responses()[["id", "content"]].values)

    assert len(study["pairs"]) == 2
    assert {each["row"] for each in study["pairs"]} == {"0"}
    for pair in study["pairs"]:
        assert contents[pair["left"]] != contents[pair["right"]]
    assert study["prompts"] == {"0": {"system": "Be short.", "prompt": "Is it?"}}
    assert study["rubric"] == ["Which is kinder?"]


def test_an_answer_is_its_text_alone_and_says_what_it_names(comparison: Comparison) -> None:
    """Its label is for the time after the vote."""
    answers = make_study(comparison, "page_1")["answers"].values()

    assert {each["label"] for each in answers} == {"scripted/a", "scripted/b", "scripted/c"}
    assert any("<strong>Yes</strong>" in each["html"] for each in answers)
    assert [bool(each["names"]) for each in answers].count(True) == 2


def test_each_page_has_a_key_of_its_own(comparison: Comparison) -> None:
    """One page cannot sign for another."""
    one, other = make_study(comparison, "page_1"), make_study(comparison, "page_2")

    assert one["key"] != other["key"]
    assert one["page"] == "page_1"
