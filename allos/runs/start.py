"""How every call of a run starts: `ask`, a cell of the notebook, a task of a comparison.

`ask` starts its call on the caller's own thread: the caller waits in any case, and a hand-over to a
starter thread would only add to the time to the first token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from allos import context, engine
from allos.context import RunContext
from allos.engine import HandedOver, Interceptor, MustWait, PreparedCall
from allos.engine.call import Call
from allos.engine.start import OnEvents
from allos.errors import AllosError, ConfigurationError, ProviderError
from allos.messages import Message, Prompt, as_messages
from allos.options import OVERRIDABLE_OPTIONS, PARAMETERS
from allos.providers import Provider
from allos.providers.catalog import services
from allos.request import Request
from allos.session import current_session

if TYPE_CHECKING:
    from datetime import datetime

    from allos.runs.grid import Column
    from allos.runs.task import Task
    from allos.wire.base import Body

Messages = tuple[Message, ...]


def start_call(
    prompt: Prompt,
    *,
    model: str | Provider | None,
    params: Mapping[str, Any],
    on_events: OnEvents | None = None,
) -> Call:
    """Start one call and return its handle; `on_events` makes it a stream.

    A call that cannot be started is a row of the log as well, if its service is known.

    Raises
    ------
    ConfigurationError
        An unknown provider or parameter, a missing key; nothing was sent. `.response` is its row.
    """
    messages = as_messages(prompt)
    try:
        return _start(messages, model, params, on_events)
    except AllosError as exc:
        is_named = isinstance(model, str | Provider | None)
        if is_named and exc.response is None and not engine.runtime.get().is_loop_thread:
            with suppress(ConfigurationError):  # an unknown service: no call was made of it
                request = _unsent_request(messages, model, params)
                exc.response = engine.refuse(request, exc).future.result()
        raise


def _start(
    messages: Messages,
    model: str | Provider | None,
    params: Mapping[str, Any],
    on_events: OnEvents | None,
    interceptors: Sequence[Interceptor] = (),
    answers: Sequence[Interceptor] = (),
) -> Call:
    options, rest = split_options(model, params)
    session = current_session()
    session.open_log()
    provider = session.provider_for(model, **options)
    if interceptors or answers:
        return provider.start(messages, rest, on_events, interceptors, answers)
    return provider.start(messages, rest, on_events)


def start_task(
    task: Task,
    column: Column,
    *,
    refresh: bool,
    on_events: OnEvents | None = None,
    interceptors: Sequence[Interceptor] = (),
    answers: Sequence[Interceptor] = (),
    on_loop: bool = False,
) -> Call:
    """Start a task of this process, with the keys that its column holds.

    A task that cannot be started is a call as well: its response carries the error. `interceptors` are
    those of this call alone, inside of all others; `answers` may answer it in place of the service, for
    nothing, and are right inside of the log. `on_loop`: this is the loop thread, and the provider
    of the column `starts_at_once`; where this call has to wait after all, `MustWait` is raised.
    """
    with _origin_of(task):
        try:
            params = {**column.params, "refresh": refresh}
            if on_loop and isinstance(column.model, Provider):
                return column.model.start_on_loop(task.messages, params)
            return _start(task.messages, column.model, params, on_events, interceptors, answers)
        except MustWait:
            raise
        except Exception as exc:  # noqa: BLE001 - a provider of somebody else's may raise anything
            return engine.refuse(_unsent_task(task, column.model), _as_refusal(exc))


def hand_over_task(
    task: Task,
    column: Column,
    *,
    refresh: bool,
    handed: HandedOver | None = None,
    since: datetime | None = None,
) -> tuple[Body | None, Call | HandedOver]:
    """Prepare a task for a batch of its service, and return its body. Not on the loop thread.

    Parameters
    ----------
    task, column
        The column holds a provider object.
    refresh : bool
        As in `start_task`.
    handed : HandedOver or None
        Where the task was handed over before, in this process.
    since : datetime or None
        When that was, in another one.

    Returns
    -------
    Body or None
        None for a task that ends here.
    Call or HandedOver
        A call of a task that ends here: it was refused, or answered from a recording.
    """
    with _origin_of(task):
        try:
            provider, call = _prepared_for_batch(task, column, refresh)
            found = handed or provider.hand_over(call, since)
        except Exception as exc:  # noqa: BLE001 - as above
            return None, engine.refuse(_unsent_task(task, column.model), _as_refusal(exc))
    return (call.body if isinstance(found, HandedOver) else None), found


def task_arrived(
    task: Task,
    column: Column,
    handed: HandedOver,
    outcome: bytes | ProviderError | None,
    *,
    refresh: bool,
) -> Call:
    """Complete a task with what a batch of its service has brought; see `allos.engine.arrived`."""
    with _origin_of(task):
        try:
            provider, call = _prepared_for_batch(task, column, refresh)
            return provider.arrived(call, handed, outcome)
        except Exception as exc:  # noqa: BLE001 - as above
            return engine.refuse(_unsent_task(task, column.model), _as_refusal(exc))


def _prepared_for_batch(task: Task, column: Column, refresh: bool) -> tuple[Provider, PreparedCall]:
    provider = column.model
    assert isinstance(provider, Provider)
    params = {**column.params, "refresh": refresh}
    return provider, provider.prepare_for_batch(task.messages, params)


def cancel_task(task: Task, column: Column, error: AllosError | None = None) -> Call:
    """Return the call of a task that was stopped before its start, or by an error. Any thread."""
    with _origin_of(task):
        return engine.refuse(_unsent_task(task, column.model), error)


def _origin_of(task: Task) -> AbstractContextManager[RunContext]:
    origin: dict[str, Any] = {
        "sample_index": task.sample,
        "repeat": task.repeat,
        "task_key": task.key,
    }
    if task.variables:
        origin["variables"] = task.variables
    return context.using(**origin)


def split_options(
    model: str | Provider | None, params: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keywords into those of a provider and those of a call."""
    options: dict[str, Any] = {
        name: value
        for name, value in params.items()
        if name in OVERRIDABLE_OPTIONS and value is not None
    }
    rest = {name: value for name, value in params.items() if name not in OVERRIDABLE_OPTIONS}
    if options and isinstance(model, Provider):
        raise ConfigurationError(
            f"{', '.join(options)} cannot be set for a provider object that is already built."
        )
    return options, rest


def _unsent_task(task: Task, model: str | Provider) -> Request:
    return _unsent_request(task.messages, model, task.params)


def _unsent_request(
    messages: Messages, model: str | Provider | None, params: Mapping[str, Any]
) -> Request:
    """Return the request that no provider could be made for, as far as it is known."""
    if isinstance(model, Provider):
        provider, api, model_id = model.name, model.api, model.model
    else:
        name = current_session().model_name(model)
        service, _ = services.resolve_model_name(name)
        provider, api, model_id = service.name, service.api, name.partition("/")[2]
    return Request(
        provider=provider,
        api=api,
        base_url="",
        model=model_id,
        messages=messages,
        params={
            name: value
            for name, value in params.items()
            if name in PARAMETERS and value is not None
        },
    )


def _as_refusal(exc: Exception) -> AllosError:
    if isinstance(exc, AllosError):
        return exc
    if isinstance(exc, ValueError | TypeError):
        return ConfigurationError(str(exc))
    return ConfigurationError(f"{type(exc).__name__}: {exc}. Nothing was sent.")
