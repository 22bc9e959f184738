"""The magics in a plain IPython shell, as in a terminal: no kernel, no live painting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from allos.session import current_session
from tests.support.fake_server import FakeServer, Fault


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer("**Hello** there.") as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        yield started


def test_terminal_prints_the_answer_once(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a kernel nothing is painted before the end, and the answer is printed once."""
    result = shell.run_cell("%%allos groq/m\nHi")
    printed = capsys.readouterr().out

    assert result.success
    assert printed.count("**Hello** there.") == 1
    assert "groq/m" in printed
    assert result.result.content == "**Hello** there."


def test_failure_prints_one_line(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failing call ends in its own one line, without a traceback."""
    server.reply(Fault.model_not_found())
    result = shell.run_cell("%%allos groq/m\nHi")
    captured = capsys.readouterr()

    assert type(result.error_in_exec).__name__ == "ModelNotFoundError"
    assert "Traceback" not in captured.out + captured.err
    assert "list_models()" in captured.out + captured.err


def test_loading_twice_registers_once(shell: Any, server: FakeServer) -> None:
    """A second load changes nothing; after unloading, no trace is left in the shell."""
    from allos.notebook import load, unload

    load(shell)
    unload(shell)
    formatters = shell.display_formatter.formatters

    assert "allos" not in shell.magics_manager.magics["cell"]
    assert "allos" not in shell.magics_manager.magics["line"]
    assert ("allos.response", "ProviderResponse") not in formatters["text/html"].deferred_printers
    load(shell)  # for the fixture's own unloading


@pytest.mark.parametrize("fault", ["version", "hook"])
def test_loading_is_all_or_nothing(
    shell: Any, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it cannot load, an old IPython is one line, and nothing is left registered."""
    from allos.notebook import completion

    def broken(shell: Any) -> None:
        raise RuntimeError("no such hook")

    shell.run_line_magic("unload_ext", "allos")
    before = traces(shell)
    with monkeypatch.context() as patch:
        if fault == "version":
            patch.setattr("IPython.version_info", (7, 33, 0))
            patch.setattr("IPython.__version__", "7.33.0")
        else:
            patch.setattr(completion, "register", broken)
        result = shell.run_cell("%load_ext allos")
        captured = capsys.readouterr()
    after = traces(shell)
    shell.run_line_magic("load_ext", "allos")  # for the fixture's own unloading

    assert not result.success
    assert after == before
    if fault == "version":
        assert (captured.out + captured.err).strip() == (
            "allos needs IPython >= 7.34, got 7.33.0. Nothing was loaded. "
            "Run: pip install 'ipython>=7.34', and restart the kernel."
        )


def traces(shell: Any) -> list[Any]:
    """Everything that loading may change, as far as it names us."""
    completer, session = shell.Completer, current_session()
    matchers = [*completer.custom_matchers, *getattr(completer, "magic_arg_matchers", [])]
    formatters = (
        shell.display_formatter.ipython_display_formatter,
        shell.display_formatter.mimebundle_formatter,
    )
    return [
        sorted(shell.magics_manager.registry),
        [kind for kind, magics in shell.magics_manager.magics.items() if "allos" in magics],
        [name for each in formatters for name in each.deferred_printers if "allos" in name[0]],
        len(shell.events.callbacks["pre_run_cell"]),
        len(matchers),
        session.log.opens_on_first_call,
        list(session.approvers),
        list(session.on_run_started),
    ]


def test_formatting_leaves_strangers_alone(shell: Any) -> None:
    """Objects that are no responses are shown as ever."""
    data, _ = shell.display_formatter.format({"a": 1})

    assert data == {"text/plain": "{'a': 1}"}


def test_models_of_a_service(shell: Any, server: FakeServer) -> None:
    """A row per model, with the columns that the service tells something in."""
    server.models = ["one", {"id": "two", "context_window": 8192}]
    frame = shell.run_line_magic("allos", "models groq")

    assert frame["model"].tolist() == ["one", "two"]
    assert list(frame.columns) == ["model", "context_window", "created_at", "owned_by"]


def test_no_models_of_a_service(shell: Any, server: FakeServer) -> None:
    """A service without models has the same frame, empty."""
    server.models = []
    frame = shell.run_line_magic("allos", "models groq")

    assert len(frame) == 0
    assert "model" in frame.columns


def test_providers_lists_those_that_were_registered(shell: Any) -> None:
    """`%allos providers` shows a provider of one's own beside the others."""
    from allos.providers import Service, register, unregister

    register(Service(name="mine", base_url="https://mine.example/v1", api="chat", note="Ours"))
    try:
        frame = shell.run_line_magic("allos", "providers")
    finally:
        unregister("mine")

    assert frame.loc["mine", "note"] == "Ours"
    assert "groq" in frame.index


def test_what_is_quiet_prints_nothing(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """No answer and no bare ``Out[n]:``; the response is the cell's result and in `_` all the same."""
    result = shell.run_cell("%%allos groq/m -q\nHi", store_history=True)

    assert capsys.readouterr().out == ""
    assert result.result.content == "**Hello** there."
    assert shell.user_ns["_"] is result.result
    shell.run_cell("1 + 1", store_history=True)
    assert "2" in capsys.readouterr().out
    shell.run_cell("%%allos compare groq/a groq/b -q\nHi", store_history=True)
    assert "Out[" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nope", "Unknown provider 'nope'"),
        ("grok/m", "Did you mean 'groq'"),
        ("groq", "must name a model of 'groq'"),
    ],
)
def test_wrong_model_is_told_at_once(
    shell: Any, caplog: pytest.LogCaptureFixture, value: str, words: str
) -> None:
    """A default model that no call could use is refused when it is set: `%config` logs one line."""
    shell.run_cell(f"%config AllosMagics.model = {value!r}")

    assert [words in record.message for record in caplog.records] == [True]
    assert current_session().settings.get("model") is None


def test_first_turn_that_fails_leaves_no_conversation(shell: Any, server: FakeServer) -> None:
    """Of a cell as well."""
    server.script(Fault.model_not_found())
    shell.run_cell("%%allos groq/m --chat trip\nHi")
    assert list(current_session().chats) == []
    shell.run_cell("%%allos groq/m --chat trip\nHi")

    assert list(current_session().chats) == ["trip"]
    current_session().chats.clear()
