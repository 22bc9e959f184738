"""Sub-commands of ``%allos``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError
from allos.notebook.magic_help import HELP


def run(name: str, args: tuple[str, ...]) -> Any:
    """Run a sub-command and return the value of the cell."""
    if name == "compare":
        raise ConfigurationError(
            "compare is a cell magic: %%allos compare PROVIDER/MODEL PROVIDER/MODEL, and the prompt in "
            "the lines below. In Python, use allos.compare. Nothing was sent."
        )
    if args and name in _WITHOUT_ARGUMENTS:
        raise ConfigurationError(f"%allos {name} takes no arguments, got {args[0]!r}.")
    return _COMMANDS[name](args)


def names() -> list[str]:
    """All sub-commands."""
    return list(_COMMANDS)


def _providers(args: tuple[str, ...]) -> Any:
    """All services: base URL, key variable and whether it is set, API."""
    import pandas as pd

    from allos.providers.auth import key_store
    from allos.providers.catalog import services

    services.load_installed()
    rows = [
        {
            "provider": service.name,
            "key": " or ".join(service.key_env) or None,
            "key_set": key_store.is_set(service),
            "api": service.api,
            "base_url": service.base_url or None,
            "note": service.note or None,
        }
        for service in services.all_services()
    ]
    frame = pd.DataFrame(rows)
    texts = dict.fromkeys(frame.columns.drop("key_set"), text_dtype())
    return frame.astype({"key_set": "boolean", **texts}).set_index("provider")


def _models(args: tuple[str, ...]) -> Any:
    """Models of one service, from its models endpoint. Makes a request."""
    from allos.local import DEFAULT_MODEL
    from allos.providers import ProviderRegistry
    from allos.providers.catalog import services

    if len(args) != 1:
        raise ConfigurationError("%allos models needs one provider: %allos models groq.")
    any_model = DEFAULT_MODEL if services.find(args[0]).embedded else "any"
    frame = ProviderRegistry.get_provider(args[0], model=any_model).list_models().frame
    frame = frame.drop(columns="provider")
    # Columns that this service does not report are dropped.
    return frame.dropna(axis="columns", how="all") if len(frame) else frame


def _log(args: tuple[str, ...]) -> Any:
    """Path of the log."""
    from allos import log
    from allos.session import current_session

    current_session().open_log()  # before the first call it is not open yet
    path = log.path()
    return str(path) if path is not None else "The log is off."


def _last(args: tuple[str, ...]) -> Any:
    """Newest row of the log, without its null values."""
    from allos.log.query import responses

    rows = responses(limit=1)
    if not len(rows):
        return "The log is empty."
    row = rows.T.dropna()
    return row.set_axis(["last"], axis="columns") if row.shape[1] == 1 else row


def _stop(args: tuple[str, ...]) -> Any:
    """Stop all running comparisons; partial answers are kept."""
    from allos.runs.active_runs import stop_all

    count = stop_all()
    if not count:
        return "No comparison is running."
    return f"Stopped {count} comparison{'' if count == 1 else 's'}."


def _config(args: tuple[str, ...]) -> Any:
    """Settings, and where each is set."""
    import pandas as pd

    from allos.session import current_session
    from allos.settings import SETTINGS, user_file

    settings = current_session().settings
    values = settings.values()
    rows = [
        {
            "setting": name,
            "value": str(value) if (value := settings.get(name)) is not None else None,
            "set_by": values[name].source if name in values else None,
            "help": setting.help,
        }
        for name, setting in SETTINGS.items()
    ]
    frame = pd.DataFrame(rows).astype(text_dtype()).set_index("setting")
    frame.attrs["file"] = str(user_file())
    return frame


def _chats(args: tuple[str, ...]) -> Any:
    """Conversations: list, reset, branch, show."""
    from allos.runs import chats

    match args:
        case ():
            return chats.chats()
        case ("show", name):
            sys.stdout.write(f"{chats.find(name)}\n")
            return None
        case ("reset", name):
            chats.find(name).reset()
            return f"The conversation {name!r} was reset; its rows stay in the log."
        case ("branch", name, new):
            count = len(chats.find(name).branch(new).turns)
            return f"{new!r} starts with the {count} turn{'' if count == 1 else 's'} of {name!r}."
    raise ConfigurationError(
        "%allos chats takes no arguments, or show NAME, reset NAME or branch NAME NEW."
    )


def _replay(args: tuple[str, ...]) -> Any:
    """Open a replay file (FILE, then a mode), close it (off), prune it, or show its state."""
    from allos.session import replay

    *rest, last = args or ("",)
    if not last:
        return str(replay())
    if args == ("off",):
        replay(mode="off")
    elif args == ("prune",):
        count = replay().prune()
        return f"Removed {count} recorded answer{'' if count == 1 else 's'}."
    elif args in (("replay",), ("record",), ("strict",)):
        raise ConfigurationError(
            f"%allos replay {last} needs a file before the mode: %allos replay FILE.jsonl {last}."
        )
    elif len(args) == 1:
        replay(last)
    elif len(rest) == 1:
        replay(rest[0], last)  # type: ignore[arg-type]  # checked there
    else:
        raise ConfigurationError(
            "%allos replay takes a file and a mode, such as %allos replay FILE.jsonl strict."
        )
    return None


def _key(args: tuple[str, ...]) -> Any:
    """Set, forget or list keys."""
    from allos.notebook.commands.key_command import run

    return run(args)


def _doctor(args: tuple[str, ...]) -> Any:
    """What is set up, what is not, and how to fix it."""
    from allos.notebook.commands.doctor_command import run

    return run(args)


def _help(args: tuple[str, ...]) -> Any:
    """Flags and sub-commands."""
    sys.stdout.write(HELP)


_WITHOUT_ARGUMENTS = frozenset({"providers", "log", "last", "stop", "config"})

_COMMANDS: dict[str, Callable[[tuple[str, ...]], Any]] = {
    "providers": _providers,
    "models": _models,
    "log": _log,
    "last": _last,
    "chats": _chats,
    "config": _config,
    "replay": _replay,
    "stop": _stop,
    "key": _key,
    "doctor": _doctor,
    "help": _help,
}
