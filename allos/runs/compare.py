"""`allos.compare`: one prompt, many models, side by side. Plain Python, no notebook needed.

A comparison is a grid: each model with each set of parameters is a column, and a column has n cells
for its repeats. Every cell is one call and one row of the log. The calls run on the loop thread, so
`compare` returns at once; nobody needs to wait for them.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Literal, Self

from allos import _process, context, engine
from allos.engine.call import Call
from allos.errors import AllosError, BudgetError, ConfigurationError, Interrupted
from allos.events import Event, Queued, ReasoningDelta, Retrying, TextDelta
from allos.ids import new_id
from allos.messages import Message, Prompt, as_messages
from allos.options import PARAMETERS
from allos.providers import Provider
from allos.providers.catalog import services
from allos.request import Request
from allos.response import ProviderResponse
from allos.runs.ask import begin, normalize_tags
from allos.secret import sealed
from allos.session import EMBEDDED_MODEL, current_session
from allos.tools.schemas import as_schema

if TYPE_CHECKING:
    import pandas as pd

    from allos.providers.pricing.planned_requests import Preview

State = Literal["queued", "running", "waiting", "ok", "error", "cancelled"]

_EXIT_S = 2.0
_STARTERS = 8
"""Threads that start calls: loading an SDK or the embedded model must not hold up the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One model with one set of parameters."""

    index: int
    model: str | Provider
    params: Mapping[str, Any]
    twin: int = 0
    """How many columns before it ask the very same."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        if isinstance(self.model, Provider):
            return f"{self.model.name}/{self.model.model}"
        return self.model


