"""What `make record` does to a notebook once it has run."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import v4

from allos.render.answer import answer_html
from allos.response import ProviderResponse
from tests.support.strip_styles import strip_styles


def _stored(path: Path, *html: str) -> None:
    outputs = [v4.new_output("display_data", {"text/html": text}) for text in html]
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("1", outputs=outputs)]), path)


def _html(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    return [output["data"]["text/html"] for output in notebook.cells[0].outputs]


def test_styles_are_not_stored(tmp_path: Path) -> None:
    """A stored answer keeps everything but its style sheet; a second time there is nothing to do."""
    path = tmp_path / "a.ipynb"
    whole = answer_html(ProviderResponse("Some **bold** words."))
    _stored(path, whole, "<p>plain</p>")
    assert "<style>" in whole

    assert strip_styles(path) is True
    stored = _html(path)
    assert "<strong>bold</strong>" in stored[0]
    assert "style>" not in "".join(stored)
    assert len(stored[0]) == len(whole) - len(
        whole[whole.index("<style>") : whole.rindex("</style>") + 8]
    )
    assert stored[1] == "<p>plain</p>"
    assert strip_styles(path) is False
