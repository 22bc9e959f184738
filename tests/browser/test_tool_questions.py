"""The question whether a tool may run, as buttons in JupyterLab in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.fake_server import Call, FakeServer, Reply
from tests.support.jupyter import Lab, Notebook

HOSTILE = "<img src=x onerror=alert(1)>\npath = [harmless](https://example.org) $\\href{javascript:alert(1)}{x}$"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text="Done.")) as started:
        yield started


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


def open_with_tool(
    lab: Lab, server: FakeServer, *cells: str, hello_timeout_s: float = 60
) -> Notebook:
    lab.write(
        "tools.ipynb",
        "import os\nfrom allos.notebook import tool_question\n"
        f"tool_question.HELLO_TIMEOUT_S = {hello_timeout_s}\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-test-key')\n"
        "%load_ext allos\nimport allos\nran = []\n"
        "def delete(path: str, force: bool = False) -> str:\n"
        "    'Delete a file.'\n    ran.append(path)\n    return 'deleted'",
        *cells,
    )
    notebook = lab.open("tools.ipynb")
    notebook.run_cell(0)
    return notebook


def calls(path: str = "a.txt") -> Reply:
    return Reply(
        text="Let me clean up.", tool_calls=[Call("delete", {"path": path, "force": True})]
    )


def test_a_click_answers_while_the_cell_runs(lab: Lab, server: FakeServer) -> None:
    """Yes, no and always, by mouse and by keyboard, above the answer; what the model wrote is text."""
    server.script(calls(HOSTILE), calls("b.txt"), Reply(text="Both were tried."))
    server.script(calls("c.txt"), calls("d.txt"), Reply(text="All done."))
    asks = "%%allos groq/m --tools delete\nClean up."
    notebook = open_with_tool(lab, server, asks, "print(ran)", asks, "print(ran)")
    output = notebook.outputs(1)
    buttons = output.get_by_role("button")

    notebook.run_cell(1, wait=False)
    expect(output.get_by_role("group")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(buttons).to_have_text(["Yes, run it", "No", "Always in this session"])
    assert output.locator(".allos-question img, .allos-question a").count() == 0
    question, answer = output.get_by_role("group"), output.get_by_text("Let me clean up.")
    assert question.bounding_box()["y"] < answer.bounding_box()["y"]  # type: ignore[index]
    expect(buttons.first).to_be_enabled()
    notebook.screenshot("tool-question")
    buttons.nth(1).click()

    expect(output.get_by_role("group")).to_contain_text("b.txt")
    expect(buttons.nth(0)).to_be_enabled()
    buttons.nth(0).focus()
    notebook.page.keyboard.press("Enter")
    notebook.wait_idle()
    expect(output).to_contain_text("Both were tried.")
    expect(output).to_contain_text("Not allowed: delete(")
    expect(output).to_contain_text('Allowed: delete(path="b.txt", force=true)')
    expect(buttons).to_have_count(0)
    notebook.screenshot("tool-question-answered")
    notebook.run_cell(2)
    expect(notebook.outputs(2)).to_have_text("['b.txt']\n")

    notebook.set_theme("dark")
    notebook.run_cell(3, wait=False)
    always = notebook.outputs(3).get_by_role("button", name="Always")
    expect(always).to_be_enabled()
    notebook.screenshot("tool-question-dark")
    always.click()
    notebook.wait_idle()
    notebook.run_cell(4)
    expect(notebook.outputs(4)).to_have_text("['b.txt', 'c.txt', 'd.txt']\n")
    assert notebook.dialogs == notebook.foreign_requests == []


def test_a_double_click_answers_one_question(lab: Lab, server: FakeServer) -> None:
    """Two calls in one answer: the second click of a double click does not allow the second one."""
    both = [Call("delete", {"path": path}, id=path) for path in ("a.txt", "b.txt")]
    server.script(Reply(tool_calls=both), Reply(text="Done."))
    notebook = open_with_tool(lab, server, "%%allos groq/m --tools delete\nClean up.", "print(ran)")
    output = notebook.outputs(1)
    notebook.run_cell(1, wait=False)
    output.get_by_role("button", name="Yes").dblclick()
    expect(output.get_by_role("group")).to_contain_text("b.txt")
    output.get_by_role("button", name="No", exact=True).click()
    notebook.wait_idle()
    notebook.run_cell(2)

    expect(notebook.outputs(2)).to_have_text("['a.txt']\n")


def test_an_interrupt_ends_the_question_in_one_line(lab: Lab, server: FakeServer) -> None:
    """Stopped while it waits: the buttons go, nothing runs, the cell ends with one line."""
    server.script(calls())
    notebook = open_with_tool(
        lab, server, "allos.ask('Clean up.', model='groq/m', tools=[delete])", "print(ran)"
    )
    output = notebook.outputs(1)
    notebook.run_cell(1, wait=False)
    expect(output.get_by_role("button")).to_have_count(3)
    notebook.run_command("notebook:interrupt-kernel")
    notebook.wait_idle()

    expect(output.get_by_role("button")).to_have_count(0)
    expect(output).to_contain_text("Not answered: delete(")
    expect(output).to_contain_text("'delete' was not run")
    notebook.run_cell(2)
    expect(notebook.outputs(2)).to_have_text("[]\n")


def test_without_subshells_the_question_is_asked_in_words(lab: Lab, server: FakeServer) -> None:
    """A page whose clicks would come too late asks in words."""
    server.script(calls())
    asks = "%%allos groq/m --tools delete\nClean up."
    notebook = open_with_tool(lab, server, asks, "print(ran)", hello_timeout_s=1)
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".commsOverSubshells = 'disabled'; }"
    )
    notebook.run_cell(1, wait=False)
    field = notebook.outputs(1).locator("input.jp-Stdin-input")
    field.fill("y")
    field.press("Enter")
    notebook.wait_idle()
    notebook.run_cell(2)
    expect(notebook.outputs(2)).to_have_text("['a.txt']\n")
