"""The notebooks of the project, as people meet them: unsigned, exported, on a page of another site.

The pictures are kept, to be looked at.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nh3
import pytest
from playwright.sync_api import Locator, Page, ViewportSize

from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
RIGHT = {"right", "-webkit-right"}
LEFT = {"left", "start", "-webkit-left"}
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 700, "height": 900}

# What a site keeps that trusts nobody: structure and links; no style sheet, class, style or script.
_KEPT = {"a": {"href"}, "td": {"align", "valign"}, "th": {"align", "valign"}, "details": {"open"}}
_SITE = """<meta charset="utf-8"><style>
body{max-width:1012px;margin:auto;padding:16px;font:16px/1.5 sans-serif}
table{border-collapse:collapse;display:block;overflow:auto}
td,th{border:1px solid #d1d9e0;padding:6px 13px}
pre{background:#f6f8fa;padding:16px;overflow:auto;font-size:85%}
</style>"""


def _pages(folder: Path, template: str, lab: Lab) -> dict[str, Path]:
    """Pages that nbconvert makes of the notebooks with one of its templates."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "nbconvert",
            "--to",
            "html",
            "--template",
            template,
            "--output-dir",
            str(folder),
            *map(str, NOTEBOOKS),
        ],
        env=lab.environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return {name: folder / f"{name}.html" for name in NAMES}


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    made = lab.browser.new_page()
    made.set_viewport_size(WIDE)
    yield made
    made.close()


def _open(page: Page, path: Path, picture: str) -> None:
    """Open a page and keep its picture, wide and narrow."""
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size, name in ((NARROW, f"{picture}-narrow"), (WIDE, picture)):
        page.set_viewport_size(size)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


def _reads_well(outputs: Locator, name: str) -> None:
    """Texts at the left, code in lines, no line of a widget, no table that leaves the page."""
    text = outputs.first.page.locator("body").inner_text()
    cells = outputs.locator("table td", has_text=re.compile(r"\w+ \w+ \w+ \w+")).all()

    assert cells, name
    for cell in outputs.locator("table td", has_text=re.compile(r"^[\d.]+ m?s$")).all():
        assert cell.evaluate("e => getComputedStyle(e).textAlign") in RIGHT
    for cell in cells:
        assert cell.evaluate("e => getComputedStyle(e).textAlign") in LEFT
    assert not re.search(r"\b(Board|Comparison|ToolQuestion)\(", text)
    assert "NaN" not in text
    for code in outputs.locator("pre").all():
        assert code.evaluate("e => getComputedStyle(e).whiteSpace").startswith("pre")


@pytest.mark.parametrize("name", NAMES)
def test_unsigned_in_jupyterlab(lab: Lab, name: str) -> None:
    """A file that came by mail: no signature, so JupyterLab cleans the outputs."""
    notebook = lab.open(NOTEBOOKS[NAMES.index(name)])
    notebook.screenshot(f"{name}-untrusted")
    notebook.set_theme("dark")
    notebook.screenshot(f"{name}-untrusted-dark")
    notebook.set_theme("light")

    assert not notebook.trusted
    _reads_well(notebook.outputs(), name)
    assert notebook.foreign_requests == notebook.errors == []


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_exported_by_nbconvert(lab: Lab, page: Page, tmp_path: Path, template: str) -> None:
    """The page of today, and the classic one, as nbviewer shows it."""
    for name, path in _pages(tmp_path, template, lab).items():
        _open(page, path, f"{name}-nbconvert-{template}")
        _reads_well(page.locator(".output, .jp-OutputArea"), name)


def test_on_a_site_that_keeps_no_style(lab: Lab, page: Page, tmp_path: Path) -> None:
    """As on a site for code, which strips styles and classes: structure alone must be readable."""
    tags = nh3.ALLOWED_TAGS | {"details", "summary"}
    for name, path in _pages(tmp_path, "basic", lab).items():
        clean = nh3.clean(path.read_text("utf-8"), tags=tags, attributes=_KEPT, link_rel=None)
        path.write_text(f"{_SITE}{clean}", "utf-8")
        _open(page, path, f"{name}-without-styles")
        _reads_well(page.locator("body"), name)
        overflow = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")

        assert not overflow
