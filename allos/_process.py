"""State of the process: its default session, and actions at fork and exit.

The only place with `atexit` and `os.register_at_fork`, so that their order does not depend on which
module was imported first.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Action = Callable[[], None]


class ExitStage:
    """When an exit action runs; earlier stages may still use what later ones close.

    Plain numbers: an enumeration would cost `import allos` a millisecond.
    """

    RUNS = 0
    """Cancel runs in the background."""
    SESSION = 1
    """Flush the log and the replay file. Children of multiprocessing also run this stage."""
    ENGINE = 2
    """Close connections and end the loop thread."""
    SERVERS = 3
    """Stop the servers of embedded models."""


# Registries of the process.
_exit_actions: dict[int, list[Action]] = {stage: [] for stage in range(4)}
_fork_actions: dict[str, list[Action]] = {"before": [], "parent": [], "child": []}


def on_exit(stage: int, action: Action) -> Action:
    """Register an exit action in a stage of `ExitStage`; returns a function to unregister it.

    An exception is reported on standard error, and the other actions still run.
    """
    _exit_actions[stage].append(action)

    def undo() -> None:
        if action in _exit_actions[stage]:
            _exit_actions[stage].remove(action)

    return undo


def on_fork(
    *,
    before: Action | None = None,
    after_in_parent: Action | None = None,
    after_in_child: Action | None = None,
) -> Action:
    """Register actions for every fork, as `os.register_at_fork`; returns a function to unregister them.

    `before` actions run newest first, the others oldest first.
    """
    given = {"before": before, "parent": after_in_parent, "child": after_in_child}
    for when, action in given.items():
        if action is not None:
            _fork_actions[when].append(action)

    def undo() -> None:
        for when, action in given.items():
            if action is not None and action in _fork_actions[when]:
                _fork_actions[when].remove(action)

    return undo


def _run(actions: list[Action]) -> None:
    for action in actions:
        try:
            action()
        except Exception as exc:  # noqa: BLE001 - one failing action must not stop the others
            sys.stderr.write(f"allos: {type(exc).__name__}: {exc}\n")


def _at_exit() -> None:
    for stage in sorted(_exit_actions):
        _run(list(_exit_actions[stage]))


def _at_exit_of_multiprocessing_child() -> None:
    _run(list(_exit_actions[ExitStage.SESSION]))


_follows_multiprocessing = False  # whether the hook for children of multiprocessing is registered


def _before_fork() -> None:
    # Children of multiprocessing end without atexit; its own finalizers run.
    global _follows_multiprocessing
    if not _follows_multiprocessing and "multiprocessing.util" in sys.modules:
        from multiprocessing import util

        _follows_multiprocessing = True
        util.register_after_fork(
            _at_exit_of_multiprocessing_child,
            lambda at_exit: util.Finalize(None, at_exit, exitpriority=0),
        )
    _run(_fork_actions["before"][::-1])


def _after_fork_in_child() -> None:
    _run(list(_fork_actions["child"]))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _run(list(_fork_actions["parent"])),
        after_in_child=_after_fork_in_child,
    )


# ---- the session -----------------------------------------------------------------------------

# State of the process: its default session, created when it is first used.
_defaults: dict[str, Any] = {}
_active_session: ContextVar[Any] = ContextVar("allos_session", default=None)


def current_session() -> Any:
    """Return the active session of this context, else the default one of the process."""
    active = _active_session.get()
    if active is not None:
        return active
    default = _defaults.get("session")
    if default is None:
        # The package has the factory, since modules below the session must not import it.
        created = sys.modules[__package__].make_default_session()
        # Two threads may both have created one; the first one is kept.
        default = _defaults.setdefault("session", created)
    return default


# Registry of the process.
_session_hooks: list[Callable[[Any], None]] = []


def on_session(hook: Callable[[Any], None]) -> Action:
    """Register a function to call with every new session; returns a function to unregister it.

    So the notebook extension can be loaded without creating a session, which imports all providers. It
    is called at once with the default session if that exists.
    """
    _session_hooks.append(hook)
    if (session := existing_session()) is not None:
        hook(session)

    def undo() -> None:
        if hook in _session_hooks:
            _session_hooks.remove(hook)

    return undo


def existing_session() -> Any:
    """Return the default session of the process; None if it was not created yet."""
    return _defaults.get("session")


def complete_session(session: Any) -> None:
    """Run the hooks of `on_session` on a new session."""
    for hook in _session_hooks:
        hook(session)


@contextmanager
def active_session(session: Any) -> Iterator[Any]:
    """Make a session the current one in a block."""
    token = _active_session.set(session)
    try:
        yield session
    finally:
        _active_session.reset(token)