class Cell:
    """One call of a comparison. Its state has one writer at a time: its starter, then the loop."""

    def __init__(
        self, comparison: Comparison, index: int, column: Column, sample_index: int
    ) -> None:
        self._comparison = comparison
        self.index = index
        self.column = column
        self.sample_index = sample_index
        """Which repeat of its column this is, from 0."""
        self.run = 0
        """How often it was started again; what was seen of an earlier run is void."""
        self.state: State = "queued"
        self.pieces: list[str] = []
        """The text so far, as it arrived. Only ever appended to, so a reader needs no lock."""
        self.reasoning_chars = 0
        self.attempt: Mapping[str, Any] | None = None
        """The failed attempt that will be repeated: `message`, `attempt`, `max_attempts`, `wait_s`,
        and `until`, the `time.monotonic` of the next try."""
        self.started: float | None = None
        """`time.perf_counter` of the start, after a wait for its turn of the end of that."""
        self.first: float | None = None
        """`time.perf_counter` of the first text or reasoning."""
        self.response: ProviderResponse | None = None
        self._call: Call | None = None
        self._stopped = False
        self._held = False
        self._finished = threading.Event()

    @property
    def text(self) -> str:
        """The text so far."""
        return self.response.content if self.response is not None else "".join(self.pieces)

    @property
    def done(self) -> bool:
        """Whether its response is there."""
        return self._finished.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the response; False when it is not there in time."""
        return self._finished.wait(timeout_s)

    def stop(self) -> None:
        """Stop the call; what has arrived is kept, and logged. Any thread."""
        self._stopped = True
        call = self._call
        if call is not None:
            call.cancel()

    def retry(self) -> None:
        """Ask again; the row of the earlier answer stays. Any thread; nothing while it runs."""
        if self.done:
            self._reset()
            self._comparison._launch([self])

    def _reset(self) -> None:
        self.run += 1
        self.state = "queued"
        self.pieces = []
        self.reasoning_chars = 0
        self.attempt = None
        self.started = self.first = None
        self.response = None
        self._call = None
        self._stopped = self._held = False
        self._finished.clear()

    def _start(self) -> None:  # starter thread
        run = self.run
        repeat = self.sample_index + self.column.twin * self._comparison.n
        with context.using(sample_index=self.sample_index, repeat=repeat):
            call = self._begin(run)
        self.started = self.started or perf_counter()
        if self.state == "queued" and not self._held:  # else the loop thread knows better already
            self.state = "running"
        self._call = call
        if not call.from_replay:
            self._comparison._asked.set()
        if self._stopped:
            call.cancel()
        self._comparison._changed()
        call.future.add_done_callback(self._arrived)

    def _begin(self, run: int) -> Call:
        if self._stopped:
            return engine.refuse(self._request(), None)
        try:
            return begin(
                self._comparison.messages,
                model=self.column.model,
                system=None,
                params={**self.column.params, "refresh": self._comparison.refresh},
                emit=lambda events: self._take(events, run),
            )
        except Exception as exc:  # noqa: BLE001 - whatever keeps a call from going out ends its cell
            return engine.refuse(self._request(), _refused(exc))

    def _take(self, events: Sequence[Event], run: int) -> None:  # loop thread
        if run != self.run:
            return
        for event in events:
            if isinstance(event, TextDelta):
                self.pieces.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self.reasoning_chars += len(event.text)
            elif isinstance(event, Retrying):
                self.attempt = {**asdict(event), "until": monotonic() + event.wait_s}
                self.state = "waiting"
                continue
            elif isinstance(event, Queued):
                self._held = event.is_waiting
                self.state, self.attempt = ("queued" if self._held else "running"), None
                self.started = perf_counter()
                continue
            else:
                continue
            if self.first is None:
                self.first = perf_counter()
            if self.state == "waiting":
                self.state, self.attempt = "running", None
        self._comparison._changed()

    def _arrived(self, future: Future[ProviderResponse]) -> None:  # loop thread
        try:
            response = future.result()
        except Exception as exc:  # noqa: BLE001 - a fault of our own must not leave a cell running
            error = AllosError(f"{type(exc).__name__}: {exc}")
            response = ProviderResponse(metadata={"status": "error"}, error=error)
        self._finish(response)

    def _finish(self, response: ProviderResponse) -> None:
        self.response = response
        self.attempt = None
        self.state = response.status
        self._finished.set()
        self._comparison._cell_finished()

    def _request(self) -> Request:
        """What would have been asked, of a call that never went out."""
        provider, _, model = self.column.name.partition("/")
        return Request(
            provider=provider,
            api=services.find(provider).api,
            base_url="",
            model=model,
            messages=self._comparison.messages,
            params={k: v for k, v in self.column.params.items() if k in PARAMETERS},
        )


class Comparison:
    """A comparison under way or done; made by `compare`.

    In a notebook it shows the live board when a cell displays it. It can be awaited.

    Attributes
    ----------
    id : str
        ``cmp_`` and a ULID; the log's `comparison_id`.
    messages : tuple of Message
        What every model was asked.
    columns : list of Column
    cells : list of Cell
        Column by column, repeats in order.
    refresh : bool
        Whether every model is asked even where its answer is recorded.
    """

    def __init__(
        self,
        messages: tuple[Message, ...],
        columns: Sequence[Column],
        n: int,
        *,
        refresh: bool = False,
    ) -> None:
        self.id = f"cmp_{new_id()}"
        self.messages = messages
        self.n = n
        self.refresh = refresh
        self.columns: list[Column] = []
        self.cells: list[Cell] = []
        self._watchers: list[Callable[[], None]] = []
        self._session = current_session()
        self._asked = threading.Event()
        with context.using(comparison_id=self.id):
            self._context = contextvars.copy_context()
        for column in columns:
            self._add(column)

    # ---- results ----------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether every cell has its response."""
        return all(cell.done for cell in self.cells)

    @property
    def responses(self) -> list[ProviderResponse]:
        """One response for each cell, in order, failed and stopped ones included. Waits for them."""
        self.wait()
        return [cell.response for cell in self.cells if cell.response is not None]

    @property
    def frame(self) -> pd.DataFrame:
        """The responses as a DataFrame: one row each, the log's columns. Waits for them."""
        from allos.log.frame import frame_of

        return frame_of(self.responses)

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until every cell has its response.

        Parameters
        ----------
        timeout_s : float or None
            Longest wait in seconds.

        Raises
        ------
        TimeoutError
            Some cells are not done; they go on.
        Interrupted
            Ctrl-C or the stop button: everything was stopped, what had arrived is kept.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        try:
            for cell in list(self.cells):
                left_s = None if deadline is None else max(0.0, deadline - monotonic())
                if not cell.wait(left_s):
                    open_ = sum(not cell.done for cell in self.cells)
                    raise TimeoutError(f"{open_} of {len(self.cells)} answers are not there yet")
        except KeyboardInterrupt:
            stopped = self._interrupted()
        else:
            return self
        raise stopped

    def served(self) -> bool:
        """Wait until it is clear whether a replay file answers all of it; True when it does.

        Then every answer is there. Without an open replay file it is False at once.

        Raises
        ------
        Interrupted
            As `wait`.
        """
        if not engine.can_answer_offline():
            return False
        try:
            for cell in list(self.cells):
                while not cell.wait(0.01):
                    if self._asked.is_set():
                        return False
        except KeyboardInterrupt:
            stopped = self._interrupted()
        else:
            return not self._asked.is_set()
        raise stopped

    def _interrupted(self) -> Interrupted:
        self.cancel()
        return Interrupted("Interrupted: the comparison was stopped; what had arrived is kept.")

    def __await__(self) -> Generator[Any, None, Self]:
        return self._awaited().__await__()

    async def _awaited(self) -> Self:
        import asyncio

        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def wake() -> None:  # loop thread of allos
            if self.done and not loop.is_closed():
                loop.call_soon_threadsafe(finished.set)

        self.watch(wake)
        try:
            wake()
            await finished.wait()
        finally:
            self.unwatch(wake)
        return self

    # ---- control ----------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop every cell that still runs; what has arrived is kept. Any thread."""
        for cell in list(self.cells):
            if not cell.done:
                cell.stop()

    def add(self, model: str | Provider, **params: Any) -> Column:
        """Ask one more model; a new column at the end. Any thread."""
        sealed(params)
        column = _column(len(self.columns), model, params)
        cells = self._add(column)
        self._launch(cells)
        return cells[0].column

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever something has changed; on the loop thread, so it must be quick."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Take back `watch`."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def _add(self, column: Column) -> list[Cell]:
        # Columns that ask the very same have answers of their own also when they are recorded.
        twins = [c for c in self.columns if (c.name, c.params) == (column.name, column.params)]
        column = replace(column, twin=len(twins))
        self.columns.append(column)
        cells = [Cell(self, len(self.cells) + k, column, k) for k in range(self.n)]
        self.cells += cells
        return cells

    def _launch(self, cells: Sequence[Cell]) -> None:
        """Start cells on a few threads, each with the context that the comparison was made in."""
        self._session.active_runs.add(self)
        shares: dict[int, list[Cell]] = {}
        for cell in cells:  # the first repeat of a column is sent first, whoever is slow to start
            shares.setdefault(cell.column.index % _STARTERS, []).append(cell)
        for share in shares.values():
            here = self._context.copy()
            threading.Thread(
                target=here.run, args=(_start_all, share), name="allos-start", daemon=True
            ).start()

    def _changed(self) -> None:
        for watcher in list(self._watchers):
            watcher()

    def _cell_finished(self) -> None:
        if self.done:
            self._session.active_runs.discard(self)
        self._changed()

    def to_html(self) -> str:
        """Return the comparison as one static, sanitised HTML table, as far as it has come."""
        from allos import log
        from allos.render.comparison_table import comparison_html

        return comparison_html(self, logged=log.is_open())

    def __str__(self) -> str:
        from allos import log
        from allos.render.comparison_table import comparison_text

        return comparison_text(self, logged=log.is_open())

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(column.name for column in self.columns))
        finished = sum(cell.done for cell in self.cells)
        return f"Comparison({names}; {finished} of {len(self.cells)} done)"


