"""IPython in a real terminal: a pseudo-terminal with a person's keyboard at the other end."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.support.hostile import HOSTILE
from tests.support.jupyter import private_environment

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX's")

_PROMPT = re.compile(rb"In \[\d+\]: $")


class Terminal:
    """IPython behind a pseudo-terminal; without its own line editor, so that all output is the cell's."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner"]
        self.pid, self.handle = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child is another program
            os.execvpe(command[0], [*command, "--colors=nocolor"], environment)
        self.until_prompt()

    def until_prompt(self, prompt: re.Pattern[bytes] = _PROMPT, timeout_s: float = 60) -> str:
        """All that is written until the next prompt."""
        seen = b""
        deadline = time.monotonic() + timeout_s
        while not prompt.search(seen):
            left_s = deadline - time.monotonic()
            ready, _, _ = select.select([self.handle], [], [], max(0.0, left_s))
            assert ready, f"no prompt: {seen[-500:]!r}"
            seen += os.read(self.handle, 65_536)
        return seen.decode("utf-8")

    def run(self, *lines: str) -> str:
        """Type the lines of a cell, with the empty ones that end it; what is written from then on."""
        ends = "\n" if len(lines) == 1 else "\n\n\n"
        os.write(self.handle, ("\n".join(lines) + ends).encode())
        return self.until_prompt().replace("\r\n", "\n")

    def close(self) -> None:
        os.close(self.handle)  # the terminal is gone: the process gets SIGHUP
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


@pytest.fixture
def terminal(server: FakeServer, tmp_path: Path) -> Iterator[Terminal]:
    environment = private_environment(tmp_path) | {
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": "gsk-of-the-test",
        "TERM": "xterm-256color",
    }
    started = Terminal(environment)
    started.run("%load_ext allos")
    yield started
    started.close()


def test_one_final_answer(terminal: Terminal, server: FakeServer) -> None:
    """The answer is written once, as the cell's result: no partial text, no escapes, no markup."""
    server.reply(Reply(chunks=["**One", "** two ", "three."], delay_s=0.15))
    shown = terminal.run("%%allos groq/m", "Hi")

    assert shown.count("**One** two three.") == 1
    assert shown.count("**One") == 1
    assert re.search(r"\ngroq/m  \d", shown)
    assert "\x1b" not in shown
    assert "<" not in shown
    assert re.search(r"Out\[2\]: \n\*\*One", shown)


def test_a_comparison_is_a_table_of_text(terminal: Terminal, server: FakeServer) -> None:
    """The cell waits and writes one table and the answers."""
    shown = terminal.run("%%allos compare groq/a groq/b", "Hi")

    assert re.search(r"model +state +latency", shown)
    assert shown.count("Out[2]:") == 1
    assert "2 of 2 done" in shown
    assert "\x1b" not in shown


def test_what_is_quiet_writes_nothing(terminal: Terminal, server: FakeServer) -> None:
    """`-q` shows neither an answer nor a comparison."""
    answer = terminal.run("%%allos groq/m -q", "Hi")
    table = terminal.run("%%allos compare groq/a groq/b -q", "Hi")

    server.wait_requests(3)

    assert "Answer" not in answer + table
    assert "2 of 2 done" not in table
    assert "Out[" not in answer + table


@pytest.mark.parametrize(("said", "result"), [("y", "6"), ("n", "did not allow")])
def test_a_tool_runs_when_the_person_says_so(
    terminal: Terminal, server: FakeServer, said: str, result: str
) -> None:
    """At IPython's own prompt somebody can be asked, and is, before a function runs."""
    terminal.run("def double(number: int) -> int: return 2 * number", "")
    server.script(Reply(tool_calls=[Call("double", {"number": 3})]), Reply(text="Done."))
    os.write(terminal.handle, b"%%allos groq/m --tools double\nHi\n\n\n")
    asked = terminal.until_prompt(re.compile(rb"\[y/N\] $"))
    terminal.run(said)

    assert "The model wants to run double(number=3). Run it?" in asked
    assert result in str(server.requests[-1].body["messages"][-1]["content"])


def test_hostile_words_steer_nothing(terminal: Terminal, server: FakeServer) -> None:
    """Escapes, bells and controls of answers, tools and errors never reach the terminal."""
    names = (
        "ansi",
        "osc_",
        "controls",
        "overwriting",
        "graphics",
        "paste",
        "charset",
        "cut_escape",
    )
    texts = [text for name, text in HOSTILE if name.startswith(names)]
    assert len(texts) >= 8
    for number, text in enumerate(texts):
        text = text.encode(errors="ignore").decode()
        server.reply(
            Reply(text=text, refusal=text, tool_calls=[Call("f", {"a": text})]), on=f"h{number}"
        )
        server.reply(Fault.status(400, message=text), on=f"bad{number}")
    shown = [terminal.run("%%allos groq/" + kind, "Hi") for kind in _kinds(len(texts))]
    terminal.run("import allos")
    shown += [terminal.run(f"allos.ask('Hi', model='groq/bad{n}')") for n in range(len(texts))]

    for words in shown:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", words), words


def _kinds(count: int) -> list[str]:
    return [f"{kind}{number}" for number in range(count) for kind in ("h", "bad")]
