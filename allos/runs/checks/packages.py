"""Installed versions, incompatible ones, and another package with the same name."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from allos.runs.finding import Finding

_PACKAGES = (
    *("openai", "anthropic", "httpx2", "pandas", "ipython", "ipykernel", "ipywidgets"),
    *("anywidget", "genai-prices"),
)
_OPTIONAL = frozenset({"ipykernel"})


def versions(online: bool) -> Iterator[Finding]:
    """Installed versions, incompatible ones, and another package with the same name."""
    from allos.version import __version__

    message = [f"Python {sys.version.split()[0]}", f"allos {__version__}"]
    for name in _PACKAGES:
        version = _version(name)
        if version is not None:
            message.append(f"{name} {version}")
        elif name not in _OPTIONAL:
            yield Finding("versions", "problem", f"{name} is not installed.", f"pip install {name}")
    yield Finding("versions", "ok", ", ".join(message) + ".")
    yield from _incompatible_packages()
    yield from _other_allos_packages()


def _incompatible_packages() -> Iterator[Finding]:
    """Packages with a version that allos does not support."""
    try:
        from packaging.requirements import Requirement

        required = importlib.metadata.requires("allos-jupyter") or []
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return
    for line in required:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        version = _version(wanted.name)
        if version is not None and not wanted.specifier.contains(version, prereleases=True):
            yield Finding(
                "versions",
                "problem",
                f"{wanted.name} {version} is installed, but allos requires {wanted.specifier}.",
                f"pip install '{wanted.name}{wanted.specifier}'",
            )


def _other_allos_packages() -> Iterator[Finding]:
    """Another package named allos: on PyPI the name belongs to a different project."""
    from allos import version

    own = os.path.realpath(os.path.dirname(version.__file__))
    seen = {own}
    for entry in sys.path:
        for file in (Path(entry or ".", "allos", "__init__.py"), Path(entry or ".", "allos.py")):
            location = os.path.realpath(file.parent if file.name == "__init__.py" else file)
            if location not in seen and file.is_file():
                seen.add(location)
                yield Finding(
                    "versions",
                    "problem",
                    f"Another allos was found in {location}; the one in use is {own}.",
                    "Move or rename it, and restart.",
                )
    if _version("allos") is not None:
        yield Finding(
            "versions",
            "problem",
            "The unrelated package 'allos' from PyPI is installed; its files may have overwritten "
            "those of allos-jupyter.",
            "pip uninstall allos, then pip install --force-reinstall allos-jupyter.",
        )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
