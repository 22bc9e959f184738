"""Lines of plain text in a page."""

from __future__ import annotations

from typing import Any

import pytest

from allos.notebook.word_breaks import break_at_words


def test_a_terminal_gets_nothing(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It has no page, and breaks lines as it likes."""
    break_at_words(shell)

    assert capsys.readouterr().out == ""
