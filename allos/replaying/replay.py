"""An open replay file as an interceptor: answers requests that are recorded, records the others."""

from __future__ import annotations

import json
import os
import threading
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from allos import context
from allos.engine import After, Interceptor, PreparedCall
from allos.errors import ConfigurationError, ReplayError, ReplayMissError, did_you_mean
from allos.replaying import replay_file
from allos.replaying.miss_explanation import explain_miss
from allos.replaying.recorded_answer import answer_of, line_of
from allos.replaying.replay_file import Entry, Key
from allos.replaying.replay_file_writer import ReplayFileWriter
from allos.replaying.request_numbering import RequestNumber, RequestNumbering
from allos.request import Request
from allos.response import ProviderResponse

Mode = Literal["replay", "record", "strict", "off"]

_VARIABLE = "ALLOS_REPLAY_MODE"


def chosen_mode(path: str | os.PathLike[str] | None, mode: str) -> Mode:
    """Mode in force: where a file is given, ``ALLOS_REPLAY_MODE`` takes precedence over the argument.

    Raises
    ------
    ConfigurationError
        There is no such mode.

    Examples
    --------
    >>> chosen_mode(None, "off")
    'off'
    """
    from_environment = os.environ.get(_VARIABLE, "").strip() if path is not None else ""
    given = from_environment or mode
    for known in get_args(Mode):
        if known == given:
            found: Mode = known
            return found
    raise ConfigurationError(
        f"{_VARIABLE if from_environment else 'mode'} must be one of {', '.join(get_args(Mode))}, "
        f"got {given!r}.{did_you_mean(str(given), get_args(Mode))}"
    )


