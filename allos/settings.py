"""What a person has set: the model that answers, its parameters, log, replay, budget, painting.

Three places, the nearer one counts: what the code has set (`configure`, ``%config AllosMagics``),
environment variables, the project's file (``allos.toml``, or ``[tool.allos]`` of ``pyproject.toml``, in
the working folder or above it), the person's own file. A project's file comes from whoever wrote the
project, so it may set model, display and a lower budget, and nothing else.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from allos.errors import ConfigurationError, did_you_mean

REPLAY_MODES = ("replay", "record", "strict", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be set."""

    name: str
    help: str
    read: Callable[[Any], Any]
    """From what a file or a variable holds to the value; a ValueError says what it should be."""
    env: str | None = None
    """Environment variable."""
    project: bool = False
    """Whether a project's file may set it."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < float("inf"):
        raise ValueError("a number from 0")
    return number


def _rate(value: Any) -> float:
    number = _number(value)
    if not 0.5 <= number <= 30:
        raise ValueError("a number from 0.5 to 30")
    return number


def _count(value: Any) -> int:
    number = _number(value)
    if number < 1 or number != int(number):
        raise ValueError("a whole number from 1")
    return int(number)


def _mode(value: Any) -> str:
    if value not in REPLAY_MODES:
        raise ValueError(f"one of {', '.join(REPLAY_MODES)}")
    return str(value)


_ALL = (
    Setting(
        name="model",
        help="Model of cells and calls that name none, as provider/model.",
        read=_text,
        env="ALLOS_MODEL",
        project=True,
    ),
    Setting(
        name="temperature",
        help="Temperature of cells and calls that name none.",
        read=_number,
        project=True,
    ),
    Setting(
        name="max_tokens",
        help="Most tokens to write, for cells and calls that do not say.",
        read=_count,
        project=True,
    ),
    Setting(name="log", help="File of the log, or off.", read=_text, env="ALLOS_LOG"),
    Setting(
        name="replay",
        help="File of recorded answers, beside the notebook.",
        read=_text,
        env="ALLOS_REPLAY",
    ),
    Setting(
        name="replay_mode",
        help="replay (ask on a miss), record (always ask), strict (fail on a miss) or off.",
        read=_mode,
        env="ALLOS_REPLAY_MODE",
    ),
    Setting(
        name="budget_usd",
        help="US dollars that this process may spend; calls that could pass it are not sent.",
        read=_number,
        env="ALLOS_BUDGET_USD",
        project=True,
    ),
    Setting(
        name="refresh_hz",
        help="How often a second a streaming answer is painted, at most.",
        read=_rate,
        project=True,
    ),
)
SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _ALL}
"""Everything that can be set, by name."""


class Value(NamedTuple):
    """A setting's value, and who set it."""

    value: Any
    source: str


def checked(name: str, value: Any) -> Any:
    """Value of a setting, once it is known to make sense.

    Raises
    ------
    ConfigurationError
        There is no such setting, or it cannot have that value.

    Examples
    --------
    >>> checked("max_tokens", "200")
    200
    """
    if name not in SETTINGS:
        raise ConfigurationError(
            f"There is no setting {name!r}.{did_you_mean(name, SETTINGS)} "
            f"The settings are {', '.join(SETTINGS)}."
        )
    try:
        return SETTINGS[name].read(value)
    except ValueError as exc:
        raise ConfigurationError(f"{name} must be {exc}, not {value!r}.") from None


