"""Sub-commands of ``%allos``: what is not a question."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError


def run(name: str, words: tuple[str, ...]) -> Any:
    """Run a sub-command and return what the cell shows."""
    if name == "compare":
        raise ConfigurationError(
            "A comparison is a cell: %%allos compare PROVIDER/MODEL PROVIDER/MODEL on its first line, "
            "the prompt below. In Python it is allos.compare. Nothing was sent."
        )
    if words and name in _WITHOUT_WORDS:
        raise ConfigurationError(f"%allos {name} stands alone on its line, without {words[0]!r}.")
    return _COMMANDS[name](words)


def names() -> list[str]:
    """All sub-commands."""
    return list(_COMMANDS)


def _providers(words: tuple[str, ...]) -> Any:
    """Every service: address, key variable and whether it is set, API."""
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
        for service in services.every()
    ]
    frame = pd.DataFrame(rows)
    texts = dict.fromkeys(frame.columns.drop("key_set"), text_dtype())
    return frame.astype({"key_set": "boolean", **texts}).set_index("provider")


def _models(words: tuple[str, ...]) -> Any:
    """List the models of one service, as it tells. Makes a request."""
    from allos.local import DEFAULT_MODEL
    from allos.providers import ProviderRegistry
    from allos.providers.catalog import services

    if len(words) != 1:
        raise ConfigurationError("%allos models needs one provider: %allos models groq.")
    any_model = DEFAULT_MODEL if services.find(words[0]).embedded else "any"
    frame = ProviderRegistry.get_provider(words[0], model=any_model).list_models().frame
    frame = frame.drop(columns="provider")
    # What no model of the service tells only takes room.
    return frame.dropna(axis="columns", how="all") if len(frame) else frame


def _log(words: tuple[str, ...]) -> Any:
    """Where the log is."""
    from allos import log
    from allos.session import current_session

    current_session().open_log()  # before the first call it is not open yet
    where = log.path()
    return str(where) if where is not None else "The log is off."


def _last(words: tuple[str, ...]) -> Any:
    """Show the newest row of the log, what is known of it."""
    from allos.log.query import responses

    rows = responses(limit=1)
    if not len(rows):
        return "The log is empty: nothing has been asked yet."
    row = rows.T.dropna()
    return row.set_axis(["last"], axis="columns") if row.shape[1] == 1 else row


def _stop(words: tuple[str, ...]) -> Any:
    """Stop every comparison under way; what had arrived is kept."""
    from allos.runs.active_runs import stop_all

    count = stop_all()
    return f"Stopped {count} comparison{'' if count == 1 else 's'}." if count else "Nothing runs."


def _config(words: tuple[str, ...]) -> Any:
    """Settings in force, and who set them."""
    import pandas as pd

    from allos.session import current_session
    from allos.settings import SETTINGS, own_file

    known = current_session().settings.values()
    rows = [
        {
            "setting": name,
            "value": str(current_session().settings.get(name))
            if current_session().settings.get(name) is not None
            else None,
            "set_by": known[name].source if name in known else None,
            "help": each.help,
        }
        for name, each in SETTINGS.items()
    ]
    frame = pd.DataFrame(rows).astype(text_dtype()).set_index("setting")
    frame.attrs["file"] = str(own_file())
    return frame


def _chats(words: tuple[str, ...]) -> Any:
    """Conversations: list, reset, branch, show."""
    from allos.runs import chats

    match words:
        case ():
            return chats.chats()
        case ("show", name):
            sys.stdout.write(f"{chats.find(name)}\n")
            return None
        case ("reset", name):
            chats.find(name).reset()
            return f"The conversation {name!r} starts anew; its rows stay in the log."
        case ("branch", name, new):
            made = chats.find(name).branch(new)
            count = len(made.turns)
            return f"{new!r} starts with the {count} turn{'' if count == 1 else 's'} of {name!r}."
    raise ConfigurationError(
        "%allos chats lists them; %allos chats show NAME, reset NAME, branch NAME NEW."
    )


def _replay(words: tuple[str, ...]) -> Any:
    """Open a replay file (FILE, then a mode), close it (off), prune it, or show its state."""
    from allos.session import replay

    *rest, last = words or ("",)
    if not last:
        return str(replay())
    if words == ("off",):
        replay(mode="off")
    elif words == ("prune",):
        count = replay().prune()
        return f"Removed {count} recorded answer{'' if count == 1 else 's'}."
    elif words in (("replay",), ("record",), ("strict",)):
        raise ConfigurationError(
            f"%allos replay {last} needs a file before the mode: %allos replay FILE.jsonl {last}."
        )
    elif len(words) == 1:
        replay(last)
    elif len(rest) == 1:
        replay(rest[0], last)  # type: ignore[arg-type]  # checked there
    else:
        raise ConfigurationError(
            "%allos replay takes a file and a mode: %allos replay FILE strict."
        )
    return None


def _key(words: tuple[str, ...]) -> Any:
    """Set, forget or list keys."""
    from allos.notebook.commands.key_command import run

    return run(words)


def _doctor(words: tuple[str, ...]) -> Any:
    """What is set up, what is not, and how to mend it."""
    from allos.notebook.commands.doctor_command import run

    return run(words)


def _help(words: tuple[str, ...]) -> Any:
    """Everything that the magic takes."""
    import inspect

    from allos.notebook.magics import AllosMagics

    sys.stdout.write(f"{inspect.getdoc(AllosMagics.allos)}\n")


_WITHOUT_WORDS = frozenset({"providers", "log", "last", "stop", "config"})

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
