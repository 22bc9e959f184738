"""An open replay file: which recorded answer a request gets, and which answers are recorded."""

from __future__ import annotations

import json
import os
import threading
import warnings
from pathlib import Path
from typing import Any, Literal, get_args

from allos import context
from allos.engine import After, Interceptor, PreparedCall
from allos.errors import ConfigurationError, ReplayError, ReplayMissError, did_you_mean
from allos.replaying import replay_file
from allos.replaying.file_writer import Writer
from allos.replaying.miss_explanation import explain_miss
from allos.replaying.recorded_answer import answer_of, line_of
from allos.replaying.replay_file import Entry, Key
from allos.replaying.request_numbering import RequestNumbering
from allos.request import Request
from allos.response import ProviderResponse

Mode = Literal["replay", "record", "strict", "off"]

_VARIABLE = "ALLOS_REPLAY_MODE"


def chosen_mode(path: str | os.PathLike[str] | None, mode: str) -> Mode:
    """Mode that counts: where a file is named, ``ALLOS_REPLAY_MODE`` goes before the argument.

    Raises
    ------
    ConfigurationError
        There is no such mode.

    Examples
    --------
    >>> chosen_mode(None, "off")
    'off'
    """
    named = os.environ.get(_VARIABLE, "").strip() if path is not None else ""
    for known in get_args(Mode):
        if known == (named or mode):
            found: Mode = known
            return found
    source = f"{_VARIABLE} is" if named else "mode is"
    raise ConfigurationError(
        f"{source} {named or mode!r}; it takes {', '.join(get_args(Mode))}."
        f"{did_you_mean(str(named or mode), get_args(Mode))}"
    )


class Replay(Interceptor):
    """A replay file, open since a run began. Made by `allos.replay`.

    Attributes
    ----------
    path : Path or None
        The file; None when replay is off.
    mode : str
        ``"replay"``, ``"record"``, ``"strict"`` or ``"off"``.
    served : int
        Answers given from the file in this run.
    asked : int
        Requests that went to a service in this run.
    """

    def __init__(self, path: str | os.PathLike[str] | None, mode: Mode) -> None:
        self.mode: Mode = mode
        self.path: Path | None = None
        self.served = 0
        self.asked = 0
        self._entries: dict[Key, Entry] = {}
        self._used: set[Key] = set()
        self._new: set[Key] = set()
        self._changed = False
        self._run = RequestNumbering()
        self._lock = threading.Lock()  # guards the counts and the sets
        self._writer: Writer | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(os.path.expanduser(path)))
        name = self.path.name
        if self.mode == "strict" and not self.path.exists():
            raise ReplayError(
                f"There is no replay file {name!r} (looked in {os.getcwd()}), and strict replay asks "
                'no service: record it with mode="record" first.'
            )
        if not self.path.parent.is_dir():
            raise ReplayError(f"There is no folder for the replay file {os.fspath(path)!r}.")
        found = replay_file.read(self.path)
        self._entries = found.entries
        self._writer = Writer(self.path)
        if found.damaged:
            first, *more = found.damaged
            others = f" and {len(more)} more" if more else ""
            warnings.warn(
                f"Line {first}{others} of the replay file {name!r} cannot be read and was skipped; "
                "the others are used. Mend it, or remove it with allos.replay().prune() after a run.",
                UserWarning,
                stacklevel=4,
            )

    # ---- what the engine sees -----------------------------------------------------------------

    @property
    def can_answer_offline(self) -> bool:  # type: ignore[override]  # a fact of the open file
        """Whether answers may come from the file."""
        return self.mode in ("replay", "strict")

    def before(self, call: PreparedCall) -> ProviderResponse | After | None:
        """Answer from the file, or record the answer that comes."""
        answer = self.source(call.request)
        return self._record if answer is None else answer

    def _record(self, response: ProviderResponse) -> ProviderResponse:
        self.observe(response)
        return response

    def source(self, request: Request) -> ProviderResponse | None:
        """Recorded answer to a request; None when it has to be asked. Caller's thread.

        Raises
        ------
        ReplayMissError
            There is none, and the mode is strict.
        """
        digest = request.request_hash
        if digest is None or self.path is None:
            return None
        key = digest, self._run.number(digest, context.current(), _about(request))
        entry = self._entries.get(key)
        if entry is not None and (
            self.mode == "strict" or (self.can_answer_offline and not request.refresh)
        ):
            answer = answer_of(entry.values)
            with self._lock:
                self.served += 1
                self._used.add(key)
            return answer
        self._run.asking(*key)
        if self.mode == "strict":
            self._run.failed(digest)
            raise ReplayMissError(explain_miss(request, key, self._entries, self.path.name))
        with self._lock:
            self.asked += 1
        return None

    def observe(self, response: ProviderResponse) -> None:
        """Record an answer. Loop thread.

        Only complete answers without an error are recorded: a failure that was recorded would come
        back in every later run.
        """
        digest = response.request.request_hash if response.request is not None else None
        if digest is None or response.replayed or self._writer is None:
            return
        if not response.ok or response.error is not None:
            self._run.failed(digest)
            return
        number = self._run.answered(digest)
        if number is None:  # it began before this run
            return
        key = digest, number
        entry = Entry(key, 0, line_of(response, number))
        with self._lock:
            if key not in self._entries:
                self._new.add(key)
            self._entries[key] = entry
            self._used.add(key)
            self._changed = True
        self._writer.put(entry.text)

    # ---- what a person sees -------------------------------------------------------------------

    @property
    def recorded(self) -> int:
        """Answers that the file holds."""
        return len(self._entries)

    @property
    def unused(self) -> int:
        """Answers of the file that this run has neither served nor recorded."""
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
            Replay is off, this run has used nothing yet, or the file cannot be written.
        """
        if self.path is None:
            raise ReplayError("Replay is off: there is nothing to prune.")
        with self._lock:
            stale = self._entries.keys() - self._used
            if not self._used:
                raise ReplayError(
                    f"This run has used no answer of {self.path.name!r} yet, so all would go: "
                    "run the whole notebook first."
                )
        self.flush()
        replay_file.tidy(self.path, drop=stale, order=self._order(), drop_damaged=True)
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
        """Finish the file: everything is written, one line for each answer.

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
            replay_file.tidy(self.path, order=self._order())

    def _order(self) -> dict[Key, tuple[Any, ...]]:
        return {key: place for key, place in self._run.order.items() if key in self._new}

    def __repr__(self) -> str:
        if self.path is None:
            return "Replay(mode='off')"
        return f"Replay({self.path.name!r}, mode={self.mode!r})"

    def __str__(self) -> str:
        if self.path is None:
            return "Replay is off."
        return (
            f"{self.path.name} ({self.mode}): {self.recorded} recorded; in this run {self.served} "
            f"served, {self.asked} asked, {self.unused} not used"
        )


def _about(request: Request) -> tuple[Any, ...]:
    """What tells the calls of one comparison apart, to order them."""
    params = json.dumps(dict(request.params), sort_keys=True, default=str)
    endpoint = request.endpoint or request.provider
    return endpoint, request.model, params, request.sample, request.request_hash