def gather(overrides: Mapping[str, Any], env: Mapping[str, str], folder: Path) -> dict[str, Value]:
    """Every setting that somebody has set.

    Parameters
    ----------
    overrides : mapping
        What the code has set.
    env : mapping
        Environment variables; ``ALLOS_CONFIG`` names the person's file, or is ``off``.
    folder : Path
        Where to look for the project's file.

    Notes
    -----
    A file or variable that cannot be used is one warning, and the rest counts.
    """
    found: dict[str, Value] = {}
    own = _own_file(env)
    if own is not None:
        found.update(_from_file(own, _read(own), project=False))
    for path, table in _project_files(folder, env):
        of_project = _from_file(path, table, project=True)
        if "budget_usd" in of_project and "budget_usd" in found:
            lower = min(found["budget_usd"], of_project["budget_usd"])
            of_project["budget_usd"] = lower
        found.update(of_project)
    for setting in _ALL:
        text = env.get(setting.env or "", "").strip()
        if text:
            found.update(_usable({setting.name: text}, setting.env or "", project=False))
    found.update({name: Value(value, "this process") for name, value in overrides.items()})
    return found


def _usable(given: Mapping[str, Any], source: str, *, project: bool) -> dict[str, Value]:
    usable: dict[str, Value] = {}
    for name, value in given.items():
        if project and name in SETTINGS and not SETTINGS[name].project:
            allowed = ", ".join(setting.name for setting in _ALL if setting.project)
            _warn(f"{source}: a project's file cannot set {name!r}; it may set {allowed}.")
            continue
        try:
            usable[name] = Value(checked(name, value), source)
        except ConfigurationError as exc:
            _warn(f"{source}: {exc}")
    return usable


def _from_file(path: Path, table: Mapping[str, Any], *, project: bool) -> dict[str, Value]:
    return _usable(table, str(path), project=project)


def _own_file(env: Mapping[str, str]) -> Path | None:
    """The person's own file, whether it exists or not; None when it is switched off."""
    named = env.get("ALLOS_CONFIG", "").strip()
    if named:
        return None if named.lower() == "off" else Path(named).expanduser()
    return own_file()


def own_file() -> Path:
    """Where the person's own settings stand."""
    from platformdirs import user_config_path

    return user_config_path("allos", appauthor=False) / "config.toml"


def _project_files(
    folder: Path, env: Mapping[str, str]
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The project's file, in the folder or above it, as far as the repository or the home goes."""
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    for place in (folder, *folder.parents):
        if place == home or place == Path(place.anchor):
            return
        own = place / "allos.toml"
        if own.is_file():
            yield own, _read(own)
            return
        shared = place / "pyproject.toml"
        if shared.is_file():
            tool = _read(shared).get("tool")
            table = tool.get("allos") if isinstance(tool, Mapping) else None
            if isinstance(table, Mapping):
                yield shared, table
                return
        if (place / ".git").exists():
            return


def _read(path: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        _warn(f"{path} is not used: {exc}")
        return {}


class Settings:
    """The settings of a session: what the code has set, over environment and files."""

    def __init__(self) -> None:
        self._overrides: dict[str, Any] = {}
        self._gathered: dict[str, Value] | None = None

    def configure(self, **changes: Any) -> None:
        """Set things; None takes a setting back.

        Raises
        ------
        ConfigurationError
            There is no such setting, or it cannot have that value; nothing was changed.
        """
        usable = {
            name: None if value is None and name in SETTINGS else checked(name, value)
            for name, value in changes.items()
        }
        for name, value in usable.items():
            if value is None:
                self._overrides.pop(name, None)
            else:
                self._overrides[name] = value
        self._gathered = None

    def values(self) -> dict[str, Value]:
        """Everything that is set, by name, with who set it."""
        if self._gathered is None:
            self._gathered = gather(self._overrides, os.environ, _working_folder())
        return dict(self._gathered)

    def get(self, name: str) -> Any:
        """Value of one setting; None when nobody set it.

        Environment variables count as they are now, since notebooks set them late.
        """
        variable = SETTINGS[name].env
        if variable is not None and name not in self._overrides:
            text = os.environ.get(variable, "").strip()
            if text:
                return checked(name, text)
        known = self.values()
        return known[name].value if name in known else None


def _working_folder() -> Path:
    """The working folder; the root where it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.sep)


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=2)
