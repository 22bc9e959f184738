"""Take the style sheets out of a notebook's stored outputs, so that a change of style changes no notebook.

    python -m tests.support.strip_styles notebooks/*.ipynb

What is left reads well without them: it is what JupyterLab shows of a notebook that it does not trust,
and what GitHub shows of any. A cell that is run again brings its styles back.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

_STYLE = re.compile(r"<style>[^<]*</style>")


def strip_styles(path: Path) -> bool:
    """Rewrite a notebook without style sheets; returns whether it held any."""
    notebook = nbformat.read(path, as_version=4)
    found = False
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            html = output.get("data", {}).get("text/html")
            if html is not None and _STYLE.search(html):
                output["data"]["text/html"] = _STYLE.sub("", html)
                found = True
    if found:
        nbformat.write(notebook, path)
    return found


if __name__ == "__main__":
    for name in sys.argv[1:]:
        strip_styles(Path(name))
