"""How a line is split into words."""

from __future__ import annotations

import pytest

from allos.errors import ConfigurationError
from allos.notebook.line_words import Word, split_words


def test_apostrophe_inside_a_word_is_no_quote() -> None:
    """Only a quote at the start of a word or after `=` opens one."""
    assert [word.text for word in split_words("it's fine")] == ["it's", "fine"]


def test_a_quoted_word_knows_that_it_was_quoted() -> None:
    """A quote makes text of what could be a name; a backslash escapes a quote."""
    assert split_words(r'fig "fig" "a \"b\""') == [
        Word("fig", False),
        Word("fig", True),
        Word('a "b"', True),
    ]


def test_json_is_one_word() -> None:
    """Brackets and quotes inside JSON are counted, also where it is not quite JSON."""
    line = 'a {"b": ["}", 1]} --c=[1, 2] {d: "}"}'

    assert [word.text for word in split_words(line)] == [
        "a",
        '{"b": ["}", 1]}',
        "--c=[1, 2]",
        '{d: "}"}',
    ]


def test_an_open_quote_is_an_error() -> None:
    """The message names the quote."""
    with pytest.raises(ConfigurationError, match="A quote \\('\\) is not closed"):
        split_words("-s 'Be terse")
