"""Run the pages' cells on recorded answers: every output is real, and a build asks no model.

A page's answers are in ``docs/replay``, under its name with dashes; those of a tutorial are beside its
notebook. Strict replay fails the build where one is missing. To record them again::

    make record
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
ANSWERS = ROOT / "docs" / "replay"
TUTORIALS = "tutorials"
MODE = os.environ.get("ALLOS_REPLAY_MODE", "strict")


def answers_of(page: str) -> Path:
    """Replay file of a page, such as ``guide/cells``."""
    folder, _, name = page.rpartition("/")
    if folder == TUTORIALS:
        return NOTEBOOKS / f"{name}.replay.jsonl"
    return ANSWERS / f"{page.replace('/', '-')}.replay.jsonl"


def _copy_notebooks(app: Sphinx) -> None:
    """The shipped notebooks are the tutorials; the copies are not kept in the repository."""
    folder = Path(app.srcdir) / TUTORIALS
    folder.mkdir(exist_ok=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copyfile(notebook, folder / notebook.name)


def _use_answers(folder: Path, app: Sphinx, page: str, source: list[str]) -> None:
    """The kernel that runs the page's cells takes its environment from this process."""
    # A notebook's answers belong to the outputs in its file: they are not recorded from here.
    mode = "strict" if page.startswith(f"{TUTORIALS}/") else MODE
    answers = answers_of(page)
    name = page.replace("/", "-")
    if mode == "strict" and not answers.exists():  # a page that asks nothing
        answers = folder / f"{name}.jsonl"
        answers.touch()
    os.environ |= {
        "ALLOS_REPLAY": str(answers),
        "ALLOS_REPLAY_MODE": mode,
        "ALLOS_LOG": str(folder / f"{name}.sqlite"),
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    folder = Path(tempfile.mkdtemp(prefix="allos-docs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    profile.joinpath("ipython_kernel_config.py").write_text(
        "c.IPKernelApp.log_level = 'CRITICAL'\n"
    )
    logging.getLogger("traitlets").setLevel(logging.WARNING)  # a line for each page
    # Neither your log, settings, keys nor profile of IPython have a part in what pages show.
    os.environ |= {
        "ALLOS_CONFIG": "off",
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    app.connect("builder-inited", _copy_notebooks)
    app.connect("source-read", partial(_use_answers, folder))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
