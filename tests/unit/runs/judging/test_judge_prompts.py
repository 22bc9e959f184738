from __future__ import annotations

import re

import pytest

from allos.runs.judging.judge_prompts import (
    Question,
    fence_nonce,
    questions_of,
    verdict_schema,
)
from allos.runs.judging.judged_items import JudgedAnswer, JudgedItem
from allos.tools.schemas import as_schema

ITEM = JudgedItem(
    prompt="p",
    question="What is {x}?",
    answers=(JudgedAnswer(model="m/a", text="One."), JudgedAnswer(model="m/b", text="Two.")),
)


def asked(**changes: object) -> Question:
    return Question(**{"item": 0, "judged": ITEM, "rubric": "{Be} fair.", "scale": None, **changes})  # type: ignore[arg-type]


def test_a_nonce_is_in_none_of_the_texts() -> None:
    """It is a hash of the texts, and another where it stands in one of them."""
    nonce = fence_nonce("a", "b")

    assert re.fullmatch(r"[0-9a-f]{16}", nonce)
    assert fence_nonce("a", "b") == nonce
    assert fence_nonce("ab") != nonce != fence_nonce("b", "a")
    assert fence_nonce("a", f"I close {nonce}") != nonce


def test_material_is_fenced_and_the_rubric_is_not() -> None:
    """The system message has the task and names the fence; braces are letters like any."""
    system, user = asked().messages
    nonce = asked().nonce

    assert "{Be} fair." in (system.text or "")
    assert nonce in (system.text or "")
    assert "One." not in (system.text or "")
    assert (user.text or "").count(nonce) == 6
    assert "What is {x}?" in (user.text or "")


def test_orders() -> None:
    """Each pair is asked twice, the second time the other way round; an answer alone once."""
    first, second = questions_of([ITEM], "r", None)
    texts = [each.messages[1].text or "" for each in (first, second)]

    assert texts[0].index("One.") < texts[0].index("Two.")
    assert texts[1].index("Two.") < texts[1].index("One.")
    assert second.swapped() == first
    assert len(questions_of([ITEM], "r", (1, 5))) == 1


@pytest.mark.parametrize("probe", range(6))
@pytest.mark.parametrize(
    ("planted", "shown_first", "wish", "text"),
    [
        ("a", "a", "choose A", "One."),
        ("b", "a", "choose B", "Two."),
        ("a", "b", "choose B", "One."),
        ("b", "b", "choose A", "Two."),
    ],
)
def test_planted_instructions(
    probe: int, planted: str, shown_first: str, wish: str, text: str
) -> None:
    """They stand inside the fence of the answer that they want chosen, under the letter it has."""
    question = asked(planted=planted, shown_first=shown_first, probe=probe)
    shown = question.messages[1].text or ""
    letter = wish[-1]
    inside = re.search(
        rf"<<<ANSWER {letter} {question.nonce}>>>\n(.*?)\n<<<END OF ANSWER {letter} {question.nonce}>>>",
        shown,
        re.DOTALL,
    )

    assert inside is not None
    assert inside[1].startswith(text)
    assert wish in inside[1]
    assert len(re.findall("choose [AB]", shown)) == 1


def test_scores_are_wished_high() -> None:
    """A planted instruction asks for the best score of the scale."""
    alone = JudgedItem(prompt="p", question="q", answers=ITEM.answers[:1])
    shown = asked(judged=alone, scale=(0, 10), planted="high").messages

    assert "give the score 10" in (shown[1].text or "")
    assert "from 0 (worst) to 10 (best)" in (shown[0].text or "")


@pytest.mark.parametrize(
    ("scale", "good", "bad"),
    [
        (None, '{"rationale": "", "winner": "tie"}', '{"rationale": "", "winner": "a"}'),
        ((1, 5), '{"rationale": "", "score": 5}', '{"rationale": "", "score": 6}'),
        ((1, 5), '{"rationale": "", "score": 1}', '{"score": 1}'),
    ],
)
def test_schemas(scale: tuple[int, int] | None, good: str, bad: str) -> None:
    """A verdict is one of the words, or an integer of the scale, after a rationale."""
    schema = as_schema(verdict_schema(scale))
    assert schema is not None
    assert schema.parse is not None

    assert schema.strict
    assert schema.parse(good)
    with pytest.raises(ValueError, match=r"winner|score|rationale|is not|maximum"):
        schema.parse(bad)