def _refused(exc: Exception) -> AllosError:
    """Why a call was not sent; a provider of somebody's own may raise anything."""
    if isinstance(exc, AllosError):
        return exc
    if isinstance(exc, ValueError | TypeError):
        return ConfigurationError(str(exc))
    return ConfigurationError(f"{type(exc).__name__}: {exc}. Nothing was sent.")


def _start_all(cells: Sequence[Cell]) -> None:
    for cell in cells:
        cell._start()


def compare(
    prompt: Prompt,
    *,
    models: Sequence[str | Provider],
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    system: str | None = None,
    tags: Sequence[str] = (),
    refresh: bool = False,
    confirm: Callable[[Preview], bool] | None = None,
    **shared: Any,
) -> Comparison:
    """Ask several models the same thing at once.

    Returns at once; a model that fails is a failed response and leaves the others alone.

    Parameters
    ----------
    prompt : str, Image, File, sequence of those, or iterable of Message
        The question, with images and files in its order, or a whole conversation. Taken as it is.
    models : sequence of str or Provider
        ``provider/model`` names or provider objects. A name may stand twice.
    params : sequence of mappings, or None
        Sets of parameters to try with each model; each makes a column of its own.
    n : int
        Repeats of every column: n separate calls.
    system : str or None
        Instructions to the models.
    tags : sequence of str
        Words to find the rows again.
    refresh : bool
        Ask even where answers are recorded, and record the new ones in their place.
    confirm : callable or None
        ``confirm(preview)`` says whether to go on, given what would be sent and what it costs at
        most. None asks nobody.
    **shared
        Parameters for all (`temperature`, `max_tokens`, `timeout_s` ...); `params` wins over them.
        With `strict`, a model that does not take one of them is a failed response, and not asked.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        An unknown provider, no model, nothing to compare; nothing was sent.
    BudgetError
        `confirm` said no; nothing was sent.

    Examples
    --------
    ::

        both = allos.compare(
            "Explain gravity.",
            models=["local/smollm2", "groq/llama-3.1-8b-instant"],
            params=[{"temperature": 0}, {"temperature": 1}],
        )
        both.wait().frame[["model", "temperature", "content", "latency_s"]]
    """
    sealed(shared)
    models, params = normalize_models(models), normalize_params(params)
    columns = build_columns(models, params, shared, n)
    messages, named = as_messages(prompt, system), normalize_tags(tags)
    if confirm is not None:
        from allos.runs.preview import preview

        plan = preview(messages, models=models, params=params, n=n, **shared)
        if not confirm(plan):
            raise BudgetError("The comparison was not confirmed. Nothing was sent.")
    session = current_session()
    session.open_log()
    session.open_configured_replay()
    with context.using(tags=named):
        comparison = Comparison(messages, columns, n, refresh=refresh)
    for notify in session.on_run_started:
        notify(comparison)
    comparison._launch(comparison.cells)
    return comparison


