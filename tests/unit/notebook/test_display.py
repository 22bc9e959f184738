"""How a shell shows responses that are the result of a cell."""

from __future__ import annotations

from typing import Any

from allos.notebook.display import Display
from allos.providers.pricing.planned_requests import Preview
from allos.response import ProviderResponse
from allos.runs.doctor import Report
from allos.runs.finding import Finding


def shown(shell: Any, result: Any) -> dict[str, str]:
    """What the shell displays of a result."""
    data, _ = shell.display_formatter.format(result)
    return dict(data)


def test_a_hidden_result_is_not_shown_once(shell: Any) -> None:
    """What its magic has shown already is not shown as the result of its cell; later it is."""
    response = ProviderResponse("Hello!", id="01A")
    display = Display(shell)
    display.register()
    display.hide_once(response)

    assert shown(shell, response) == {}
    assert shown(shell, response)["text/plain"] == "Hello!"


def test_notes_stand_in_the_footer(shell: Any) -> None:
    """Notes belong to one response, and to one shell's display."""
    response, other = ProviderResponse("Hello!", id="01A"), ProviderResponse("Hi!", id="01B")
    display = Display(shell)
    display.register()
    display.add_notes(response, ("df: 5 of 48,210 rows sent",))

    assert shown(shell, response)["text/plain"] == "Hello!\ndf: 5 of 48,210 rows sent"
    assert shown(shell, other)["text/plain"] == "Hi!"

    display.unregister()
    Display(shell).register()

    assert shown(shell, response)["text/plain"] == "Hello!"


def test_dry_runs_and_reports_have_html(shell: Any) -> None:
    """Both are shown as text and as HTML, without anything that a terminal would interpret."""
    preview = shown(shell, Preview((), {"groq/m": "No key\x1b[31m"}))
    report = shown(shell, Report((Finding("log", "problem", "Bad.\x1b[31m", "Fix it."),)))

    assert "<b>groq/m</b>" in preview["text/html"]
    assert "<b>Fix it.</b>" in report["text/html"]
    assert "\x1b" not in preview["text/plain"] + report["text/plain"]


def test_a_frame_with_a_column_id_is_shown(shell: Any) -> None:
    """While a result is hidden, any other result of a cell is shown: a frame has an `id` of its own."""
    import pandas as pd

    display = Display(shell)
    display.register()
    display.hide_once(ProviderResponse("Hello!", id="01A"))
    try:
        shown_result = shell.display_trap.hook(pd.DataFrame({"id": ["01A"]}))
    finally:
        display.unregister()

    assert shown_result is None


def test_results_are_shown_without_the_magics(shell: Any) -> None:
    """`import allos` alone is enough for an answer and for a comparison; loading the magics goes on top."""
    from allos.notebook import load, unload

    response = ProviderResponse("**Hello!**", id="01A")
    Display(shell).register_formatters()

    assert "<strong>Hello!</strong>" in shown(shell, response)["text/html"]

    load(shell)
    assert "<strong>Hello!</strong>" in shown(shell, response)["text/html"]
    unload(shell)
