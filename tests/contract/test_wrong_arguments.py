"""Wrong arguments of what asks many times: one line each, and nothing is sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import ConfigurationError
from allos.runs.batch import preview_batch
from allos.runs.column_checks import OPTIONS
from allos.testing import ScriptedProvider
from tests.support.fake_server import FakeServer

DATA = pd.DataFrame({"text": ["a", "b"], "gold": ["x", "y"]})
ANSWERS = pd.DataFrame(
    {"content": ["x", "y"], "gold": ["x", "z"], "model": "m", "prompt": ["p", "q"]}
)
MODEL = "groq/llama-3.1-8b-instant"
ASKED = {"data": DATA, "prompt": "Say {{ text }}", "models": MODEL}
JUDGED = {"rubric": "Is it good?", "model": MODEL}

FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "batch": (allos.batch, ASKED),
    "preview_batch": (preview_batch, ASKED),
    "evaluate": (allos.evaluate, {**ASKED, "scorers": ["exact"], "target": "gold"}),
    "preview_evaluation": (allos.preview_evaluation, {**ASKED, "models": [MODEL, "groq/b"]}),
    "score": (allos.score, {"frame": ANSWERS, "scorers": ["exact"], "target": "gold"}),
    "judge": (allos.judge, {"data": ANSWERS, **JUDGED, "mode": "pointwise"}),
    "scorer": (allos.judge, JUDGED),
    "resume": (allos.resume, {"batch_id": "bat_unknown"}),
}
MORE = {
    "evaluate": (
        "system",
        "concurrency",
        "budget_usd",
        "mode",
        "confirm",
        "executor",
        "store",
        "refresh",
    ),
    "judge": ("mode", "baseline", "scale", "n", "planted", "refresh", "stream"),
    "scorer": ("name",),
}
"""Keywords that the signature does not show."""
TAKEN_BY_ALL = ("temperature", "timeout_s", "max_in_flight", "headers", "base_url", "strict")
WRONG: tuple[Any, ...] = (object(), -1, 1.5, b"x", float("nan"), {"a": object()})
FINE = {
    ("params", "{}"),  # values of other names
    ("temperature", "1.5"),
    ("timeout_s", "1.5"),
    ("max_in_flight", "1.5"),
    ("budget_usd", "1.5"),
    ("difference", "1.5"),
}
NO_KEYWORDS = frozenset({"shared", "options"})
"""No keywords."""


def keywords(name: str) -> list[str]:
    function, _ = FUNCTIONS[name]
    own = [each for each in inspect.signature(function).parameters if each not in NO_KEYWORDS]
    of_calls = () if name in ("score", "resume") else TAKEN_BY_ALL
    return [*own, *MORE.get(name, ()), *of_calls]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
    yield
    allos.log.close()


def refused(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        function(**arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("name", "keyword"), [(name, keyword) for name in FUNCTIONS for keyword in keywords(name)]
)
def test_values_of_a_wrong_kind(server: FakeServer, name: str, keyword: str) -> None:
    """Whatever a keyword is given, the line names what is wrong, before anything is sent."""
    function, right = FUNCTIONS[name]
    for value in WRONG:
        if (keyword, repr(value)) not in FINE:
            refused(function, {**right, keyword: value})

    assert not server.count


@pytest.mark.parametrize("name", FUNCTIONS)
def test_mistyped_keywords(server: FakeServer, name: str) -> None:
    """The nearest keyword is suggested: of the function, of the models, of their services."""
    function, right = FUNCTIONS[name]
    for keyword in keywords(name):
        mistyped = keyword[:-1] + keyword[-1] * 2 + "x"
        message = refused(function, {**right, mistyped: 1})
        assert f"unknown parameter '{mistyped}'" in message
        assert "Did you mean" in message or len(keyword) < 3
    function_without = dict(right)
    function_without.popitem() if name == "resume" else function_without.pop(
        {"score": "scorers", "judge": "rubric", "scorer": "rubric"}.get(name, "models")
    )
    assert "missing a required" in refused(function, function_without)
    assert not server.count


def test_options_of_a_provider_that_is_built(server: FakeServer) -> None:
    """They cannot be set any more: one line for all of them, not an error in every row."""
    provider = ScriptedProvider(["x"])
    for function, arguments in (
        (allos.batch, {**ASKED, "models": provider}),
        (allos.evaluate, {**ASKED, "models": provider, "scorers": ["exact"], "target": "gold"}),
        (allos.judge, {"data": ANSWERS, "rubric": "Good?", "model": provider, "mode": "pointwise"}),
    ):
        message = refused(function, {**arguments, "timeout_s": 5})
        assert "timeout_s cannot be set for a provider object that is already built" in message


class Failing(ScriptedProvider):
    """A provider of somebody else's, whose calls cannot be started."""

    def start(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no such machine")


def test_what_cannot_be_started_ends(server: FakeServer) -> None:
    """Also for a provider object that no service is known for: its calls are errors, nobody waits for ever."""
    provider = Failing(["x"])
    rows = allos.batch(DATA, "Say {{ text }}", models=provider).wait(10).frame
    compared = allos.compare("Hi", models=[provider, provider]).wait(10)
    found = allos.judge(ANSWERS, rubric="Good?", model=provider, mode="pointwise", planted=0)

    assert (
        rows["error_message"].tolist() == ["RuntimeError: no such machine. Nothing was sent."] * 2
    )
    assert [response.status for response in compared.responses] == ["error"] * 2
    assert found.frame["outcome"].tolist() == ["error"] * 2


@pytest.mark.parametrize("wrong", [5, "x", object(), True, lambda: None, {"begin": 1}])
def test_a_pace_that_is_none(wrong: Any) -> None:
    """What limits the number of calls is named."""
    assert "requests_per_minute=" in refused(allos.batch, {**ASKED, "pace": wrong})


def test_every_option_of_a_call_is_known() -> None:
    """The names that a batch takes are those of calls and providers."""
    assert {"temperature", "timeout_s", "api_key", "schema"} <= set(OPTIONS)
