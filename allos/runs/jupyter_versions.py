"""Versions of Jupyter in which the output of a saved notebook can act when the notebook is opened.

allos writes inert outputs, but a notebook of somebody else may hold any. Jupyter shows saved outputs
sanitised until the notebook is trusted; in these versions that can be bypassed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from allos.runs.finding import Finding

_FAULTY = {
    "jupyter-server": ("Jupyter Server", ("<2.20",), "2.20"),
    "jupyterlab": ("JupyterLab", ("<4.5.7", ">=4.6.0.dev0,<4.6.2"), "4.5.7 or 4.6.2"),
}
"""By package: its name, the faulty versions, and the first ones without the fault."""
_OTHER_FRONT_ENDS = ("COLAB_RELEASE_TAG", "VSCODE_PID", "KAGGLE_KERNEL_RUN_TYPE")


def faulty_versions(env: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield a note for each faulty version; nothing where versions are unknown."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    if any(name in env for name in _OTHER_FRONT_ENDS):
        return
    for package, version in _versions(env).items():
        name, faulty, fixed = _FAULTY[package]
        try:
            is_faulty = any(
                SpecifierSet(each).contains(version, prereleases=True) for each in faulty
            )
        except InvalidVersion:
            continue
        if is_faulty:
            yield Finding(
                "notebook",
                "note",
                f"{name} {version}: saved outputs of a notebook from others can act when it is opened "
                f"(fixed in {fixed}).",
                f"pip install --upgrade {package}, where the server is installed.",
            )


def _versions(env: Mapping[str, str]) -> dict[str, str]:
    """Versions of the running server if it is known, else of what is installed here."""
    here = {package: version for package in _FAULTY if (version := _installed(package)) is not None}
    running = _running_server(env)
    if running is None:
        return here
    # The server's environment may be another one than the kernel's.
    is_same = here.get("jupyter-server") == running
    return {**(here if is_same else {}), "jupyter-server": running}


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _running_server(env: Mapping[str, str]) -> str | None:
    """Version that the server of this kernel has written down; None if there is none."""
    parent, folder = env.get("JPY_PARENT_PID", ""), env.get("JUPYTER_RUNTIME_DIR")
    if folder is None and (paths := sys.modules.get("jupyter_core.paths")) is not None:
        folder = paths.jupyter_runtime_dir()  # every kernel has imported it
    if folder is None or not parent.isdecimal():
        return None
    try:
        text = Path(folder, f"jpserver-{parent}.json").read_text(encoding="utf-8")
        version = json.loads(text).get("version")
    except (OSError, ValueError, AttributeError):
        return None
    return version if isinstance(version, str) else None
