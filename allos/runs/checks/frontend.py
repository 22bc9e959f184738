"""Where the code runs, and whether widgets work."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator

from allos.runs.finding import Finding
from allos.runs.jupyter_versions import faulty_versions


def notebook(online: bool) -> Iterator[Finding]:
    """Where the code runs, and whether widgets work."""
    where = "a script or a terminal"
    if "ipykernel" in sys.modules:
        where = "a Jupyter kernel"
        for variable, name in (
            ("COLAB_RELEASE_TAG", "Colab"),
            ("VSCODE_PID", "VS Code"),
            ("JPY_SESSION_NAME", "Jupyter Server"),
        ):
            if os.environ.get(variable):
                where += f" ({name})"
                break
    if "marimo" in sys.modules:
        where = "marimo"
    yield Finding("notebook", "ok", f"Running in {where}.")
    if sys.platform == "emscripten":
        yield Finding(
            "notebook",
            "problem",
            "This Python runs in the browser, where threads are not supported: allos cannot work here.",
            "Use a kernel outside of the browser.",
        )
    if "COLAB_RELEASE_TAG" in os.environ:
        yield Finding(
            "notebook",
            "note",
            "On Colab a comparison blocks its cell, and shows a table instead of the live board.",
        )
    yield from faulty_versions()
    for name in ("anywidget", "ipywidgets"):
        if importlib.util.find_spec(name) is None:
            yield Finding(
                "notebook",
                "problem",
                f"{name} is not installed, so comparisons show no live board.",
                f"pip install {name}, and restart the kernel.",
            )
