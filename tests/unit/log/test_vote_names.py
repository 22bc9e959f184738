"""The two sides of a vote: two settings of one model have two names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import allos
import allos.log
from allos.analysis import leaderboard
from allos.context import RunContext
from allos.errors import ConfigurationError
from allos.messages import Message, MessageRole
from allos.response import ProviderResponse
from tests.support.log_rows import a_response, record

MODEL = "groq/llama-3.1-8b-instant"


@pytest.fixture(autouse=True)
def _log(log_path: Path) -> None:
    allos.log.open()


def asked(
    number: int, *, column: int | None = None, comparison: str | None = "cmp_1", **params: Any
) -> ProviderResponse:
    """One answer, of a comparison or not."""
    key = None if column is None else f"p0-r0-c{column}-s0"
    metadata = {"temperature": None, "max_tokens": None, "params": None, **params}
    context = RunContext(comparison_id=comparison, task_key=key)
    return a_response(number, metadata=metadata, context=context)


def names() -> list[tuple[str, str]]:
    frame = allos.votes()
    return list(zip(frame["model_a"], frame["model_b"], strict=True))


def test_sides_are_named_as_the_columns_are() -> None:
    """By the parameters that differ; also once a later column differs in more."""
    one, two = asked(1, column=0, temperature=0.0), asked(2, column=1, temperature=1.0)
    record(one, two)
    allos.vote(one, two, "a")
    before = names()
    record(asked(3, column=2, temperature=1.0, params={"effort": "low"}))

    assert before == [(f"{MODEL} (temperature 0)", f"{MODEL} (temperature 1)")]
    assert names() == before
    assert leaderboard(allos.votes())["model"].tolist() == [*before[0]]


def test_a_column_that_came_later_names_all_votes() -> None:
    """A vote that was cast while a model stood once is not one of another model."""
    one, other = asked(1, column=0), asked(2, column=1, model="other")
    record(one, other)
    allos.vote(one, other, "a")
    hot = asked(3, column=2, temperature=1.5)
    record(hot)
    allos.vote(hot, one, "tie")

    assert names() == [
        (f"{MODEL}", "groq/other"),
        (f"{MODEL} (temperature 1.5)", MODEL),
    ]


def test_columns_are_known_by_their_parameters_where_rows_do_not_say() -> None:
    """Rows of an older log have no key of their place; columns alike are numbered where they have one."""
    old = asked(1, temperature=0.0), asked(2, temperature=1.0)
    twice = [asked(n, column=n, comparison="cmp_2") for n in (3, 4)]
    record(*old, *twice)
    allos.vote(*old, "a")
    allos.vote(*twice, "a")

    assert names() == [
        (f"{MODEL} (temperature 0)", f"{MODEL} (temperature 1)"),
        (f"{MODEL} #1", f"{MODEL} #2"),
    ]


def test_answers_of_no_comparison_are_told_apart_by_their_calls() -> None:
    """By parameters, and by system prompts, of which the beginning is shown where it tells them apart."""
    cool, hot = (asked(n, comparison=None, temperature=float(n)) for n in (1, 2))
    terse, other, longer = (
        with_system(asked(3, comparison=None), "Be terse."),
        with_system(asked(4, comparison=None), None),
        with_system(asked(5, comparison=None), "Be terse." + " Please." * 9),
    )
    alike = with_system(asked(6, comparison=None), "Be terse." + " Please." * 8)
    record(cool, hot, terse, other, longer, alike)
    for pair in ((cool, hot), (terse, other), (longer, terse), (longer, alike)):
        allos.vote(*pair, "a")
    found = names()

    assert found[0] == (f"{MODEL} (temperature 1)", f"{MODEL} (temperature 2)")
    assert found[1] == (f'{MODEL} (system "Be terse.")', MODEL)
    assert found[2][0] == f'{MODEL} (system "Be terse. Please. Pleas…")'
    assert all(name.startswith(f"{MODEL} (system ") for name in found[3])
    assert found[3][0] != found[3][1]


def test_answers_may_be_named() -> None:
    """Two prompts, say: what is compared need not be the models."""
    old, new = asked(1, comparison=None), asked(2, comparison=None)
    record(old, new)
    allos.vote(old, new, "b", names=("old prompt", "new prompt"))

    assert names() == [("old prompt", "new prompt")]


def test_equal_calls_have_one_name_and_rank_nothing() -> None:
    """One line says so: no number is made of them."""
    one, two = (asked(n, column=0, temperature=0.0) for n in (1, 2))
    record(one, two)
    allos.vote(one, two, "a")

    assert names() == [(MODEL, MODEL)]
    with pytest.raises(ConfigurationError, match="two answers of one model"):
        leaderboard(allos.votes())


def with_system(response: ProviderResponse, text: str | None) -> ProviderResponse:
    assert response.request is not None
    user = Message(MessageRole.USER, "Why?")
    messages = (Message(MessageRole.SYSTEM, text), user) if text else (user,)
    return replace(response, request=replace(response.request, messages=messages))
