"""What a cell can ask beyond a prompt, in a real kernel: tools, schemas, conversations, settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_server import Call, FakeServer, Reply
from tests.support.jupyter import Kernel, Result

ADD = "def add(a: int, b: int) -> int:\n    'Sum of two numbers.'\n    return a + b"
CALLS = Reply(text="Let me see.", tool_calls=[Call("add", {"a": 20, "b": 22})])


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text="Hello")) as started:
        yield started


def shown(result: Result) -> str:
    return str(result.displays[-1]["content"]["data"]["text/plain"])


def complete(kernel: Kernel, code: str) -> list[str]:
    reply = kernel.client.complete(code, reply=True, timeout=20)
    matches: list[str] = reply["content"]["matches"]
    return matches


# ---- tools and schemas


def test_tools_run_after_a_yes(kernel: Kernel, server: FakeServer) -> None:
    """`--tools` asks before it runs a function, gives the result back, and keeps all steps."""
    server.script(CALLS, Reply(text="It is 42."))
    kernel.run(ADD)
    result = kernel.run("%%allos groq/m --tools add\n20 + 22?", answers=["y"])

    assert result.status == "ok"
    assert "It is 42." in shown(result)
    assert server.requests[1].body["messages"][-1]["content"] == "42"
    assert kernel.value("[step.content for step in _.steps]") == ["Let me see.", "It is 42."]
    assert len({m["content"]["transient"]["display_id"] for m in result.displays}) == 1
    assert kernel.value("_.steps[1].context.parent_id == _.steps[0].id")


def test_a_no_is_told_to_the_model(kernel: Kernel, server: FakeServer) -> None:
    """What the person does not allow is not run; the model is told and answers."""
    server.script(CALLS, Reply(text="As you wish."))
    kernel.run(f"ran = []\n{ADD}")
    kernel.run("%%allos groq/m --tools add\n20 + 22?", answers=["n"])

    assert "did not allow" in server.requests[1].body["messages"][-1]["content"]


def test_headless_runs_ask_nobody(kernel: Kernel, server: FakeServer) -> None:
    """Where nobody can be asked the user's own functions run."""
    server.script(CALLS, Reply(text="It is 42."))
    kernel.run(ADD)
    result = kernel.run("%%allos groq/m --tools add\n20 + 22?", allow_stdin=False)

    assert result.status == "ok"
    assert server.requests[1].body["messages"][-1]["content"] == "42"


def test_schema_from_a_variable(kernel: Kernel, server: FakeServer) -> None:
    """`--schema NAME` holds the answer to a type; `parsed` is its value."""
    server.script(Reply(text='{"name": "Rome", "people": 3}'))
    kernel.run(
        "from dataclasses import dataclass\n@dataclass\nclass City:\n    name: str\n    people: int"
    )
    kernel.run("%%allos city << groq/m --schema City\nRome?")

    assert kernel.value("city.parsed.people") == 3
    assert server.requests[0].body["response_format"]["type"] == "json_schema"


def test_an_answer_that_does_not_match(kernel: Kernel, server: FakeServer) -> None:
    """It is shown, kept in the variable, and one line says what does not match."""
    server.script(Reply(text="Rome"))
    result = kernel.run(
        '%%allos -o city groq/m --schema {"type": "object", "properties": {}}\nRome?'
    )

    assert result.status == "error"
    assert result.ename == "SchemaError"
    assert len(result.traceback) == 1
    assert kernel.value("city.content") == "Rome"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--schema Citi", "Did you mean 'City'"),
        ("--tools ad", "Did you mean 'add'"),
        ("--tools City_text", "not a valid tool"),
        ("--image nothing", "'nothing' is not defined"),
    ],
)
def test_names_are_checked_before_anything_is_sent(
    kernel: Kernel, server: FakeServer, line: str, said: str
) -> None:
    """A name that is not there, or cannot be what it stands for, is one line and no request."""
    kernel.run(f"class City: pass\nCity_text = 'x'\n{ADD}")
    result = kernel.run(f"%%allos groq/m {line}\nHi")

    assert result.status == "error"
    assert said in str(result.evalue)
    assert len(result.traceback) == 1
    assert server.count == 0


# ---- conversations


def test_conversation_is_visible(kernel: Kernel, server: FakeServer) -> None:
    """`--chat NAME` sends what was said and says so; running a cell again does not repeat it."""
    kernel.run("%%allos groq/m --chat trip\nOne", cell_id="a")
    second = kernel.run("%%allos groq/m --chat trip\nTwo", cell_id="b")
    again = kernel.run("%%allos groq/m --chat trip\nTwo", cell_id="b")
    table = kernel.run("%allos chats")
    alone = kernel.run("%%allos groq/m\nThree")

    assert "trip: +1 earlier turn, 19 tokens" in shown(second)
    assert "trip: +1 earlier turn, 19 tokens" in shown(again)
    assert len(server.requests[2].body["messages"]) == 3
    assert "trip" in shown(table)
    assert "earlier" not in shown(alone)
    assert len(server.requests[3].body["messages"]) == 1


def test_conversation_goes_on_after_a_restart(server: FakeServer, tmp_path: Path) -> None:
    """`--chat NAME` reads the turns from the log and says so; a headless run begins anew."""
    environment = {
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": "gsk-x",
        "ALLOS_LOG": str(tmp_path / "log.sqlite"),
    }
    with Kernel(tmp_path, environment) as kernel:
        kernel.run("%load_ext allos")
        kernel.run("%%allos groq/m --chat trip\nOne")
        kernel.run("import allos; allos.log.flush()")
        kernel.restart()
        kernel.run("%load_ext allos")
        planned = kernel.run("%%allos groq/m --chat trip --dry-run\nTwo")
        sent = server.count
        second = kernel.run("%%allos groq/m --chat trip\nTwo")
        kernel.run("import allos; allos.log.flush()")
        kernel.restart()
        kernel.run("%load_ext allos")
        headless = kernel.run("%%allos groq/m --chat trip\nThree", allow_stdin=False)

    assert sent == 1
    assert "One" in shown(planned)
    assert "trip: +1 earlier turn, 19 tokens, continued from the log" in shown(second)
    assert "continued" not in shown(headless)
    assert [len(request.body["messages"]) for request in server.requests] == [1, 3, 1]


