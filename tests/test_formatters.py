"""What formats, lints and runs notebooks leaves the cells of allos as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

CELLS = [
    "%load_ext allos",
    "%%allos groq/m -t 0.2   --params {\"top_p\": 0.5}\nx   =  1;  {{ y }}  'single'   \n\n\n\nif (x) :",
    "%%allos compare groq/m local/smollm2\nimport os,sys\n$x {a} \\{{b}}",
    "answer = %allos groq/m \"a   'b'  c\"",
    "%allos   models   groq",
]  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ["black", "--quiet"],
        ["ruff", "format", "--isolated", "--quiet"],
        ["ruff", "check", "--isolated", "--fix", "--select", "ALL", "--exit-zero", "--quiet"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_cells_stay_as_they_are(command: list[str], tmp_path: Path) -> None:
    """black and ruff change Python cells and none of ours."""
    path = tmp_path / "book.ipynb"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in [*CELLS, "import  os\nx  = 1"]],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        | {"language_info": {"name": "python"}},
    )
    nbformat.write(book, path)
    subprocess.run(
        [sys.executable, "-m", *command, str(path)], check=True, capture_output=True, timeout=120
    )
    after = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]

    assert after[: len(CELLS)] == CELLS
    assert after[-1] != "import  os\nx  = 1", "the tool has seen the notebook"
