"""`allos.doctor`: each problem is reported with its fix, and nothing is raised."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos import log
from allos.providers.auth import key_store
from allos.providers.catalog import model_cache
from allos.runs import doctor as doctor_module
from allos.runs.checks import frontend, keys, packages, services
from allos.runs.doctor import Report
from allos.runs.finding import Finding
from allos.session import current_session
from tests.support.fake_server import FakeServer

KEY = "gsk-of-the-doctor-test"


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No keys, no log; lists of models that a check fetches are forgotten."""
    monkeypatch.setattr(current_session(), "keys", {})
    monkeypatch.setattr(key_store, "_keyring_cache", {})
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield
    model_cache.forget()


def of(area: str, *, online: bool = False) -> list[tuple[str, str]]:
    found = allos.doctor(online=online).findings
    return [(each.status, str(each)) for each in found if each.area == area]


def test_it_is_quick() -> None:
    """Once its modules are loaded, it takes far less than a second."""
    allos.doctor()
    begin = time.perf_counter()
    allos.doctor()

    assert time.perf_counter() - begin < 1


def test_every_area_is_there() -> None:
    """Keys, hosts and so on stand in a fixed order, each finding on one line."""
    report = allos.doctor()
    areas = list(dict.fromkeys(each.area for each in report.findings))

    assert [a for a in areas if a != "hosts"] == [
        "keys",
        "log",
        "embedded model",
        "versions",
        "notebook",
        "settings",
    ]
    assert not [each for each in report.findings if "\n" in str(each)]
    assert report.frame.columns.tolist() == ["area", "status", "message", "fix"]
    assert len(report.frame) == len(report.findings)


def test_keys_say_where_never_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source of each key is reported, empty variables and invalid keys too; no key is shown."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    monkeypatch.setenv("MISTRAL_API_KEY", f"{KEY} and more")
    allos.set_key("deepseek", KEY, remember=False)
    findings = of("keys")

    assert ("ok", "groq: found in GROQ_API_KEY.") in findings
    assert ("ok", "deepseek: found in this process (%allos key).") in findings
    assert ("note", "OPENAI_API_KEY is set, but empty. Unset it or set it to a key.") in findings
    assert any(
        s == "problem" and "The key in MISTRAL_API_KEY contains whitespace" in t
        for s, t in findings
    )
    assert KEY not in str(allos.doctor())


def test_no_key_is_a_note() -> None:
    """Without any key one line says how to set one."""
    assert ("note", "No API key was found. Set one with %allos key PROVIDER.") in of("keys")


def test_keyring_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked keyring does not hold the doctor up."""
    monkeypatch.setattr(keys, "_KEYRING_S", 0.05)
    monkeypatch.setattr(key_store, "keyring_backend", lambda: time.sleep(1))

    assert any("The keyring did not respond" in text for _, text in of("keys"))


def test_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base URL of each configured service is reported, custom and invalid ones too."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://10.0.0.9:8000/v1")
    monkeypatch.setenv("MISTRAL_BASE_URL", "somewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    findings = of("hosts")

    assert ("ok", "groq: https://api.groq.com/openai/v1.") in findings
    assert (
        "problem",
        "openai: http://10.0.0.9:8000/v1 (OPENAI_BASE_URL) is not encrypted, and the API key would be "
        "sent there. Use https.",
    ) in findings
    assert any(s == "problem" and "MISTRAL_BASE_URL 'somewhere'" in t for s, t in findings)
    assert ("note", "Requests use the proxy http://proxy.example:3128 (HTTPS_PROXY).") in findings
    assert "secret@" not in str(findings)


def test_online_asks_for_models_and_sends_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when asked, each service with a key lists its models; one that does not respond is a problem."""
    with FakeServer(key=KEY) as server:
        monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
        monkeypatch.setenv("GROQ_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        allos.doctor()
        assert server.count == 0

        findings = [(each.status, str(each)) for each in services.hosts(True)]

        assert ("ok", "groq responds and lists 1 models.") in findings
        assert any(
            s == "problem" and t.startswith("openai: ") and "refused" in t for s, t in findings
        )
        assert {(r.method, r.path) for r in server.requests} == {("GET", "/v1/models")}


def test_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log's rows and size, that it is off, that it cannot be used."""
    path = tmp_path / "log.sqlite"
    assert ("ok", f"{path} will be created by the first call.") in of("log")
    log.open(path)
    assert any(s == "ok" and t.startswith(f"{path}: 0 rows, ") for s, t in of("log"))
    log.close()

    path.write_text("no database")
    assert any(s == "problem" and "cannot be read as a log" in t for s, t in of("log"))
    monkeypatch.setenv("ALLOS_LOG", "off")
    assert ("note", "The log is off. Unset ALLOS_LOG to log responses.") in of("log")


@pytest.mark.parametrize(("version", "status"), [((3, 40, 1), "note"), ((3, 51, 3), "ok")])
def test_sqlite_with_the_bug(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], status: str
) -> None:
    """SQLite before 3.51.3 is a note, from then on it is fine."""
    text = ".".join(map(str, version))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", text)

    assert any(s == status and t.startswith(f"SQLite {text}") for s, t in of("log"))


def test_second_package_of_the_name_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another allos on the path is a problem that names both places."""
    (tmp_path / "allos").mkdir()
    (tmp_path / "allos" / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    findings = [text for status, text in of("versions") if status == "problem"]

    assert any(f"Another allos was found in {tmp_path / 'allos'}" in text for text in findings)


def test_unrelated_package_of_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution 'allos' is a different project, and the fix is two commands."""
    real = packages._version
    monkeypatch.setattr(packages, "_version", lambda name: "9.9" if name == "allos" else real(name))

    assert any("pip uninstall allos" in text for _, text in of("versions"))


def test_missing_and_incompatible_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed, and what is too old, is a problem with its pip line."""
    import importlib.metadata

    real = packages._version
    versions = {"anywidget": None, "openai": "1.0"}
    monkeypatch.setattr(packages, "_version", lambda name: versions.get(name, real(name)))
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["openai>=3.50,<4"])
    findings = of("versions")

    assert ("problem", "anywidget is not installed. pip install anywidget") in findings
    assert (
        "problem",
        "openai 1.0 is installed, but allos requires <4,>=3.50. pip install 'openai<4,>=3.50'",
    ) in findings


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default model and its source; one that does not exist is a problem."""
    assert ("ok", "The default model is local/smollm2 (not configured).") in of("settings")
    monkeypatch.setenv("ALLOS_MODEL", "grok/m")
    findings = of("settings")

    assert any(s == "problem" and "Did you mean 'groq'?" in t for s, t in findings)


def test_a_check_that_fails_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in one check is one problem; the report is there all the same."""

    def broken(online: bool) -> Any:
        raise RuntimeError("gone")

    monkeypatch.setattr(doctor_module, "_checks", lambda: (broken, frontend.notebook))
    report = allos.doctor()

    assert report.findings[0] == Finding(
        "broken", "problem", "This check failed (RuntimeError).", "Please report it."
    )
    assert len(report.findings) > 1


def test_report_prints() -> None:
    """The text groups by area, marks problems, and begins with a summary."""
    report = Report((Finding("a", "ok", "Fine."), Finding("a", "problem", "Bad.", "Fix it.")))

    assert str(report) == (
        "allos doctor: 1 problem\n\na\n  ok       Fine.\n  PROBLEM  Bad. Fix it."
    )
    assert report.problems == report.findings[1:]
