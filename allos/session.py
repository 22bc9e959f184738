"""The composition root: a session connects log, replay, budget, limits, keys and settings.

Nothing but wiring. A process has one session by default; `%load_ext allos`, `ask` and `compare`
open its log. `provider.chat()` alone does not, so it never writes to disk.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from allos import _process
from allos.database_url import sealed_url
from allos.engine import Interceptor
from allos.engine.adaptive_window import AdaptiveWindow
from allos.engine.limits import LimiterRegistry
from allos.errors import ConfigurationError, ReplayError
from allos.log.log import Log
from allos.providers import Provider, ProviderRegistry
from allos.providers.catalog import services
from allos.providers.pricing.budgets import Budgets
from allos.providers.pricing.prices import Prices
from allos.secret import Secret, seal_secrets
from allos.settings import Settings, checked

if TYPE_CHECKING:
    from allos.replaying.replay import Mode, Replay
    from allos.tools.tool_loop import Approver

EMBEDDED_MODEL = "local/smollm2"
"""Used when no model is given and none is configured."""


class Session:
    """State shared by the calls of a process, or of a ``with`` block.

    Sessions are independent: each has its own log, budget, limits, keys and settings.

    Attributes
    ----------
    settings : Settings
    log : Log
    budgets : Budgets
    limiters : LimiterRegistry
    windows : dict
        How many calls of a batch a service is sent at once, by service.
    keys : dict
        API keys set with `allos.set_key`, by account: the service, and the host unless it is its own.
    approvers : list of callable
        Called in order, on the caller's thread: whether a tool may run; None: no decision.
    always_allowed_tools : list of callable
        Functions that the approvers are not asked about any more.
    on_run_started : list of callable
        Called with every run that is not awaited, before its first call.
    on_progress : list of callable
        Called on the caller's thread while somebody waits for a run that has no board: with the run, see
        `allos.runs.waiting`.
    active_runs : set
        Running comparisons.
    playgrounds : dict
        Playgrounds by their cell and data, so that a cell that runs again goes on with what was typed.
    chats : dict
        Conversations by name.
    known_chats : WeakValueDictionary
        The same with those that somebody holds, although their first turn has failed.

    Examples
    --------
    ::

        from allos.session import Session

        with Session().active():
            allos.log.open("study.sqlite")
            allos.ask("Hi", model="local/smollm2")  # a row of that log only
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self.log = Log(
            configured_path=partial(self.settings.get, "log"),
            raw_days=partial(self.settings.get, "raw_days"),
        )
        self.budgets = Budgets(lambda: self.settings.get("budget_usd"))
        self.limiters = LimiterRegistry()
        self.windows: dict[str, AdaptiveWindow] = {}
        self.keys: dict[str, Secret] = {}
        self.approvers: list[Approver] = []
        self.always_allowed_tools: list[Callable[..., Any]] = []
        self.on_run_started: list[Callable[[Any], None]] = []
        self.on_progress: list[Callable[[Any], None]] = []
        self.active_runs: set[Any] = set()
        self.chats: dict[str, Any] = {}
        self.playgrounds: dict[tuple[str, str | None], Any] = {}
        self.known_chats: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._prices = Prices()
        self._replay: Replay | None = None
        self._configured_replay: str | None = None
        self._warned: dict[tuple[str, str], set[str]] = {}
        self._added: list[Interceptor] = []
        self.interceptors: tuple[Interceptor, ...] = ()
        """The interceptors of every call, outermost first: log, replay, budgets, prices."""
        self._compose()
        for undo in (
            _process.on_fork(
                before=_weakly(self._before_fork),
                after_in_parent=_weakly(self._after_fork_in_parent),
                after_in_child=_weakly(self._after_fork_in_child),
            ),
            _process.on_exit(_process.ExitStage.SESSION, _weakly(self._at_exit)),
        ):
            weakref.finalize(self, undo).atexit = False
        _process.complete_session(self)

    def _compose(self) -> None:
        replay = () if self._replay is None else (self._replay,)
        self.interceptors = (self.log, *self._added, *replay, self.budgets, self._prices)

    def add_interceptor(self, interceptor: Interceptor) -> None:
        """Add an interceptor of every call, inside the log: every call stays a row."""
        self._added.append(interceptor)
        self._compose()

    def remove_interceptor(self, interceptor: Interceptor) -> None:
        """Remove an interceptor that was added with `add_interceptor`."""
        self._added.remove(interceptor)
        self._compose()

    def active(self) -> AbstractContextManager[Session]:
        """Make this the current session in a ``with`` block, and in the calls started there."""
        return _process.active_session(self)

    # ---- log --------------------------------------------------------------------------------

    def open_log(self) -> None:
        """Open the log, unless ``ALLOS_LOG=off``; a log that cannot be opened never fails a call."""
        self.log.try_open()

    def open_log_on_first_call(self) -> None:
        """Open the log with the next call: without a call, no file is created."""
        self.log.open_on_first_call()

    # ---- replay -----------------------------------------------------------------------------

    @property
    def replay(self) -> Replay | None:
        """The open replay file."""
        return self._replay

    def open_replay(self, path: str | os.PathLike[str], mode: Mode) -> Replay:
        """Open a replay file, replacing the one that is open; a new run begins."""
        from allos.replaying.replay import Replay

        if self._replay is not None:
            self._replay.flush()  # it may be the same file
        opened = Replay(path, mode)  # if this fails, the current one stays open
        self.close_replay()
        self._replay = opened
        self._compose()
        return opened

    def close_replay(self) -> None:
        """Finish the open replay file."""
        closing, self._replay = self._replay, None
        self._compose()
        if closing is not None:
            closing.close()

    def open_configured_replay(self) -> None:
        """Open the file of the setting `replay` (``ALLOS_REPLAY``), if that has changed."""
        path = self.settings.get("replay")
        if path is None or path == self._configured_replay:
            return
        # A file that was opened from code stays open.
        if self._replay is None or self._configured_replay is not None:
            from allos.replaying.replay import chosen_mode

            mode = chosen_mode(path, self.settings.get("replay_mode") or "replay")
            if mode == "off":
                self.close_replay()
            else:
                self.open_replay(path, mode)
        self._configured_replay = path

    # ---- models -----------------------------------------------------------------------------

    def model_name(self, model: str | None) -> str:
        """Return the given model, else the configured one, else the embedded one."""
        return model or self.settings.get("model") or EMBEDDED_MODEL

    def provider_for(self, model: str | Provider | None, **options: Any) -> Provider:
        """Return the provider of a model name.

        Parameters
        ----------
        model : str, Provider or None
            ``provider/model``, split at the first slash; a provider passes through; None is the
            default model.
        **options
            Fields of `ProviderOptions` besides the model (`base_url`, `api_key`, `timeout_s` ...).

        Raises
        ------
        ConfigurationError
            Unknown provider, no model, missing key.
        """
        self.open_configured_replay()
        if isinstance(model, Provider):
            return model
        if not isinstance(model, str | None):
            raise ConfigurationError(
                "model must be a 'provider/model' name or a provider object, got "
                f"{model.__name__ if isinstance(model, type) else type(model).__name__}."
            )
        service, model_id = services.resolve_model_name(self.model_name(model))
        if model_id is None and service.embedded:
            model_id = EMBEDDED_MODEL.partition("/")[2]
        defaults = {known: self.settings.get(known) for known in ("temperature", "max_tokens")}
        provider = ProviderRegistry.get_provider(
            service.name, model=model_id, **defaults, **options
        )
        # Providers made for one call share their warnings: each is shown once.
        provider.warned = self._warned.setdefault((provider.name, provider.model), set())
        return provider

    # ---- the process ------------------------------------------------------------------------

    def _before_fork(self) -> None:
        if self._replay is not None:
            self._replay.before_fork()

    def _after_fork_in_parent(self) -> None:
        if self._replay is not None:
            self._replay.after_fork_in_parent()

    def _after_fork_in_child(self) -> None:
        self.budgets.after_fork_in_child()
        if self._replay is not None:
            self._replay.after_fork_in_child()

    def _at_exit(self) -> None:
        try:
            self.close_replay()
        except ReplayError as exc:
            sys.stderr.write(f"allos: {exc}\n")


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls a method for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := reference()) is not None:
            alive()

    return call