def test_conversation_commands(kernel: Kernel) -> None:
    """`%allos chats` shows, branches and resets; a name that is not there is one line."""
    kernel.run("%%allos groq/m --chat trip\nOne")

    shown = kernel.run("%allos chats show trip")
    assert shown.stdout.startswith("user: One\n\nassistant: Hello")
    assert "allos-error-rule" in shown.displays[0]["content"]["data"]["text/html"], (
        "its lines break at words"
    )
    assert "starts with the 1 turn of" in str(
        kernel.value("get_ipython().run_line_magic('allos', 'chats branch trip other')")
    )
    assert "was reset" in str(
        kernel.value("get_ipython().run_line_magic('allos', 'chats reset trip')")
    )
    result = kernel.run("%allos chats show tripp")
    assert "Did you mean 'trip'" in str(result.evalue)


# ---- settings, completion, help, unloading


def test_settings_by_config_magic(kernel: Kernel, server: FakeServer) -> None:
    """`%config AllosMagics` lists the settings, and what it sets holds for cells and calls."""
    listed = kernel.run("%config AllosMagics").stdout
    kernel.run("%config AllosMagics.model = 'groq/set'\n%config AllosMagics.temperature = 0.25")
    kernel.run("%%allos\nHi")
    kernel.run("import allos; allos.ask('Hi')")
    refused = kernel.run("%config AllosMagics.refresh_hz = 1000.0")
    table = shown(kernel.run("%allos config"))

    for name in ("model", "temperature", "log", "replay", "budget_usd", "refresh_hz"):
        assert f"AllosMagics.{name}=" in listed
    for request in server.requests:
        assert (request.body["model"], request.body["temperature"]) == ("set", 0.25)
    assert "from 0.5 to 30" in refused.stderr + str(refused.evalue)
    assert "groq/set" in table
    assert "this process" in table


def test_settings_of_ipythons_own_file(server: FakeServer, tmp_path: Path) -> None:
    """`c.AllosMagics.model` in ipython_config.py is the default model."""
    with Kernel(tmp_path, {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": "gsk-x"}) as kernel:
        profile = Path(kernel.environment["IPYTHONDIR"]) / "profile_default"
        profile.mkdir(parents=True, exist_ok=True)
        (profile / "ipython_kernel_config.py").write_text(
            "get_config().AllosMagics.model = 'groq/own'\n"
        )
        kernel.restart()
        kernel.run("%load_ext allos")
        result = kernel.run("%%allos\nHi")

        assert result.status == "ok", result
        assert server.requests[0].body["model"] == "own"


def test_completion_through_the_kernel(kernel: Kernel) -> None:
    """Tab offers providers, flags and names of ours alone; in the prompt Python's own."""
    kernel.run(ADD)

    assert complete(kernel, "%%allos gro") == ["groq"]
    assert complete(kernel, "%%allos groq/m --max") == ["--max-tokens"]
    assert complete(kernel, "%%allos groq/m --tools ad") == ["add"]
    assert complete(kernel, "%%allos impor") == ["impor"]
    assert "import" in complete(kernel, "%%allos groq/m\nimpor")
    assert "add" in complete(kernel, "ad")


def test_models_complete_once_they_are_known(kernel: Kernel) -> None:
    """Models that the service has listed, or that the shipped tables name, are offered."""
    before = complete(kernel, "%%allos groq/fake")
    kernel.run("%allos models groq")

    assert before == ["groq/fake"]
    assert complete(kernel, "%%allos groq/fake") == ["groq/fake-model"]
    assert complete(kernel, "%%allos groq fake") == ["fake-model"]
    assert "gpt-4.1-mini" in complete(kernel, "%%allos openai gpt-4.1")


def test_help_names_every_flag(kernel: Kernel) -> None:
    """`?%%allos` is real help: every flag and every sub-command stands in it."""
    result = kernel.run("?%%allos")
    (payload,) = (result.reply or {})["content"]["payload"]
    text = payload["data"]["text/plain"]
    flags = kernel.value(
        "[f for a in __import__('allos.notebook.flags').notebook.flags.parser()._actions"
        " for f in a.option_strings]",
    )
    commands = kernel.value(
        "__import__('allos.notebook.commands.dispatch').notebook.commands.dispatch.names()"
    )

    assert [flag for flag in flags if flag not in text] == []
    assert [name for name in commands if f"%allos {name}" not in text] == []


def test_unloading_removes_everything(kernel: Kernel) -> None:
    """After `%unload_ext` no magic, setting, completion or formatter of allos is left."""
    kernel.run("%config AllosMagics.model = 'groq/set'")
    kernel.run("%unload_ext allos")

    assert kernel.run("%allos log").status == "error"
    assert kernel.run("%config AllosMagics").status == "error"
    assert complete(kernel, "%%allos gro") != ["groq"]
    assert kernel.value("list(__import__('allos').current_session().settings.values())") == ["log"]
    assert (
        kernel.value("[c for c in get_ipython().configurables if 'llos' in type(c).__name__]") == []
    )
    kernel.run("%load_ext allos")
    assert complete(kernel, "%%allos gro") == ["groq"]
