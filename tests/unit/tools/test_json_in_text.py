"""JSON is found in an answer, whatever a model has put around it; nothing is guessed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.tools.json_in_text import first_match, json_texts

CITY = '{"name": "Rome"}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (CITY, [CITY]),
        (f" \n{CITY}\n", [CITY]),
        (f"\ufeff{CITY}", [CITY]),
        (f"json\n{CITY}", [CITY]),
        (f"{CITY}<|im_end|>", [CITY]),
        (f"{CITY}</s>", [CITY]),
        (f"{CITY}<|eot_id|>\n<|endoftext|>\n", [CITY]),
        (f"{CITY}<｜end▁of▁sentence｜>", [CITY]),
        (f"{CITY}<turn|>\n", [CITY]),
        (CITY + "<|im_end|> \n" * 5000, [CITY]),
        (f"{CITY}{' ' * 100}</s>{' ' * 100}", [CITY]),
        ("42" + "<|im_end|>" * 3, ["42"]),
        (f"```json{CITY}```", [CITY]),
        (f"~~~JSON\n{CITY}\n~~~", [CITY]),
        (f"Here:\n```\n{CITY}", [CITY]),
        (f"A draft is [1].\n```json\n{CITY}\n```", [CITY, "[1]"]),
        ("```json\n42\n```", ["42"]),
        ('"red"', ['"red"']),
        (f"Not [this], not {{that}}: {CITY}", [CITY]),
        (f"[1, 2, three] is none, {CITY} is", [CITY]),
        (f":[ but {CITY}", [CITY]),
        (f"{CITY}\n{CITY}", [CITY, CITY]),
        ('{"code": "```json\\n{}\\n```"}', ['{"code": "```json\\n{}\\n```"}']),
        ('Code: {"code": "```json\\n[]\\n```"}!', ['{"code": "```json\\n[]\\n```"}']),
        (f"[{CITY}, {{", []),
        (f'{{"a": a, "city": {CITY}}}', []),
        (f'{{"city": {CITY}}}', [f'{{"city": {CITY}}}']),
        (r'{"a": "\ud83d\ude00 \ud83d \\ud83d"}', [r'{"a": "\ud83d\ude00 \ufffd \\ud83d"}']),
        ('{"name": "Rome",}', []),
        ("{'name': 'Rome'}", []),
        ("Rome", []),
        ("", []),
    ],
)
def test_json_texts(answer: str, texts: list[str]) -> None:
    """Whole values come, in their order, and no part of a value on its own."""
    assert [*json_texts(answer)] == texts


@given(
    VALUES.map(json.dumps), st.sampled_from(["{}", "x {}", "{} y", "```json\n{}\n```", "{}</s>"])
)
def test_any_object_is_found(text: str, around: str) -> None:
    """An object or array is found with anything around it."""
    text = f'{{"a": {text}}}'
    found = [*json_texts(around.replace("{}", text))]

    assert json.loads(found[0]) == json.loads(text)


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_characters='"\\'))))
def test_raw_control_characters(value: dict[str, str]) -> None:
    """Control characters that stand in a string as they are become part of its value."""
    raw = ", ".join(f'{json.dumps(key)}: "{inner}"' for key, inner in value.items())
    [text] = json_texts(f"{{{raw}}}")

    assert json.loads(text) == value


def test_the_first_text_that_fits_counts() -> None:
    """Values that do not fit are passed over; without any, the reason is that of the longest."""

    def parse(text: str) -> str:
        value = json.loads(text)
        if "name" not in value:
            raise ValueError(f"no name in {text}")
        return str(value["name"])

    assert first_match('[1] {"a": 1} {"name": "Rome"} {"name": "Oslo"}', parse) == "Rome"
    with pytest.raises(ValueError, match=r'no name in \{"a": 1\}'):
        first_match('[1] {"a": 1}', parse)
    with pytest.raises(ValueError, match="it is not valid JSON"):
        first_match("no JSON", parse)


@pytest.mark.parametrize("answer", ["[" * 100_000, '{"a":' * 50_000, "[x" * 50_000, '{"' * 50_000])
def test_hostile_answers_take_linear_time(answer: str) -> None:
    """Brackets without end are no JSON, and found out about at once."""
    assert [*json_texts(answer)] == []
