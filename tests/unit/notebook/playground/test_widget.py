"""The playground's widget without a page: what a page sends, what it is told, and the boards of its runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import allos
from allos.notebook.playground.output import EditedOutput, PlaygroundOutput
from allos.notebook.playground.widget import make_playground
from allos.runs.playground import playground
from allos.session import Session
from allos.testing import ScriptedProvider
from tests.support.hostile import HOSTILE


class Page:
    """A playground, and what its page hears."""

    def __init__(self, **arguments: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self.box = make_playground(playground(**arguments), PlaygroundOutput())
        self.panel = self.box.panel
        self.panel.send = self._hear
        self.panel.observe(lambda _: self._hear(None))
        self.wait(lambda: "revision" in self.panel.plan)

    def _hear(self, message: Any) -> None:
        with self._changed:
            if message is not None:
                self.heard.append(message)
            self._changed.notify_all()

    def wait(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, 20), (self.panel.plan, self.panel.notice)

    def type(self, **change: Any) -> None:
        revision = self.panel.draft["revision"] + 1
        self.panel.draft = {**self.panel.draft, **change, "revision": revision}
        self.wait(lambda: self.panel.plan["revision"] == revision)

    def say(self, **message: Any) -> None:
        self.panel._on_message(self.panel, message, [])

    def run(self, **more: Any) -> None:
        before = self.heard.count({"type": "ran"})
        self.say(action="run", draft=self.panel.draft, **more)
        self.wait(lambda: self.heard.count({"type": "ran"}) > before)


@pytest.fixture(autouse=True)
def session() -> Iterator[Session]:
    with Session().active() as session:
        yield session


@pytest.fixture
def model() -> ScriptedProvider:
    return ScriptedProvider("Yes.", name="groq")


def test_each_run_is_a_board_below_the_earlier_ones(model: ScriptedProvider) -> None:
    """And a line of the list of runs, with what it has cost at the end."""
    page = Page(prompt="Hi", models=[model])
    page.run()
    page.type(prompt="Hi again")
    page.run()
    first, second = page.panel.playground.comparisons
    second.wait(20)
    page.wait(lambda: len(page.panel.runs) == 2 and all(run["done"] for run in page.panel.runs))

    assert [type(each).__name__ for each in page.box.children] == [
        "PlaygroundPanel",
        "BoardBox",
        "BoardBox",
    ]
    assert [each.board.comparison for each in page.box.children[1:]] == [first, second]
    assert second.question == "Hi again"
    assert page.panel.runs[1]["id"] == second.id
    assert page.panel.notice == ""


def test_edit_opens_a_playground_below_a_board(model: ScriptedProvider) -> None:
    """With what was asked, once; the earlier board stays, and a blind one opens none."""
    comparison = allos.compare("Hi", models=[model], system="Be kind.", temperature=0).wait(20)
    output = EditedOutput(comparison)
    box = output.widget
    box.board._flusher.close()  # it would say that one model alone cannot be voted on
    comparison._set_blind(True)
    box.board._on_message(box.board, {"action": "edit"}, [])
    assert box.playground is None
    comparison._set_blind(False)
    for _ in range(2):
        box.board._on_message(box.board, {"action": "edit"}, [])

    assert box.children == (box.board, box.playground)
    edited = box.playground.panel.playground
    assert (edited.draft.prompt, edited.draft.system) == ("Hi", "Be kind.")
    assert edited.draft.models[0].params == {"temperature": "0"}
    edited.run().wait(20)
    data, _ = output.bundle()
    assert data["text/html"].count("allos-grid") > 1
    assert "allos.compare(" in data["text/plain"]


def test_what_is_wrong_does_not_run(model: ScriptedProvider) -> None:
    """The line stands beside its field; Run does nothing, and says so."""
    page = Page(prompt="Hi", models=[model])
    page.type(n="many")

    assert page.panel.plan["problems"] == {"n": "repeats must be an integer >= 1, not 'many'."}
    page.run()
    assert page.panel.playground.comparisons == []


def test_many_calls_are_asked_about(model: ScriptedProvider) -> None:
    """Calls, cost, tokens and time; only then they are made."""
    page = Page(prompt="Hi", models=[model], n=60)
    page.run()
    assert page.panel.playground.comparisons == []
    assert page.panel.question.startswith("60 calls, ")
    assert "input tokens, about 4 s." in page.panel.question

    page.run(confirmed=True)
    assert page.panel.question == ""
    assert len(page.panel.playground.comparisons[0].cells) == 60
    page.panel.playground.comparisons[0].wait(20)


def test_a_failure_is_a_line(model: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised where nobody sees it, and the next run works."""
    page = Page(prompt="Hi", models=[model])
    run = page.panel.playground.run
    monkeypatch.setattr(page.panel.playground, "run", lambda: 1 / 0)
    page.run()
    page.wait(lambda: bool(page.panel.notice))
    assert page.panel.notice == "That did not work: ZeroDivisionError: division by zero"

    monkeypatch.setattr(page.panel.playground, "run", run)
    page.run()
    assert page.panel.notice == ""
    assert len(page.panel.playground.comparisons) == 1


def test_models_are_searched(model: ScriptedProvider) -> None:
    """The answer bears the number of the search; an unknown service is told with the nearest one."""
    page = Page(prompt="Hi", models=[model])
    page.say(action="models", query="gpt-4o", number=7)
    page.wait(lambda: any(each["type"] == "models" for each in page.heard))
    (found,) = [each for each in page.heard if each["type"] == "models"]

    assert found["number"] == 7
    assert all("gpt-4o" in each["name"] for each in found["items"])
    page.say(action="models", query="grok/x", number=8)
    page.wait(lambda: page.heard[-1].get("number") == 8)
    assert "Did you mean 'groq'" in page.heard[-1]["says"]


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        {},
        {"action": "fly"},
        {"action": "run", "draft": [1]},
        {"action": "models"},
        {"action": "list", "provider": "no/such"},
        {"action": "run", "draft": {"models": 3}},
    ],
)
def test_any_message_is_survived(message: Any, model: ScriptedProvider) -> None:
    """A page may send what it likes: nothing is raised, and the playground goes on."""
    page = Page(prompt="Hi", models=[model])
    page.panel._on_message(page.panel, message, [])
    page.type(prompt="Go on")

    assert page.panel.plan["problems"].get("prompt") is None


def test_hostile_texts_are_strings_to_the_page(model: ScriptedProvider) -> None:
    """As columns, prompt, system prompt and models: nothing in the state is markup of ours."""
    texts = [text.encode("utf-8", "replace").decode() for _, text in HOSTILE[:40]]
    page = Page(prompt="Hi", models=[model], data=[{text: text for text in texts}])
    page.type(
        prompt="".join(texts),
        system=texts[0],
        models=[{"name": text, "params": {"stop": text}} for text in texts],
    )

    lines = [*page.panel.plan["problems"].values(), *page.panel.plan["warnings"].values()]
    assert lines
    assert not any(sign in line for line in lines for sign in "\n\r\x1b\u202e")
