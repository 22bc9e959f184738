"""The package of the guide "A provider of your own", really built, installed and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_server import FakeServer, Reply

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "plugins" / "allos_echo"

USE = """
import allos
from allos.providers import ProviderRegistry

assert {"echo", "echo_team"} <= set(ProviderRegistry.list_providers())
print(allos.ask("Hi", model="echo/parrot").content)
both = allos.compare("Ho", models=["echo/parrot", "echo_team/parrot"])
both.wait(timeout_s=30)
print(*(response.content for response in both.responses))
team = ProviderRegistry.get_provider("echo_team", model="parrot", team="blue")
print(team.chat("Hu").content)

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "allos")
shell.run_cell("%%allos -q -o answer echo/parrot\\nHey", silent=True)
print(shell.user_ns["answer"].content)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built and installed into a folder, without a network."""
    folder = tmp_path_factory.mktemp("package")
    source, target = folder / "source", folder / "target"
    shutil.copytree(SOURCE, source)
    options = "--quiet --no-deps --no-index --no-build-isolation --disable-pip-version-check"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", str(target)]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def run(code: str, path: Path, **variables: str) -> str:
    env = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "ALLOS_LOG": "off", **variables}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=env,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_package_is_used_everywhere(installed: Path) -> None:
    """Installed, its names work in questions, comparisons and cells, with its own key and headers."""
    with FakeServer() as server:
        server.reply(lambda seen: Reply(seen.prompt))
        output = run(
            USE,
            installed,
            ECHO_BASE_URL=server.base_url,
            ECHO_TEAM_BASE_URL=server.base_url,
            ECHO_API_KEY="sk-echo",
        )

    assert output.split("\n")[:4] == ["Hi", "Ho Ho", "Hu", "Hey"]
    assert {seen.key for seen in server.requests} == {"sk-echo"}
    teams = [seen.headers.get("x-team") for seen in server.requests]
    assert sorted(map(str, teams)) == ["None", "None", "None", "blue", "nobody"]


def test_importing_allos_does_not_load_it(installed: Path) -> None:
    """The package is loaded when it is needed, not before."""
    code = (
        "import sys, allos\n"
        "from allos.providers import ProviderRegistry\n"
        "ProviderRegistry.get_provider('groq', model='m', api_key='k')\n"
        "print('allos_echo' in sys.modules)\n"
        "ProviderRegistry.get_provider('echo', model='m', api_key='k')\n"
        "print('allos_echo' in sys.modules)"
    )

    assert run(code, installed).split() == ["False", "True"]


def test_guide_shows_the_package() -> None:
    """The guide's files are those of the package, letter by letter."""
    page = (ROOT / "docs" / "guide" / "own-provider.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", page, re.DOTALL)

    for name in ("pyproject.toml", "src/allos_echo/__init__.py", "src/allos_echo/team.py"):
        assert (SOURCE / name).read_text(encoding="utf-8") in blocks
