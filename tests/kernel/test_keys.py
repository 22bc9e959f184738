"""`%allos key` in a real kernel: the key works, and is nowhere to be found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import own_keyring
from tests.support.fake_server import FakeServer, Fault
from tests.support.jupyter import Kernel

KEY = "gsk-typed-by-hand-4711"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("Fine.") as started:
        yield started


@pytest.fixture
def kernel(server: FakeServer, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with a log, a keyring of its own and no key; groq points at the scripted server."""
    folder = tmp_path / "kernel"
    folder.mkdir()
    shutil.copy(own_keyring.__file__, folder / "own_keyring.py")
    environment = {
        "GROQ_BASE_URL": server.base_url,
        "ALLOS_LOG": str(tmp_path / "log.sqlite"),
        "OWN_KEYRING": str(tmp_path / "ring.json"),
        "PYTHON_KEYRING_BACKEND": "own_keyring.FileKeyring",
    }
    with Kernel(folder, environment) as started:
        assert started.run("%load_ext allos").outputs == []
        yield started


def _bytes_under(*folders: Path) -> dict[str, bytes]:
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in found if path.name != "ring.json"}


def _history(kernel: Kernel) -> str:
    (path,) = (kernel.folder / "home").rglob("history.sqlite")
    with sqlite3.connect(path) as db:
        tables = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        text = str([db.execute(f"SELECT * FROM {name}").fetchall() for name in tables])
    db.close()
    return text


def _shown(result: Any) -> str:
    return str(result.displays[-1]["content"]["data"]["text/plain"])


def test_key_is_asked_for_used_and_nowhere_else(
    kernel: Kernel, server: FakeServer, tmp_path: Path
) -> None:
    """The typed key reaches the service, and no message, history, log, file or variable."""
    missing = kernel.run("%%allos groq/m\nHello")
    setting = kernel.run("%allos key groq", answers=[KEY])
    kernel.run("%%allos groq/m -o answer\nHello")
    kernel.run(
        "import allos\nboard = allos.compare('Hi', models=['groq/m', 'groq/n']).wait()\nboard"
    )
    server.reply(Fault.bad_key())
    kernel.run("%xmode Verbose")
    verbose = [
        kernel.run("allos.ask('Hi', model='groq/m')"),
        kernel.run("allos.compare('Hi', models=['groq/m']).wait().responses[0].error"),
        kernel.run("from allos.providers import ProviderRegistry as R\n"
                   "p = R.get_provider('groq', model='m')\np.list_models(); p.chat([])"),
        kernel.run("allos.ask('Hi', model='groq/m', temprature=1)"),
    ]  # fmt: skip
    kernel.run(
        "p, vars(p), p._route.endpoint, answer, vars(answer.request) if 0 else answer.request"
    )
    kernel.run("%who_ls\n%whos")
    kernel.run("import pickle; pickled = pickle.dumps(answer)")
    kernel.run("%history -o")
    kernel.run("allos.log.flush(); get_ipython().history_manager.writeout_cache()")
    history = _history(kernel)
    messages = str(kernel.messages)
    kernel.shutdown()
    files = _bytes_under(tmp_path)

    assert missing.ename == "MissingKeyError"
    assert "%allos key groq" in str(missing.evalue)
    assert [m["content"]["password"] for m in setting.input_requests] == [True]
    assert _shown(setting).endswith("the key is set for this process and stored in the keyring.")
    assert {r.key for r in server.requests} == {KEY}
    assert [r.ename for r in verbose] == [
        "AuthenticationError", None, "PromptError", "ConfigurationError",
    ]  # fmt: skip
    assert "%allos key groq" in history, "the history is really read"
    assert "Hello" in files[str(tmp_path / "log.sqlite")].decode("latin-1")
    assert KEY not in history
    assert KEY not in messages
    assert not [path for path, content in files.items() if KEY.encode() in content]


def test_key_outlives_the_kernel_in_the_keyring(kernel: Kernel, server: FakeServer) -> None:
    """After a restart the key is found again; forgotten, it is missed."""
    kernel.run("%allos key groq", answers=[KEY])
    kernel.restart()
    kernel.run("%load_ext allos")
    again = kernel.run("%%allos groq/m\nHello")
    table = kernel.run("%allos key")
    kernel.run("%allos key groq --forget")
    gone = kernel.run("%%allos groq/m\nHello")

    assert (again.status, gone.ename) == ("ok", "MissingKeyError")
    assert "keyring" in _shown(table)


def test_headless_kernel_is_asked_nothing(kernel: Kernel) -> None:
    """Where nobody can answer, `%allos key` is one line that says what to do instead."""
    result = kernel.run("%allos key groq", allow_stdin=False)

    assert (result.status, result.ename) == ("error", "ConfigurationError")
    assert result.traceback == [result.evalue]
    assert "set GROQ_API_KEY in the environment" in str(result.evalue)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%allos key groq gsk-on-the-line-4711", "Do not write a key into a cell"),
        ("%allos key gsk-on-the-line-4711", "needs a provider name"),
        ("%allos key grok", "Did you mean 'groq'?"),
        ("%allos key groq --forgot", "Did you mean '--forget'?"),
        ("%allos key groq --forget --session", "cannot be combined; use one"),
        ("%allos key groq --base-url", "needs a URL"),
        ("%allos key local", "needs no key"),
    ],
)
def test_wrong_line_repeats_no_key(kernel: Kernel, line: str, words: str) -> None:
    """A wrong line is one sentence that never repeats what may be a key."""
    result = kernel.run(line)

    assert (result.status, result.ename) == ("error", "ConfigurationError")
    assert words in str(result.evalue)
    assert "4711" not in str(result.outputs)


def test_verbose_traceback_of_a_missing_key_shows_no_environment(
    server: FakeServer, tmp_path: Path
) -> None:
    """`%xmode Verbose` shows the variables of our frames, and none of them is the environment."""
    others = {"AAA_API_KEY": "sk-of-somebody-else", "ALLOS_LOG": "off"}
    with Kernel(tmp_path, others) as kernel:
        kernel.run("%xmode Verbose\nimport allos")
        result = kernel.run("allos.ask('Hi', model='groq/m')")
        passed = kernel.run(
            "import base64; key = base64.b64decode('c2stcGFzc2VkLWJ5LWhhbmQ=').decode\n"
            f"allos.ask('Hi', model='groq/m', api_key=key(), base_url='{server.base_url}', zap=1)"
        )
        more = [
            kernel.run(
                "allos.compare('Hi', models=['grok/m'], api_key=key(), headers={'x': key()})"
            ),
            kernel.run("allos.compare('Hi', models=['grok/m'], params={'api_key': key()})"),
            kernel.run("allos.set_key('grok', key())"),
            kernel.run("allos.set_key('groq', key() + ' ')\nallos.set_key('groq', key() + ' x')"),
        ]

    assert result.ename == "MissingKeyError"
    assert {r.ename for r in (passed, *more)} == {"ConfigurationError"}
    assert "api_key" in str(passed.traceback), "the traceback is a verbose one"
    assert "sk-of-somebody-else" not in str(kernel.messages)
    assert "environ({" not in str(kernel.messages)
    assert "sk-passed-by-hand" not in str(kernel.messages)
