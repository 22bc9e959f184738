"""Settings: default model and parameters, log, replay, budget, refresh rate.

In order of precedence: values set in code (`configure`, ``%config AllosMagics``), environment variables,
the project's file (``allos.toml``, or ``[tool.allos]`` of ``pyproject.toml``, in the working directory or
above it), the user's file. A project's file may come from anyone, so it may only set model, display and
a lower budget.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from allos.database_url import DatabaseURL, sealed_url
from allos.errors import ConfigurationError, did_you_mean

REPLAY_MODES = ("replay", "record", "strict", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting."""

    name: str
    help: str
    parse: Callable[[Any], Any]
    """Converts a value of a file or variable; a ValueError says what is expected."""
    env: str | None = None
    """Environment variable."""
    project: bool = False
    """Whether a project's file may set it."""


def _parse_string(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a non-empty string")
    return value.strip()


def _parse_number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < float("inf"):
        raise ValueError("a number >= 0")
    return number


def _parse_rate(value: Any) -> float:
    number = _parse_number(value)
    if not 0.5 <= number <= 30:
        raise ValueError("a number from 0.5 to 30")
    return number


def _parse_count(value: Any) -> int:
    number = _parse_number(value)
    if number < 1 or number != int(number):
        raise ValueError("an integer >= 1")
    return int(number)


def _parse_mode(value: Any) -> str:
    if value not in REPLAY_MODES:
        raise ValueError(f"one of {', '.join(REPLAY_MODES)}")
    return str(value)


def _parse_log(value: Any) -> str | DatabaseURL:
    sealed = sealed_url(value)
    return sealed if isinstance(sealed, DatabaseURL) else _parse_string(sealed)


_ALL = (
    Setting(
        name="model",
        help="Default model of cells and calls, as provider/model.",
        parse=_parse_string,
        env="ALLOS_MODEL",
        project=True,
    ),
    Setting(
        name="temperature",
        help="Default temperature of cells and calls.",
        parse=_parse_number,
        project=True,
    ),
    Setting(
        name="max_tokens",
        help="Default max_tokens of cells and calls.",
        parse=_parse_count,
        project=True,
    ),
    Setting(
        name="log",
        help="File of the log, URL of a team's PostgreSQL, or off.",
        parse=_parse_log,
        env="ALLOS_LOG",
    ),
    Setting(
        name="raw_days",
        help="Days that the log keeps requests and replies as they were sent; 0 keeps none.",
        parse=_parse_number,
        env="ALLOS_RAW_DAYS",
    ),
    Setting(
        name="replay",
        help="File of recorded answers, beside the notebook.",
        parse=_parse_string,
        env="ALLOS_REPLAY",
    ),
    Setting(
        name="replay_mode",
        help="replay (send on a miss), record (always send), strict (fail on a miss) or off.",
        parse=_parse_mode,
        env="ALLOS_REPLAY_MODE",
    ),
    Setting(
        name="budget_usd",
        help="US dollars that this process may spend; calls that could exceed it are not sent.",
        parse=_parse_number,
        env="ALLOS_BUDGET_USD",
        project=True,
    ),
    Setting(
        name="refresh_hz",
        help="Maximum updates per second of a streaming answer.",
        parse=_parse_rate,
        project=True,
    ),
)
SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _ALL}
"""All settings by name."""


class Value(NamedTuple):
    """The value of a setting and its source."""

    value: Any
    source: str


def checked(name: str, value: Any) -> Any:
    """Return the valid value of a setting.

    Raises
    ------
    ConfigurationError
        Unknown setting or invalid value.

    Examples
    --------
    >>> checked("max_tokens", "200")
    200
    """
    if name not in SETTINGS:
        raise ConfigurationError(
            f"Unknown setting {name!r}.{did_you_mean(name, SETTINGS)} "
            f"The settings are {', '.join(SETTINGS)}."
        )
    try:
        return SETTINGS[name].parse(value)
    except ValueError as exc:
        raise ConfigurationError(f"{name} must be {exc}, got {value!r}.") from None


def gather(overrides: Mapping[str, Any], env: Mapping[str, str], folder: Path) -> dict[str, Value]:
    """All settings that have a value.

    Parameters
    ----------
    overrides : mapping
        Values set in code.
    env : mapping
        Environment variables; ``ALLOS_CONFIG`` is the path of the user's file, or ``off``.
    folder : Path
        Directory where the search for the project's file starts.

    Notes
    -----
    An invalid file or variable causes a warning and is ignored.
    """
    found: dict[str, Value] = {}
    user = _user_file(env)
    if user is not None:
        found.update(_from_file(user, _read_toml(user), project=False))
    for path, table in _project_files(folder, env):
        of_project = _from_file(path, table, project=True)
        if "budget_usd" in of_project and "budget_usd" in found:
            lower = min(found["budget_usd"], of_project["budget_usd"])
            of_project["budget_usd"] = lower
        found.update(of_project)
    for setting in _ALL:
        text = env.get(setting.env or "", "").strip()
        if text:
            found.update(_valid_settings({setting.name: text}, setting.env or "", project=False))
    found.update({name: Value(value, "this process") for name, value in overrides.items()})
    return found


def _valid_settings(given: Mapping[str, Any], source: str, *, project: bool) -> dict[str, Value]:
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
    return _valid_settings(table, str(path), project=project)


def _user_file(env: Mapping[str, str]) -> Path | None:
    """The user's file, whether it exists or not; None if it is disabled."""
    path = env.get("ALLOS_CONFIG", "").strip()
    if path:
        return None if path.lower() == "off" else Path(path).expanduser()
    return user_file()


def user_file() -> Path:
    """Default path of the user's settings."""
    from platformdirs import user_config_path

    return user_config_path("allos", appauthor=False) / "config.toml"


def _project_files(
    folder: Path, env: Mapping[str, str]
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The project's file, in the directory or above it, up to the repository or home directory."""
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    for directory in (folder, *folder.parents):
        if directory == home or directory == Path(directory.anchor):
            return
        own = directory / "allos.toml"
        if own.is_file():
            yield own, _read_toml(own)
            return
        shared = directory / "pyproject.toml"
        if shared.is_file():
            tool = _read_toml(shared).get("tool")
            table = tool.get("allos") if isinstance(tool, Mapping) else None
            if isinstance(table, Mapping):
                yield shared, table
                return
        if (directory / ".git").exists():
            return


def _read_toml(path: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        _warn(f"{path} is ignored: {exc}")
        return {}


class Settings:
    """The settings of a session: values set in code, environment variables and files."""

    def __init__(self) -> None:
        self._overrides: dict[str, Any] = {}
        self._gathered: dict[str, Value] | None = None

    def configure(self, **changes: Any) -> None:
        """Change settings; None unsets one.

        Raises
        ------
        ConfigurationError
            Unknown setting or invalid value; nothing was changed.
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
        """All settings that have a value, by name, with their source."""
        if self._gathered is None:
            self._gathered = gather(self._overrides, os.environ, _working_folder())
        return dict(self._gathered)

    def get(self, name: str) -> Any:
        """Value of one setting; None if unset.

        Environment variables are read each time, since notebooks may set them late.
        """
        variable = SETTINGS[name].env
        if variable is not None and name not in self._overrides:
            text = os.environ.get(variable, "").strip()
            if text:
                return checked(name, text)
        known = self.values()
        return known[name].value if name in known else None


def _working_folder() -> Path:
    """The working directory; the root directory if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.sep)


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=2)