class Replay(Interceptor):
    """A replay file, open since a run began. Created by `allos.replay`.

    Attributes
    ----------
    path : Path or None
        The file; None when replay is off.
    mode : str
        ``"replay"``, ``"record"``, ``"strict"`` or ``"off"``.
    replayed : int
        Answers replayed from the file in this run.
    requested : int
        Requests sent to a service in this run.
    """

    def __init__(self, path: str | os.PathLike[str] | None, mode: Mode) -> None:
        self.mode: Mode = mode
        self.path: Path | None = None
        self.replayed = 0
        self.requested = 0
        self._entries: dict[Key, Entry] = {}
        self._used: set[Key] = set()
        self._new: set[Key] = set()
        self._changed = False
        self._numbering = RequestNumbering()
        self._lock = threading.Lock()  # guards the counts and the sets
        self._writer: ReplayFileWriter | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(os.path.expanduser(path)))
        name = self.path.name
        if self.mode == "strict" and not self.path.exists():
            raise ReplayError(
                f"There is no replay file {name!r} (looked in {os.getcwd()}), and strict replay sends "
                'no requests: record it with mode="record" first.'
            )
        if not self.path.parent.is_dir():
            raise ReplayError(f"The folder of the replay file {os.fspath(path)!r} does not exist.")
        found = replay_file.read(self.path)
        self._entries = found.entries
        self._writer = ReplayFileWriter(self.path)
        if found.damaged:
            first, *more = found.damaged
            others = f" and {len(more)} more" if more else ""
            warnings.warn(
                f"Line {first}{others} of the replay file {name!r} cannot be read and was skipped; "
                "all other lines are used. Fix it, or remove it with allos.replay().prune() after a "
                "run.",
                UserWarning,
                stacklevel=4,
            )

    # ---- the interceptor -----------------------------------------------------------------------

    @property
    def can_answer_offline(self) -> bool:  # type: ignore[override]  # depends on the mode
        """Whether answers may come from the file."""
        return self.mode in ("replay", "strict")

    @property
    def may_wait(self) -> bool:
        """For a lock on its file."""
        return self.path is not None

    def before(self, call: PreparedCall) -> ProviderResponse | After | None:
        """Return the recorded answer, or what records the answer of the service. Caller's thread.

        Raises
        ------
        ReplayMissError
            Nothing is recorded for the request, and the mode is strict.
        """
        request = call.request
        digest = request.request_hash
        if digest is None or self.path is None:
            return None
        number = self._numbering.draw(digest, context.current(), _sort_key(request))
        entry = self._entries.get(number.key)
        if entry is not None and self._replays(request):
            answer = answer_of(entry.values)
            with self._lock:
                self.replayed += 1
                self._used.add(number.key)
            return answer
        if self.mode == "strict":
            number.release()
            raise ReplayMissError(explain_miss(request, number.key, self._entries, self.path.name))
        with self._lock:
            self.requested += 1
        return partial(self._after, number)

    def _replays(self, request: Request) -> bool:
        return self.mode == "strict" or (self.mode == "replay" and not request.refresh)

    def _after(self, number: RequestNumber, response: ProviderResponse) -> ProviderResponse:
        """Record a complete answer under the number that its own call drew. Loop thread.

        A failure is not recorded, since it would come back in every later run; its number is released
        for the retry.
        """
        if response.replayed or not response.ok or response.error is not None:
            number.release()
        elif number.is_held and self._writer is not None:
            self._record(number.key, response, self._writer)
        return response

    def _record(self, key: Key, response: ProviderResponse, writer: ReplayFileWriter) -> None:
        entry = Entry(key, 0, line_of(response, key[1]))
        with self._lock:
            if key not in self._entries:
                self._new.add(key)
            self._entries[key] = entry
            self._used.add(key)
            self._changed = True
        writer.put(entry.text)

    # ---- the file ------------------------------------------------------------------------------

    @property
    def recorded(self) -> int:
        """Answers in the file."""
        return len(self._entries)

    @property
    def unused(self) -> int:
        """Answers in the file that this run has neither replayed nor recorded."""
        with self._lock:
            return len(self._entries.keys() - self._used)

    def prune(self) -> int:
        """Remove the answers that this run did not use, and lines that cannot be read.

        Call it at the end of a whole run.

        Returns
        -------
        int
            How many answers were removed.

        Raises
        ------
        ReplayError
            Replay is off, this run has used no answer yet, or the file cannot be written.
        """
        if self.path is None:
            raise ReplayError("Replay is off: there is nothing to prune.")
        with self._lock:
            stale = self._entries.keys() - self._used
            if not self._used:
                raise ReplayError(
                    f"This run has not used any answer of {self.path.name!r} yet, so all would be "
                    "removed: run the whole notebook first."
                )
        self.flush()
        replay_file.compact(self.path, drop=stale, order=self._new_order(), drop_damaged=True)
        with self._lock:
            for key in stale:
                self._entries.pop(key, None)
        return len(stale)

    def flush(self) -> None:
        """Wait until every answer recorded so far is in the file.

        Raises
        ------
        ReplayError
            The file cannot be written.
        """
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is pending and compact the file: one line for each answer.

        Raises
        ------
        ReplayError
            The file cannot be written.
        """
        writer, self._writer = self._writer, None
        if writer is None or self.path is None:
            return
        writer.close()
        if self._changed:
            replay_file.compact(self.path, order=self._new_order())

    def before_fork(self) -> None:
        """Let no write to the file be under way."""
        if self._writer is not None:
            self._writer.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._writer is not None:
            self._writer.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Go on in the child with the parent's answers; what the parent recorded, the parent writes."""
        self._lock = threading.Lock()  # whoever held it is not in the child
        self._numbering.after_fork_in_child()
        self._changed = False
        if self._writer is not None:
            self._writer.after_fork_in_child()

    def _new_order(self) -> dict[Key, tuple[Any, ...]]:
        """Sort keys of the answers that are new in the file."""
        with self._lock:
            return {key: self._numbering.order[key] for key in self._new}

    def __repr__(self) -> str:
        if self.path is None:
            return "Replay(mode='off')"
        return f"Replay({self.path.name!r}, mode={self.mode!r})"

    def __str__(self) -> str:
        if self.path is None:
            return "Replay is off."
        return (
            f"{self.path.name} ({self.mode}): {self.recorded} recorded; this run: {self.replayed} "
            f"replayed, {self.requested} requested, {self.unused} unused"
        )


def _sort_key(request: Request) -> tuple[Any, ...]:
    """Order of the calls of one comparison in the file."""
    params = json.dumps(dict(request.params), sort_keys=True, default=str)
    endpoint = request.endpoint or request.provider
    return endpoint, request.model, params, request.sample, request.request_hash
