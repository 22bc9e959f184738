"""What an import loads, and that no order of imports hides a public name: in processes of their own."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import allos

HEAVY = [
    "openai",
    "anthropic",
    "httpx2",
    "pandas",
    "asyncio",
    "ipywidgets",
    "IPython",
    "anywidget",
    "pydantic",
    "numpy",
    "aiohttp",
    "sqlite3",
    "tqdm",
    "genai_prices",
    "uvloop",
    "markdown_it",
    "nh3",
    "pygments",
]


def modules() -> list[str]:
    """All modules of the package, those that need an extra or are scripts left out."""
    found = pkgutil.walk_packages(allos.__path__, "allos.")
    return ["allos", *(info.name for info in found if not info.name.endswith("__main__"))]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("seed", range(3))
def test_submodules_do_not_hide_public_names(seed: int) -> None:
    """Whatever submodules are imported in whatever order, every public name is what it was."""
    code = f"""
import importlib, random, types, warnings
# pandas 2.2.0, on import.
warnings.filterwarnings("ignore", r"\\s*Pyarrow will become", DeprecationWarning)
names = {modules()!r}
random.Random({seed}).shuffle(names)
for name in names:
    importlib.import_module(name)
import allos
for name in allos.__all__:
    value = getattr(allos, name)
    assert isinstance(value, types.ModuleType) is (name in ("analysis", "log", "scorers", "testing")), name
assert callable(allos.ask) and callable(allos.responses)
"""
    run(code)


@pytest.mark.parametrize(
    "statement",
    [
        "import allos",
        "from allos.providers import ProviderRegistry",
        "from allos.providers import Message, MessageRole, ProviderResponse",
        "import allos; allos.ProviderError, allos.Message",
        "from allos.testing import ScriptedProvider; ScriptedProvider('Hi')",
    ],
)
def test_what_an_import_loads(statement: str) -> None:
    """The first import loads no SDK, no pandas, no event loop and nothing else that is heavy."""
    code = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"

    assert run(code) == "[]"


def test_building_a_provider_loads_no_sdk() -> None:
    """The SDK is loaded by the first call."""
    code = (
        "from allos.providers import ProviderRegistry\n"
        "ProviderRegistry.get_provider('groq', model='m', api_key='k')\n"
        "import sys\n"
        "print([n for n in ('openai', 'anthropic', 'httpx2', 'pandas') if n in sys.modules])"
    )

    assert run(code) == "[]"


def test_a_scripted_answer_loads_no_sdk() -> None:
    """Tests with scripted models wait for no import."""
    code = (
        "from allos.testing import ScriptedProvider\n"
        "ScriptedProvider('Hello.').chat('Hi')\n"
        "import sys\n"
        "print([n for n in ('openai', 'anthropic', 'pandas') if n in sys.modules])"
    )

    assert run(code) == "[]"
