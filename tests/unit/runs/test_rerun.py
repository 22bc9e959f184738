from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from allos.parts import Image
from allos.runs import rerun as module
from allos.testing import ScriptedProvider, register, unregister

PIXEL = bytes.fromhex("89504e470d0a1a0a") + b"\0" * 40


@pytest.fixture(autouse=True)
def old(tmp_path: Path) -> Iterator[pd.DataFrame]:
    """Three prompts of an old model, one of them twice."""
    allos.log.open(tmp_path / "log.sqlite")
    model = ScriptedProvider(["Paris.", "Rome.", "Oslo."], model="old")
    for country in ("France", "Italy", "Norway"):
        allos.ask(f"Capital of {country}?", model=model, system="Be brief.", temperature=0.5)
    yield allos.responses()
    allos.log.close()


def test_old_and_new_answers_stand_side_by_side(old: pd.DataFrame) -> None:
    """The same messages and parameters go to the new model; what changed comes first."""
    model = ScriptedProvider(["Paris.", "Roma.", "Oslo."], model="new")
    done = allos.rerun(old, model=model, tags=["again"])
    html = done.to_html()

    assert [request.messages[0].text for request in model.requests] == ["Be brief."] * 3
    assert {request.params["temperature"] for request in model.requests} == {0.5}
    assert done.frame["same_answer"].tolist() == [False, True, True]
    assert done.frame.loc[0, ["prompt", "content_old", "content_new"]].tolist() == [
        *("Capital of Italy?", "Rome.", "Roma.")
    ]
    assert html.index("Italy") < html.index("France")
    assert [(each.name, each.run) for each in done.board.view().columns] == [
        ("scripted/old", "before"),
        ("scripted/new", "again"),
    ]
    assert "before" in html
    assert "Roma." in str(done)
    assert len(allos.responses(tags="again")) == len(done.new) == 3
    assert repr(done) == "Rerun(3 prompts, 3 old responses)"


def test_each_prompt_is_sent_once(old: pd.DataFrame) -> None:
    """Equal rows are one prompt with several old answers; a parameter can be changed or left out."""
    model = ScriptedProvider(["X"] * 9, model="new")
    done = old.iloc[[0, 0, 1]].allos.rerun(model=model, n=2, temperature=None, max_tokens=7)

    assert len(model.requests) == 4
    assert {tuple(request.params) for request in model.requests} == {("max_tokens",)}
    assert len(done.board.view().cells) == 3 + 4


def test_many_prompts_wait_for_each_other(
    old: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a number of them are under way at once, and all are asked."""
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    model = ScriptedProvider(["X"] * 3, model="new")

    assert len(allos.rerun(old, model=model).new) == 3


def test_what_cannot_be_asked_again(old: pd.DataFrame) -> None:
    """Rows whose images the log does not keep are counted; without any other nothing is sent."""
    model = ScriptedProvider(["A cat."] * 2, model="new")
    allos.ask(["What is this?", Image(data=PIXEL, media_type="image/png")], model=model)
    rows = allos.responses()
    done = allos.rerun(rows.iloc[2:], model=model)

    assert (done.skipped, len(done.new)) == (1, 1)
    with pytest.raises(ConfigurationError, match="None of the 1 rows can be asked again"):
        allos.rerun(rows.iloc[3:], model=model)
    with pytest.raises(ConfigurationError, match="needs a column 'messages'"):
        allos.rerun(rows[["prompt"]], model=model)
    with pytest.raises(ConfigurationError, match="needs a DataFrame"):
        allos.rerun(["prompt"], model=model)  # type: ignore[arg-type]


def test_without_a_model_each_row_asks_its_own(old: pd.DataFrame) -> None:
    """The logged models are asked; an unknown one is one line, before anything is sent."""
    script = register("mock", lambda request: f"I am {request.model}.")
    allos.ask("Who are you?", model="mock/small")
    allos.ask("Who are you?", model="mock/large")
    rows = allos.responses()
    done = allos.rerun(rows[rows["provider"] == "mock"])
    with pytest.raises(ConfigurationError, match="Unknown provider 'scripted'"):
        allos.rerun(rows.iloc[::-1])
    unregister("mock")

    assert done.new["model"].tolist() == ["small", "large"]
    assert done.frame["same_answer"].all()
    assert len(script.requests) == 4
