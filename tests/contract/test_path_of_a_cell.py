"""The page on the path of a cell lists the files that a cell really goes through, layer by layer."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.support.fake_server import FakeServer, Fault, Reply

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "path-of-a-cell.md"
LAYERS = ("notebook", "runs", "session", "providers", "engine", "wire")
"""From the top; what stands beside `providers` is reached through interceptors."""

TRACED = """
import json, sys, threading
from IPython.core.interactiveshell import InteractiveShell
from allos.engine import retry, runtime

shell = InteractiveShell.instance()
shell.run_cell("%load_ext allos")
shell.run_cell("import allos; allos.replay('cell.replay.jsonl', 'record'); topic = 'tides'")
home, seen = sys.argv[1], {}

def note(frame, event, argument):
    name = frame.f_code.co_filename
    if event == "call" and name.startswith(home):
        seen.setdefault(name[len(home):], None)

ready = threading.Event()
def on_the_loop():
    sys.setprofile(note)
    ready.set()

runtime.get().loop.call_soon_threadsafe(on_the_loop)
ready.wait(10)
sys.setprofile(note)
with retry.using(base_s=0):
    shell.run_cell("%%allos groq/llama-3.1-8b-instant -o answer -t 0.2\\nExplain {{topic}}.")
sys.setprofile(None)
allos = sys.modules["allos"]
allos.log.flush()
print("\\n" + json.dumps([shell.user_ns["answer"].content, list(seen)]))
"""


def listed() -> list[str]:
    return list(dict.fromkeys(re.findall(r"`([a-z_/]+\.py)`", PAGE.read_text("utf-8"))))


def test_every_listed_file_is_on_the_path(tmp_path: Path, monkeypatch) -> None:
    """One cell whose first attempt fails, under replay and log, reaches every file of the page."""
    with FakeServer() as server:
        server.script(Fault.status(503), Reply("Moon."))
        monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        done = subprocess.run(
            [sys.executable, "-c", TRACED, f"{ROOT / 'allos'}/"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    content, seen = json.loads(done.stdout.splitlines()[-1])

    assert content == "Moon."
    assert [name for name in listed() if name not in seen] == []


def test_it_is_short() -> None:
    """Fewer than 35 files tell how a cell works, and each of them exists."""
    assert len(listed()) < 35
    assert all((ROOT / "allos" / name).is_file() for name in listed())


def test_no_listed_file_imports_from_a_layer_above() -> None:
    """Who reads the path from top to bottom never has to jump back up."""
    wrong = []
    for name in listed():
        layer = name.partition("/")[0].removesuffix(".py")
        if layer not in LAYERS:
            continue
        above = {f"allos.{each}" for each in LAYERS[: LAYERS.index(layer)]}
        for node in ast.walk(ast.parse((ROOT / "allos" / name).read_text("utf-8"))):
            module = getattr(node, "module", None)
            if isinstance(node, ast.ImportFrom) and module is not None:
                home = ".".join(module.split(".")[:2])
                wrong += [(name, module)] if home in above else []

    assert wrong == []