def current_session() -> Session:
    """Return the active session: that of the ``with`` block, or the default one of the process.

    Examples
    --------
    >>> with Session().active() as session:
    ...     current_session() is session
    True
    """
    session: Session = _process.current_session()
    return session


def check_setting(name: str, value: Any) -> Any:
    """Return the valid value of a setting; of `model` also the service must be known.

    Raises
    ------
    ConfigurationError
        Unknown setting, service or model, or invalid value.

    Examples
    --------
    >>> check_setting("model", "local/smollm2")
    'local/smollm2'
    """
    if value is None:
        return None
    value = checked(name, value)
    if name == "model":
        service, model = services.resolve_model_name(value)
        if model is None and not service.embedded:
            raise ConfigurationError(
                f"model must name a model of {service.name!r}: {service.name}/MODEL."
            )
    return value


def configure(**changes: Any) -> dict[str, Any]:
    """Change settings for this process: ``allos.configure(model="groq/llama-3.1-8b-instant")``.

    Parameters
    ----------
    **changes
        Default `model`, `temperature` and `max_tokens` of calls, `log`, `replay`, `replay_mode`,
        `budget_usd`, `refresh_hz`. None unsets a setting.

    Returns
    -------
    dict
        All settings that have a value, by name.

    Raises
    ------
    ConfigurationError
        Unknown setting or invalid value; nothing was changed.

    Examples
    --------
    >>> configure(temperature=0)["temperature"]
    0.0
    >>> "temperature" in configure(temperature=None)
    False
    """
    seal_secrets(changes)
    changes = {name: sealed_url(value) for name, value in changes.items()}
    for name, value in changes.items():
        check_setting(name, value)
    settings = current_session().settings
    settings.configure(**changes)
    return {name: known.value for name, known in settings.values().items()}


