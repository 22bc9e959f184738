"""How every call of a run starts: `ask`, a cell of the notebook, a task of a comparison.

`ask` starts its call on the caller's own thread: the caller waits in any case, and a hand-over to a
starter thread would only add to the time to the first token.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from allos import context, engine
from allos.context import RunContext
from allos.engine.call import Call
from allos.engine.start import OnEvents
from allos.errors import AllosError, ConfigurationError
from allos.messages import Prompt, as_messages
from allos.options import OVERRIDABLE_OPTIONS, PARAMETERS
from allos.providers import Provider
from allos.providers.catalog import services
from allos.request import Request
from allos.session import current_session

if TYPE_CHECKING:
    from allos.runs.grid import Column
    from allos.runs.task import Task


def start_call(
    prompt: Prompt,
    *,
    model: str | Provider | None,
    params: Mapping[str, Any],
    on_events: OnEvents | None = None,
) -> Call:
    """Start one call and return its handle; `on_events` makes it a stream.

    Raises
    ------
    ConfigurationError
        An unknown provider or parameter, a missing key; nothing was sent.
    """
    options, rest = split_options(model, params)
    session = current_session()
    session.open_log()
    provider = session.provider_for(model, **options)
    return provider.start(as_messages(prompt), rest, on_events)


def start_task(
    task: Task, column: Column, *, refresh: bool, on_events: OnEvents | None = None
) -> Call:
    """Start a task of this process, with the keys that its column holds.

    A task that cannot be started is a call as well: its response carries the error.
    """
    with _origin_of(task):
        try:
            return start_call(
                task.messages,
                model=column.model,
                params={**column.params, "refresh": refresh},
                on_events=on_events,
            )
        except Exception as exc:  # noqa: BLE001 - a provider of somebody else's may raise anything
            return engine.refuse(_unsent_request(task), _as_refusal(exc))


def cancel_task(task: Task) -> Call:
    """Return the call of a task that was stopped before its start. Any thread."""
    with _origin_of(task):
        return engine.refuse(_unsent_request(task), None)


def _origin_of(task: Task) -> AbstractContextManager[RunContext]:
    origin: dict[str, Any] = {"sample_index": task.sample, "repeat": task.repeat}
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


def _unsent_request(task: Task) -> Request:
    """The request of a task that no provider could be made for, as far as it is known."""
    provider, _, model = task.model.partition("/")
    return Request(
        provider=provider,
        api=services.find(provider).api,
        base_url="",
        model=model,
        messages=task.messages,
        params={name: value for name, value in task.params.items() if name in PARAMETERS},
    )


def _as_refusal(exc: Exception) -> AllosError:
    if isinstance(exc, AllosError):
        return exc
    if isinstance(exc, ValueError | TypeError):
        return ConfigurationError(str(exc))
    return ConfigurationError(f"{type(exc).__name__}: {exc}. Nothing was sent.")
