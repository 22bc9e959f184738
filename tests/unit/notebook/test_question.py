"""What a cell asks."""

from __future__ import annotations

import pytest

from allos.errors import ConfigurationError
from allos.notebook.arguments import Arguments, parse
from allos.notebook.question import build_question, prompt_text


def test_prompt_of_a_cell() -> None:
    """The newline at the end and the markers of a test runner are not part of the prompt."""
    assert prompt_text(Arguments(), "Hi\n") == "Hi"
    assert prompt_text(Arguments(), "# NBVAL_SKIP\nHi\n  there\n\n") == "Hi\n  there\n"
    assert prompt_text(Arguments(prompt="Hi"), None) == "Hi"


@pytest.mark.parametrize(
    ("cell", "message"),
    [("  \n", "write it in the cell below"), (None, "write it at the end of the line, in quotes")],
)
def test_an_empty_prompt_is_an_error(cell: str | None, message: str) -> None:
    """The message says where the prompt goes."""
    with pytest.raises(ConfigurationError, match=message):
        prompt_text(Arguments(), cell)


def test_everything_is_filled_in() -> None:
    """Prompt and system text get their values, flags their variables; the values are kept."""
    arguments = parse("groq/m -s 'Be {{ tone }}' --schema int", cell=True)
    question = build_question(
        arguments, "Explain {{ topic }}.", {"tone": "terse", "topic": "tides"}
    )

    assert "".join(map(str, question.prompt)) == "Explain tides."
    assert question.system == "Be terse"
    assert question.schema is int
    assert question.variables == {"tone": "terse", "topic": "tides"}
