"""Letters, colours and parameters of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allos.render.comparison_columns import (
    COLOURS,
    colour_slots,
    differing_params,
    key_letter,
    root_class,
    shared_params,
)
from allos.render.comparison_view import ColumnView
from allos.secret import Secret


def labels(*params: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Labels that all columns share, and those that differ."""
    columns = [ColumnView(index=k, name="a/b", params=each) for k, each in enumerate(params)]
    return shared_params(columns), differing_params(columns)


def test_root_class_is_one_harmless_word() -> None:
    """Lower case, and nothing that could end the attribute."""
    assert root_class("cmp_01KAN3") == "allos-cmp-cmp_01kan3"
    assert root_class('x" onclick=1>') == "allos-cmp-xonclick1"


def test_letters_are_unique() -> None:
    """A to Z, then AA, like the columns of a sheet."""
    some = " ".join(key_letter(at) for at in (0, 1, 25, 26, 27, 701, 702))

    assert some == "A B Z AA AB ZZ AAA"
    assert len({key_letter(at) for at in range(2_000)}) == 2_000


@given(names=st.lists(st.text(st.characters(), max_size=8), max_size=40))
def test_colours_follow_the_model(names: list[str]) -> None:
    """One model has one colour, no colour comes twice while one is free, and a name added at the
    end leaves the others their colour."""
    slots = colour_slots(names)
    by_name = dict(zip(names, slots, strict=True))
    used = list(by_name.values())

    assert [by_name[name] for name in names] == slots
    assert all(0 <= slot < COLOURS for slot in slots)
    assert len(set(used)) == min(len(used), COLOURS)
    assert all(used.count(slot) <= -(-len(used) // COLOURS) for slot in used)
    assert colour_slots([*names, "new"])[: len(names)] == slots


def test_colours_are_stable_over_comparisons() -> None:
    """A model looks the same tomorrow and beside others."""
    assert colour_slots(["local/smollm2"]) == [2]
    assert colour_slots(["local/smollm2", "groq/a"])[0] == 2


def test_only_what_differs_stands_at_a_column() -> None:
    """What all have alike is said once; what only some set stands at them."""
    assert labels({"temperature": 0, "seed": 1}, {"temperature": 1, "seed": 1}, {"seed": 1}) == (
        ["seed 1"],
        [["temperature 0"], ["temperature 1"], []],
    )
    assert labels({"temperature": 0}, {"temperature": 0.0}) == (["temperature 0"], [[], []])
    assert labels({"effort": "high", "top_p": None}) == (["effort high"], [[]])
    assert labels() == ([], [])


def test_values_are_written_short() -> None:
    """Words bare, other texts quoted, extra fields like any other, long values cut."""
    shared, _ = labels(
        {"stop": "a\n", "logprobs": True, "extra": {"top_k": 40}, "logit_bias": {7: -1}}
    )
    long, _ = labels({"stop": ["x" * 100]})

    assert shared == ['stop "a\\n"', "logprobs true", 'logit_bias {"7": -1}', "top_k 40"]
    assert long == [f'stop ["{"x" * 37}…']
    assert labels({"stop": {(1, 2): 3}})[0] == ["stop dict"]


def test_settings_that_may_hold_a_secret_show_their_name_at_most() -> None:
    """Keys, headers and addresses are never printed into a notebook."""
    found = labels(
        {
            "api_key": Secret("sk-aaaa"),
            "headers": {"x": "sk-bbbb"},
            "base_url": "https://u:sk-cccc@h",
            "extra": {"auth": "sk-dddd"},
        },
        {"api_key": "sk-eeee", "timeout_s": 5},
    )

    assert found == ([], [["headers", "base_url", "auth"], ["timeout_s 5"]])
