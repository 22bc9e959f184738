from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from allos.runs import jupyter_versions
from allos.runs.jupyter_versions import faulty_versions


def notes(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], env: dict[str, str] | None = None
) -> list[str]:
    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    findings = list(faulty_versions(env or {}))
    assert all(each.area == "notebook" and each.status == "note" and each.fix for each in findings)
    return [each.message.partition(":")[0] for each in findings]


@pytest.mark.parametrize(
    ("package", "version", "is_faulty"),
    [
        ("jupyter-server", "2.19.3", True),
        ("jupyter-server", "1.24.0", True),
        ("jupyter-server", "2.20.0", False),
        ("jupyter-server", "3.0.0", False),
        ("jupyterlab", "4.5.6", True),
        ("jupyterlab", "3.6.8", True),
        ("jupyterlab", "4.5.7", False),
        ("jupyterlab", "4.5.9", False),
        ("jupyterlab", "4.6.0rc1", True),
        ("jupyterlab", "4.6.0", True),
        ("jupyterlab", "4.6.1", True),
        ("jupyterlab", "4.6.2", False),
        ("jupyterlab", "5.0.0", False),
        ("jupyterlab", "unknown", False),
    ],
)
def test_versions(
    monkeypatch: pytest.MonkeyPatch, package: str, version: str, is_faulty: bool
) -> None:
    """A version with the fault is a note with the fix; others, and unknown ones, are not named."""
    name = {"jupyter-server": "Jupyter Server", "jupyterlab": "JupyterLab"}[package]

    assert notes(monkeypatch, {package: version}) == ([f"{name} {version}"] if is_faulty else [])


def test_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Jupyter, or with another front end, nothing is said."""
    old = {"jupyter-server": "2.0.0", "jupyterlab": "4.0.0"}

    assert notes(monkeypatch, {}) == []
    assert notes(monkeypatch, old, {"COLAB_RELEASE_TAG": "1"}) == []


def test_running_server_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel's server may be of another environment, whose JupyterLab is then unknown."""
    env = {"JPY_PARENT_PID": "4711", "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    here = {"jupyter-server": "2.20.0", "jupyterlab": "4.5.0"}
    file = tmp_path / "jpserver-4711.json"

    assert notes(monkeypatch, here, env) == ["JupyterLab 4.5.0"], "no file: what is installed here"
    file.write_text(json.dumps({"version": "2.14.0"}))
    assert notes(monkeypatch, here, env) == ["Jupyter Server 2.14.0"]
    file.write_text(json.dumps({"version": "2.20.0"}))
    assert notes(monkeypatch, here, env) == ["JupyterLab 4.5.0"]
    file.write_text("[]")
    assert notes(monkeypatch, here, env) == ["JupyterLab 4.5.0"]


def test_doctor_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`allos.doctor` has the notes among those of the notebook."""
    from allos.runs.checks import frontend

    monkeypatch.setattr(jupyter_versions, "_versions", lambda env: {"jupyterlab": "4.6.1"})
    monkeypatch.delenv("VSCODE_PID", raising=False)

    assert any("JupyterLab 4.6.1" in each.message for each in frontend.notebook(False))