def normalize_params(params: Any) -> list[dict[str, Any]]:
    """Sets of parameters, with their keys sealed; one empty set where there are none."""
    given = [params] if isinstance(params, Mapping) else params
    if isinstance(given, str) or not isinstance(given, Iterable | None):
        raise _no_set(given)
    sets: list[dict[str, Any]] = []
    for each in given or [{}]:
        if not isinstance(each, Mapping) or not all(isinstance(name, str) for name in each):
            raise _no_set(each)
        sets.append(dict(each))
    for each in sets:
        sealed(each)
    return sets


def _no_set(value: object) -> ConfigurationError:
    return ConfigurationError(
        "params takes sets of parameters, params=[{'temperature': 0}, {'temperature': 1}], "
        f"not {value!r:.80}."
    )


def normalize_models(models: Any) -> list[str | Provider]:
    """The models of a comparison as a list; a single one needs none."""
    if isinstance(models, (str, Provider)):
        return [models]
    if isinstance(models, bytes | Mapping) or not isinstance(models, Iterable | None):
        raise ConfigurationError(
            f"models takes a list of 'provider/model' names and provider objects, not {models!r:.80}."
        )
    listed = list(models or ())
    if not listed:
        raise ConfigurationError(
            "compare needs at least one model: models=['provider/model', ...]."
        )
    return listed


def build_columns(
    models: Sequence[str | Provider],
    params: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any],
    n: int,
) -> list[Column]:
    """Columns of a comparison: each model with each set of parameters; checked, nothing is sent."""
    models = normalize_models(models)
    if not _is_count(n):
        raise ConfigurationError(f"n must be a whole number from 1, not {n!r}.")
    grid = [(model, {**shared, **chosen}) for model in models for chosen in params]
    return [_column(k, model, chosen) for k, (model, chosen) in enumerate(grid)]


def _cancel_at_exit() -> None:
    """Stop what still runs, and say so: nobody can wait for it any more."""
    left = [
        cell
        for comparison in list(current_session().active_runs)
        for cell in comparison.cells
        if not cell.done
    ]
    if left:
        import sys

        stop_all()
        for cell in left:
            cell.wait(_EXIT_S)
        sys.stderr.write(
            f"allos: {len(left)} answers of a comparison had not come and were cancelled.\n"
        )


_process.on_exit(_process.ExitStage.RUNS, _cancel_at_exit)


def stop_all() -> int:
    """Stop every comparison under way; returns how many there were."""
    running = list(current_session().active_runs)
    for comparison in running:
        comparison.cancel()
    return len(running)


def _column(index: int, model: str | Provider, params: Mapping[str, Any]) -> Column:
    """Return a column; a provider or a schema that is none is told before anything is sent."""
    as_schema(params.get("schema"))
    if isinstance(model, str):
        service, of_service = services.located(model)
        if of_service is None:
            if not service.embedded:
                raise ConfigurationError(f"{model!r} names no model: write {service.name}/MODEL.")
            model = EMBEDDED_MODEL
    elif not isinstance(model, Provider):
        raise ConfigurationError(
            f"models takes 'provider/model' names and provider objects, not {type(model).__name__}."
        )
    return Column(index=index, model=model, params=dict(params))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
