"""The one place of a process where the rooms are connected: which log, which replay, which default model.

Wiring and nothing else. `%load_ext allos`, `ask` and `compare` come through here; a bare
`provider.chat()` does not, so it never writes to disk uninvited.
"""

from __future__ import annotations

import atexit
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import seams
from allos import settings as _settings
from allos.errors import ConfigurationError, LogError
from allos.providers import Provider, ProviderRegistry
from allos.providers.catalog import services as _services
from allos.providers.pricing import budgets as _budget

if TYPE_CHECKING:
    from allos.replaying.replay import Mode, Replay

EMBEDDED_MODEL = "local/smollm2"
"""What answers when no model is named and none is configured."""

_told: dict[str, Any] = {}
"""Settings that this process was told, see `configure`."""

_gathered: dict[str, _settings.Value] | None = None

_warned: dict[tuple[str, str], set[str]] = {}
_log_failed = False
_replay: Replay | None = None
_replay_set: str | None = None


def _budget_usd() -> float | None:
    amount: float | None = setting("budget_usd")
    return amount


_budget.configured = _budget_usd


def configure(**changes: Any) -> dict[str, Any]:
    """Set things for this process: ``allos.configure(model="groq/llama-3.1-8b-instant")``.

    Parameters
    ----------
    **changes
        `model`, `temperature` and `max_tokens` of calls that name none, `log`, `replay`,
        `replay_mode`, `budget_usd`, `refresh_hz`. None takes a setting back.

    Returns
    -------
    dict
        Everything that is set now, by name.

    Raises
    ------
    ConfigurationError
        There is no such setting, or it cannot have that value; nothing was changed.

    Examples
    --------
    >>> configure(temperature=0)["temperature"]
    0.0
    >>> "temperature" in configure(temperature=None)
    False
    """
    global _gathered
    usable = {
        name: None
        if value is None and name in _settings.SETTINGS
        else _settings.checked(name, value)
        for name, value in changes.items()
    }
    for name, value in usable.items():
        if value is None:
            _told.pop(name, None)
        else:
            _told[name] = value
    _gathered = None
    return {name: known.value for name, known in settings().items()}


def settings() -> dict[str, _settings.Value]:
    """Everything that is set, by name, with who set it."""
    global _gathered
    if _gathered is None:
        _gathered = _settings.gather(_told, os.environ, _folder())
    return dict(_gathered)


def _folder() -> Path:
    """The working folder; the root where it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.sep)


def setting(name: str) -> Any:
    """Value of one setting; None when nobody set it.

    Environment variables count as they are now, since notebooks set them late.
    """
    variable = _settings.SETTINGS[name].env
    if variable is not None and name not in _told:
        text = os.environ.get(variable, "").strip()
        if text:
            return _settings.checked(name, text)
    known = settings()
    return known[name].value if name in known else None


def open_log() -> None:
    """Open the log, unless ``ALLOS_LOG=off``; a log that cannot be opened never stops a call."""
    global _log_failed
    from allos import log

    if log.is_open() or _log_failed:
        return
    try:
        log.open(setting("log"))
    except LogError as exc:
        _log_failed = True
        warnings.warn(f"Answers are not logged: {exc}", UserWarning, stacklevel=3)


def replay(path: str | os.PathLike[str] | None = None, mode: Mode = "replay") -> Replay:
    """Serve recorded answers instead of asking, or record them; a new run begins.

    Parameters
    ----------
    path : str, path-like or None
        The file, best beside the notebook. None: what is open stays, and is returned.
    mode : str
        ``"replay"`` serves what is recorded, and asks for and records what is not; ``"record"`` asks
        for everything and records it; ``"strict"`` serves what is recorded and fails otherwise, for
        CI; ``"off"`` closes the file. Where a file is named, ``ALLOS_REPLAY_MODE`` in the
        environment goes before it.

    Returns
    -------
    Replay
        The open file: how many answers it `served`, how many were `asked` and are `unused`; `prune`
        removes those.

    Raises
    ------
    ReplayError
        The file cannot be read, is no replay file, or is missing in ``"strict"``.
    ConfigurationError
        An unknown mode.

    Examples
    --------
    ::

        allos.replay("study.replay.jsonl")
        allos.ask("Name three primes.", model="groq/openai/gpt-oss-20b")  # asked once, ever
    """
    global _replay
    from allos.replaying.replay import Replay, chosen_mode

    chosen = chosen_mode(path, mode)
    if path is None and chosen not in ("replay", "off"):
        raise ConfigurationError(
            f"mode={mode!r} needs the file: allos.replay('study.replay.jsonl', mode={mode!r})."
        )
    if path is None and chosen != "off":
        return _replay if _replay is not None else Replay(None, "off")
    if chosen == "off":
        path = None
    if _replay is not None:
        _replay.flush()  # it may be the same file
    opened = Replay(path, chosen)  # one that fails leaves the open one in its place
    _close_replay()
    if chosen == "off":
        return opened
    _replay = opened
    seams.sources.append(opened.source)
    seams.observers.append(opened.observe)
    seams.answers_at_hand = opened.serves
    return opened


def open_replay() -> None:
    """Open the file that the setting `replay` names (``ALLOS_REPLAY``), when it is new."""
    global _replay_set
    named = setting("replay")
    if named is None or named == _replay_set:
        return
    if _replay is None or _replay_set is not None:  # a file that the code has opened stays
        replay(named, setting("replay_mode") or "replay")
    _replay_set = named


def _close_replay() -> None:
    global _replay
    closing, _replay = _replay, None
    if closing is None:
        return
    seams.answers_at_hand = False
    for listed, own in ((seams.sources, closing.source), (seams.observers, closing.observe)):
        if own in listed:
            listed.remove(own)  # type: ignore[arg-type]  # each list holds its own kind
    closing.close()


@atexit.register
def _close_replay_at_exit() -> None:
    from allos.errors import ReplayError

    try:
        _close_replay()
    except ReplayError as exc:
        sys.stderr.write(f"allos: {exc}\n")


def model_name(model: str | None) -> str:
    """Return the model to ask: the one named, the configured one, the embedded one."""
    return model or setting("model") or EMBEDDED_MODEL


def provider_for(model: str | Provider | None, **constructor: Any) -> Provider:
    """Return the provider of a model name.

    Parameters
    ----------
    model : str, Provider or None
        ``provider/model``, split at the first slash; a provider passes through; None is the
        default model.
    **constructor
        What `Provider` takes besides the model (`base_url`, `api_key`, `timeout_s` ...).

    Raises
    ------
    ConfigurationError
        Unknown provider, no model, missing key.
    """
    open_replay()
    if isinstance(model, Provider):
        return model
    if not isinstance(model, str | None):
        raise ConfigurationError(
            "model takes a 'provider/model' name or a provider object, not "
            f"{model.__name__ if isinstance(model, type) else type(model).__name__}."
        )
    service, of_service = _services.located(model_name(model))
    name = service.name
    if of_service is None and service.embedded:
        of_service = EMBEDDED_MODEL.partition("/")[2]
    defaults = {known: setting(known) for known in ("temperature", "max_tokens")}
    provider = ProviderRegistry.get_provider(name, model=of_service, **defaults, **constructor)
    # Providers made for one call share what was already warned about.
    provider.warned = _warned.setdefault((provider.name, provider.model), set())
    return provider
