from __future__ import annotations

from pathlib import Path

import pytest

import allos
from allos import settings
from allos.errors import ConfigurationError
from allos.session import current_session


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def gather(folder: Path, home: Path, overrides: dict | None = None, **env: str) -> dict:
    own = {"ALLOS_CONFIG": str(home / "config.toml"), "HOME": str(home), **env}
    return {k: v.value for k, v in settings.gather(overrides or {}, own, folder).items()}


def test_the_nearer_place_counts(home: Path, tmp_path: Path) -> None:
    """This process before the environment, before the project's file, before the user's."""
    (home / "config.toml").write_text('model = "a/own"\ntemperature = 0.1\nmax_tokens = 5\n')
    (tmp_path / "allos.toml").write_text('model = "a/project"\ntemperature = 0.2\n')
    found = gather(tmp_path, home, ALLOS_MODEL="a/env")
    overrides = gather(tmp_path, home, {"model": "a/override"}, ALLOS_MODEL="a/env")

    assert found == {"model": "a/env", "temperature": 0.2, "max_tokens": 5}
    assert overrides["model"] == "a/override"
    assert gather(tmp_path, home)["model"] == "a/project"


def test_every_value_names_its_source(home: Path, tmp_path: Path) -> None:
    """Who set a value is known: a file, a variable or this process."""
    (home / "config.toml").write_text("temperature = 0\n")
    env = {"ALLOS_CONFIG": str(home / "config.toml"), "ALLOS_MODEL": "a/b"}
    found = settings.gather({"max_tokens": 9}, env, tmp_path)

    assert {name: value.source for name, value in found.items()} == {
        "temperature": str(home / "config.toml"),
        "model": "ALLOS_MODEL",
        "max_tokens": "this process",
    }


@pytest.mark.parametrize("name", ["log", "replay", "replay_mode"])
def test_a_project_cannot_choose_files(home: Path, tmp_path: Path, name: str) -> None:
    """What a project's file may not set is left out with one warning that says what it may."""
    (tmp_path / "allos.toml").write_text(f'{name} = "off"\nmodel = "a/b"\n')
    with pytest.warns(UserWarning, match=f"cannot set '{name}'; it may set model"):
        found = gather(tmp_path, home)

    assert found == {"model": "a/b"}


@pytest.mark.parametrize("name", ["base_url", "headers", "api_key", "unsafe_html"])
def test_a_project_cannot_set_unknown_settings(home: Path, tmp_path: Path, name: str) -> None:
    """Hosts, headers, keys and unsafe rendering are not settings."""
    (tmp_path / "allos.toml").write_text(f'{name} = "x"\n')
    with pytest.warns(UserWarning, match=f"Unknown setting '{name}'"):
        found = gather(tmp_path, home)

    assert found == {}


@pytest.mark.parametrize(("project", "counts"), [("0.5", 0.5), ("50", 2.0)])
def test_a_project_can_only_lower_the_budget(
    home: Path, tmp_path: Path, project: str, counts: float
) -> None:
    """The lower of the user's and the project's budget counts."""
    (home / "config.toml").write_text("budget_usd = 2\n")
    (tmp_path / "allos.toml").write_text(f"budget_usd = {project}\n")

    assert gather(tmp_path, home) == {"budget_usd": counts}


def test_the_project_is_the_repository(home: Path, tmp_path: Path) -> None:
    """The file is looked for above the folder, up to the repository, in pyproject.toml too."""
    top = tmp_path / "repository"
    (top / "notebooks" / "deep").mkdir(parents=True)
    (top / ".git").mkdir()
    (tmp_path / "allos.toml").write_text('model = "a/outside"\n')
    outside = gather(top / "notebooks" / "deep", home)
    (top / "pyproject.toml").write_text('[tool.allos]\nmodel = "a/inside"\n')
    inside = gather(top / "notebooks" / "deep", home)

    assert outside == {}
    assert inside == {"model": "a/inside"}


@pytest.mark.parametrize("text", ["model = ", "model = 3\n", "temperature = 'hot'\n"])
def test_a_bad_file_is_one_warning(home: Path, tmp_path: Path, text: str) -> None:
    """A file or value that cannot be read is left out, and the rest counts."""
    (home / "config.toml").write_text(text)
    with pytest.warns(UserWarning, match=r"config\.toml"):
        found = gather(tmp_path, home, ALLOS_MODEL="a/b")

    assert found == {"model": "a/b"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("modell", "x", "Did you mean 'model'"),
        ("max_tokens", 0, "integer >= 1"),
        ("max_tokens", 1.5, "integer >= 1"),
        ("temperature", "hot", "a number >= 0"),
        ("temperature", True, "a number >= 0"),
        ("replay_mode", "maybe", "one of replay, record, strict, off"),
        ("refresh_hz", 1000, "from 0.5 to 30"),
        ("model", "  ", "must be a non-empty string"),
    ],
)
def test_configure_refuses_with_one_line(name: str, value: object, expected: str) -> None:
    """A setting that does not exist or cannot be is refused, and nothing changes."""
    before = current_session().settings.values()
    with pytest.raises(ConfigurationError, match=expected):
        allos.configure(**{name: value})

    assert current_session().settings.values() == before


def test_configured_parameters_are_defaults() -> None:
    """Temperature and max_tokens that are set hold for providers made by name, unless overridden."""
    allos.configure(temperature=0.5, max_tokens=7)
    provider = current_session().provider_for("ollama/m")
    allos.configure(temperature=None, max_tokens=None)

    assert provider._params == {"temperature": 0.5, "max_tokens": 7}
    assert current_session().provider_for("ollama/m")._params == {}
