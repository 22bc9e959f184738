"""The documentation's pages, as far as that can be told without building them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import allos
from allos import analysis, providers, scorers, testing

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(
    str(path.relative_to(DOCS)) for path in DOCS.glob("[!_]*/**/*.md") if "_build" not in path.parts
)
ASKING = re.compile(
    r"^(?:%%allos|.*%allos) (?:compare |\w+ << )?(?:local|scripted)/|allos\.(?:ask|compare|judge)\(",
    re.M,
)


def _extension(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "extensions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cells(page: str) -> list[str]:
    """Code of a page's cells, without those that are errors."""
    text = (DOCS / page).read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```$", text, re.M | re.S)
    return [cell for cell in cells if "raises-exception" not in cell]


@pytest.mark.parametrize("page", PAGES)
def test_pages_that_ask_have_answers(page: str) -> None:
    """A page whose cells ask a model has a file of recorded answers, and no other page has one."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed")
    answers = _extension("replayed_pages").answers_of(page.removesuffix(".md"))
    asks = any(ASKING.search(cell) for cell in _cells(page))

    assert answers.exists() == asks


def test_no_answers_without_a_page() -> None:
    """Each file of recorded answers belongs to a page."""
    pages = {page.removesuffix(".md").replace("/", "-") for page in PAGES}
    recorded = {path.name.removesuffix(".replay.jsonl") for path in DOCS.glob("replay/*.jsonl")}

    assert recorded
    assert recorded <= pages


def _documented() -> set[str]:
    """Full names of what the reference documents."""
    found = set()
    for page in (DOCS / "reference" / "api").glob("*.md"):
        module = ""
        for kind, name in re.findall(r"^\.\. (\w+):: ([\w.]+)", page.read_text("utf-8"), re.M):
            module = name if kind in ("currentmodule", "automodule") else module
            found.add(name if name.startswith("allos") else f"{module}.{name}")
    return found


@pytest.mark.parametrize(
    "module", [allos, analysis, providers, scorers, testing], ids=lambda module: module.__name__
)
def test_public_names_are_in_the_reference(module: ModuleType) -> None:
    """Each public function and class has its place in the reference; errors stand on their own page."""
    documented = _documented()
    missing = []
    for name in module.__all__:
        value = getattr(module, name)
        if name.endswith(("Error", "__version__", "load_ipython_extension")):
            continue
        # `Message` is public in two packages; one place is enough.
        homes = [
            m.__name__
            for m in (allos, analysis, providers, scorers, testing)
            if getattr(m, name, None) is value
        ]
        if not isinstance(value, ModuleType) and documented.isdisjoint(
            f"{m}.{name}" for m in homes
        ):
            missing.append(name)

    assert missing == []
    assert "allos.errors" in _documented()


def test_a_prompt_is_coloured_as_text() -> None:
    """The words below ``%%allos`` are no Python; what is inserted stands out; no character is lost."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed")
    lexer = _extension("prompt_lexer").PromptLexer()
    cell = "%%allos local/smollm2 -t 0\nIs {{ topic }} in \\{{ this }}?\n"
    kinds = {text: str(kind) for kind, text in lexer.get_tokens(cell)}
    python = {text: str(kind) for kind, text in lexer.get_tokens("import allos\n")}

    assert "".join(kinds) == cell
    assert kinds["%%allos"] == "Token.Keyword"
    assert kinds["{{ topic }}"] == "Token.Name.Variable"
    assert kinds["Is "] == "Token.Text"
    assert python["import"] == "Token.Keyword.Namespace"