def replay(path: str | os.PathLike[str] | None = None, mode: Mode = "replay") -> Replay:
    """Replay recorded answers instead of sending requests, or record them; a new run begins.

    Parameters
    ----------
    path : str, path-like or None
        The file, best beside the notebook. By default the open file is returned.
    mode : str
        ``"replay"`` replays what is recorded, and sends and records other requests; ``"record"``
        sends and records all requests; ``"strict"`` replays what is recorded and fails otherwise,
        for CI; ``"off"`` closes the file. Where a file is given, ``ALLOS_REPLAY_MODE`` in the
        environment takes precedence.

    Returns
    -------
    Replay
        The open file, with its counts `replayed`, `requested` and `unused`; `prune` removes unused
        answers.

    Raises
    ------
    ReplayError
        The file cannot be read, is not a replay file, or is missing in ``"strict"``.
    ConfigurationError
        An unknown mode.

    Examples
    --------
    ::

        allos.replay("study.replay.jsonl")
        allos.ask("Name three primes.", model="groq/openai/gpt-oss-20b")  # sent once, ever
    """
    from allos.replaying.replay import Replay, chosen_mode

    session = current_session()
    chosen = chosen_mode(path, mode)
    if path is None and chosen not in ("replay", "off"):
        raise ConfigurationError(
            f"mode={mode!r} needs the file: allos.replay('study.replay.jsonl', mode={mode!r})."
        )
    if chosen == "off":
        session.close_replay()
    elif path is not None:
        return session.open_replay(path, chosen)
    return session.replay or Replay(None, "off")
