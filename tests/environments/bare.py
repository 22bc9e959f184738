"""A smoke test of the installed wheel, with nothing beside what it declares: no pytest, no kernel.

``make test-bare`` runs it where the package's own source cannot be seen. It ends with one line, or
with the traceback of what does not work.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import allos
from tests.support.fake_server import Call, FakeServer, Reply

CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
MODEL = "groq/llama-3.1-8b-instant"


def submodules() -> list[str]:
    found = pkgutil.walk_packages(allos.__path__, "allos.")
    return [each.name for each in found if not each.name.endswith("__main__")]


def test_it_is_the_wheel() -> None:
    """The package that is tested is the one that was installed."""
    assert Path(allos.__file__).is_relative_to(sys.prefix), allos.__file__


def test_every_order_of_imports() -> None:
    """All submodules import in any order, and every public name is there afterwards."""
    for seed in random.SystemRandom().sample(range(1000), 3):
        names = submodules()
        random.Random(seed).shuffle(names)
        code = (
            f"import importlib\nfor name in {names!r}: importlib.import_module(name)\n"
            "import allos\nfor name in allos.__all__: assert getattr(allos, name) is not None"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), f"order {seed}: {done.stderr}"


def test_every_example() -> None:
    """Every public name is there, and the examples in the docs of all modules show what they say."""
    for name in allos.__all__:
        assert getattr(allos, name) is not None, name
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    for name in ["allos", *submodules()]:
        found = doctest.testmod(importlib.import_module(name), optionflags=flags)
        assert found.failed == 0, name


def test_ask_and_log(server: FakeServer) -> None:
    """An answer arrives, has a price, and is a row of the log."""
    answer = allos.ask("Hi", model=MODEL)
    frame = allos.responses()

    assert answer.content == "Hello."
    assert answer.metadata["cost_usd"] > 0
    assert frame["content"].tolist() == ["Hello."]
    assert frame["error_type"].isna().all()


def test_every_wire(server: FakeServer) -> None:
    """The three APIs answer, whole and streamed."""
    for api in ("chat", "responses", "messages"):
        provider = allos.ProviderRegistry.get_provider(
            "chat_completions", api=api, model="m", base_url=server.base_url, api_key="k"
        )
        with provider.stream("Hi") as stream:
            streamed = "".join(stream)

        assert provider.chat("Hi").content == streamed == "Hello.", api


def test_schemas(server: FakeServer) -> None:
    """Schemas given as mappings and as types are sent, and their answers checked, one or many."""
    server.reply('{"name": "Rome"}')
    one = allos.ask("A city", model=MODEL, schema=CITY)
    both = allos.compare("A city", models=[MODEL, "groq/b"], schema=CITY).wait(30)

    assert one.parsed == {"name": "Rome"}
    assert [each.parsed for each in both.responses] == [{"name": "Rome"}] * 2
    assert both.frame["status"].tolist() == ["ok", "ok"]
    assert "Rome" in both.to_html()


def test_tools(server: FakeServer) -> None:
    """Tools given as functions and as mappings are described to the model, and called."""

    def weather(city: str) -> str:
        """The weather.

        Parameters
        ----------
        city : str
            Where.
        """
        return f"sunny in {city}"

    server.script(Reply(tool_calls=[Call("weather", {"city": "Rome"})]), Reply(text="It is sunny."))
    answer = allos.ask("Weather?", model=MODEL, tools=[weather], approve="always")
    described = {"name": "find", "description": "Finds.", "parameters": CITY}
    server.reply(Reply(tool_calls=[Call("find", {"name": "Rome"})]))
    called = allos.ask("Find", model=MODEL, tools=[described])

    assert answer.content == "It is sunny."
    assert "sunny in Rome" in str(server.requests[1].body["messages"][-1])
    assert called.tool_calls[0].arguments == {"name": "Rome"}


def test_magics(server: FakeServer) -> None:
    """The extension loads into a shell, completes, answers and lists."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        shell.run_line_magic("load_ext", "allos")
        answered = shell.run_cell(f"%%allos {MODEL}\nHi")
        compared = shell.run_cell(f"%%allos compare {MODEL} groq/b\nHi")
        listed = shell.run_line_magic("allos", "providers")

    assert answered.success, written.getvalue()
    assert compared.success, written.getvalue()
    assert written.getvalue().count("Hello.") == 3
    assert listed.loc["groq", "key_set"]


def test_what_is_missing_says_so() -> None:
    """Nothing that is declared is missing; what is optional tells how to have it."""
    problems = [str(each) for each in allos.doctor().problems]
    said = str(allos.set_key("groq", "gsk-example"))
    allos.forget_key("groq")

    assert problems == []
    assert "this process only" in said
    with contextlib.suppress(allos.ConfigurationError):
        raise AssertionError(allos.ask("Hi", model="local/smollm2"))


@contextlib.contextmanager
def private(folder: str) -> Iterator[None]:
    """Nobody's keys, log and settings."""
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL"))]:
        del os.environ[name]
    os.environ.update(HOME=folder, IPYTHONDIR=folder, ALLOS_LOG=f"{folder}/log.sqlite")
    yield
    allos.log.close()


def run(check: Callable[..., None]) -> None:
    if "server" not in check.__annotations__:
        check()
        return
    with tempfile.TemporaryDirectory() as folder, FakeServer("Hello.") as server:
        os.environ.update(GROQ_API_KEY="gsk-of-the-test", GROQ_BASE_URL=server.base_url)
        allos.log.open(f"{folder}/log.sqlite")
        check(server)
        allos.log.close()
        del os.environ["GROQ_API_KEY"], os.environ["GROQ_BASE_URL"]


def main() -> None:
    checks: dict[str, Any] = {k: v for k, v in globals().items() if k.startswith("test_")}
    with tempfile.TemporaryDirectory() as folder, private(folder):
        for check in checks.values():
            run(check)
    sys.stdout.write(f"{len(checks)} passed\n")


if __name__ == "__main__":
    main()
