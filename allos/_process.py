"""What belongs to the process: its default session, and what happens when it forks or ends.

The one place with `atexit` and `os.register_at_fork`, so that the order is written down and not a
matter of which module was imported first.
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
    """When an exit action runs; earlier stages may still need what later ones close.

    Plain numbers: an enumeration would cost `import allos` a millisecond.
    """

    RUNS = 0
    """Cancel runs that nobody can wait for any more."""
    SESSION = 1
    """Write what is waiting: log, replay file. Children of multiprocessing run this stage as well."""
    ENGINE = 2
    """Close connections and end the loop thread."""
    SERVERS = 3
    """End the embedded model's server."""


_exit_actions: dict[int, list[Action]] = {stage: [] for stage in range(4)}
_fork_actions: dict[str, list[Action]] = {"before": [], "parent": [], "child": []}


def on_exit(stage: int, action: Action) -> Action:
    """Run an action when the process ends, in a stage of `ExitStage`; returns what takes it back.

    An action that raises is reported on standard error, and the others run all the same.
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
    """Run actions around every fork, as `os.register_at_fork`; returns what takes them back.

    `before` runs newest first, the others oldest first.
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


_follows_multiprocessing = False


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

# Of the process: its default session, once something has needed one.
_defaults: dict[str, Any] = {}
_active_session: ContextVar[Any] = ContextVar("allos_session", default=None)


def current_session() -> Any:
    """Return the session that is active in this context, else the process's default one."""
    active = _active_session.get()
    if active is not None:
        return active
    default = _defaults.get("session")
    if default is None:
        # The package itself says how a session is made, since nothing below the session may know it.
        made = sys.modules[__package__].make_default_session()
        # Two threads may both have made one; whoever is first here decides for all.
        default = _defaults.setdefault("session", made)
    return default


_session_hooks: list[Callable[[Any], None]] = []


def on_session(hook: Callable[[Any], None]) -> Action:
    """Let a function complete every session, once it is made; returns what takes it back.

    So the notebook can listen to sessions without making one: that would import every provider. The
    default session is completed at once where it exists.
    """
    _session_hooks.append(hook)
    if (session := existing_session()) is not None:
        hook(session)

    def undo() -> None:
        if hook in _session_hooks:
            _session_hooks.remove(hook)

    return undo


def existing_session() -> Any:
    """Return the process's default session, None where nothing has needed one yet."""
    return _defaults.get("session")


def complete_session(session: Any) -> None:
    """Run the hooks of `on_session` on a new session."""
    for hook in _session_hooks:
        hook(session)


@contextmanager
def active_session(session: Any) -> Iterator[Any]:
    """Run a block in which `current_session` is another session."""
    token = _active_session.set(session)
    try:
        yield session
    finally:
        _active_session.reset(token)
