"""`%allos stop` and `%allos config`, in a plain IPython shell."""

from __future__ import annotations

from typing import Any

import allos
from allos.testing import Answer, Hold, ScriptedProvider


def shown(shell: Any, value: Any) -> dict[str, str]:
    return dict(shell.display_formatter.format(value)[0])


def test_nothing_to_stop(shell: Any) -> None:
    """Without a running comparison the frame is empty and one line is shown."""
    frame = shell.run_line_magic("allos", "stop")

    assert len(frame) == 0
    assert shown(shell, frame)["text/plain"] == "No comparison is running."


def test_stop_says_what_was_stopped(shell: Any) -> None:
    """One row for each comparison, with what had answered."""
    hold = Hold()
    slow = ScriptedProvider(Answer(["Hel", hold, "lo"]))
    comparison = allos.compare("Explain tides.", models=[ScriptedProvider(["Hi"]), slow])
    comparison.cells[0].wait(10)
    hold.wait_until_reached()
    frame = shell.run_line_magic("allos", "stop")
    comparison.wait(10)

    assert frame.loc[comparison.id].tolist() == [1, 1, "Explain tides."]
    assert shown(shell, frame)["text/plain"].startswith("Stopped 1 comparison.\n")


def test_config_shows_what_is_set(shell: Any) -> None:
    """Each setting with its value and where it was set; what is not set says so."""
    allos.configure(model="groq/m")
    try:
        frame = shell.run_line_magic("allos", "config")
    finally:
        allos.configure(model=None)
    data = shown(shell, frame)

    assert frame.loc["model", "value"] == "groq/m"
    assert "this process" in data["text/html"]
    assert "not set" in data["text/html"]
    assert "NaN" not in data["text/html"]
